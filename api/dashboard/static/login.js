// A link with the token after its `#`, which browsers send to nobody, logs in by itself.

const found = /^#token=([\w-]+)$/.exec(location.hash);
if (found) {
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("token").value = found[1];
  document.getElementById("login").submit();
}
