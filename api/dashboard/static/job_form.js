// Adds and removes rows of the job's form; without it the form has a few rows, and empty ones do not count.

function renumber(list) {
  const name = list.dataset.rows;
  [...list.querySelectorAll("[data-row]")].forEach((row, number) => {
    for (const each of row.querySelectorAll("[name]")) {
      const rest = each.name.split("/").slice(2).join("/");
      const id = `f-${name}-${number}-${rest}`;
      row.querySelector(`label[for="${each.id}"]`)?.setAttribute("for", id);
      each.name = `${name}/${number}/${rest}`;
      each.id = id;
    }
    for (const text of row.querySelectorAll(".help[id]")) text.id = `${text.id.replace(/-\d+-/, `-${number}-`)}`;
    row.querySelector("legend").textContent = `${list.querySelector("legend").textContent}, row ${number + 1}`;
  });
}

function clear(row) {
  for (const each of row.querySelectorAll("input, select, textarea")) {
    each.value = "";
    each.removeAttribute("aria-invalid");
    each.removeAttribute("autofocus");
    each.removeAttribute("aria-describedby");
  }
  for (const text of row.querySelectorAll(".wrong")) text.remove();
}

function prepare(list, row) {
  const button = row.querySelector("[data-remove]");
  button.hidden = false;
  button.addEventListener("click", () => {
    const rows = list.querySelectorAll("[data-row]");
    if (rows.length > 1) row.remove();
    else clear(row);
    renumber(list);
    list.querySelector("[data-add]").focus();
  });
}

for (const list of document.querySelectorAll("[data-rows]")) {
  const add = list.querySelector("[data-add]");
  for (const row of list.querySelectorAll("[data-row]")) prepare(list, row);
  add.hidden = false;
  add.addEventListener("click", () => {
    const rows = list.querySelectorAll("[data-row]");
    const row = rows[rows.length - 1].cloneNode(true);
    clear(row);
    add.before(row);
    prepare(list, row);
    renumber(list);
    row.querySelector("input, select").focus();
  });
}

// A browser keeps the focus on the first thing that is wrong even inside what is folded.
document.querySelector("[aria-invalid]")?.closest("details")?.setAttribute("open", "");
