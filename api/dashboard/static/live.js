// Keeps a page as it would be if it were loaded anew: whenever something happens, its parts are fetched and replaced.

const QUIET_MS = 1000; // between two refreshes
const IDLE_MS = 15000; // after which even a page to which nothing happens is refreshed: it tells times
const RETRY_MS = 2000;

const kinds = document.body.dataset.events.split(" ");
const job = document.body.dataset.job; // a page about one job needs no other's events
const status = document.getElementById("connection");
let source = null;
let last = "";
let due = 0;
let waiting = null;
let retry = null;

function say(state, text) {
  if (status.dataset.state !== state) {
    status.dataset.state = state;
    status.textContent = text;
  }
}

function connect() {
  clearTimeout(retry);
  if (source !== null || document.hidden) return;
  const query = new URLSearchParams({ telemetry: "true" });
  if (last) query.set("last_event_id", last);
  source = new EventSource(`/v1/events?${query}`);
  source.addEventListener("open", () => {
    say("live", "live");
    refreshSoon(); // whatever happened while nobody listened
  });
  source.addEventListener("error", () => {
    say("lost", "reconnecting");
    if (source !== null && source.readyState === EventSource.CLOSED) {
      // The browser tries again by itself only where a connection broke; an answer that is none is final to it.
      disconnect();
      retry = setTimeout(connect, RETRY_MS);
    }
  });
  for (const kind of kinds) {
    source.addEventListener(kind, (event) => {
      last = event.lastEventId || last;
      const detail = JSON.parse(event.data);
      document.dispatchEvent(new CustomEvent("happened", { detail }));
      if (!job || detail.job === job) refreshSoon();
    });
  }
  source.addEventListener("telemetry", (event) => {
    document.dispatchEvent(new CustomEvent("telemetry", { detail: JSON.parse(event.data) }));
  });
}

function disconnect() {
  if (source !== null) source.close();
  source = null;
}

function refreshSoon() {
  if (waiting !== null || document.querySelector("[data-part]") === null) return;
  waiting = setTimeout(refresh, Math.max(0, due - performance.now()));
}

async function refresh() {
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (answer.redirected) {
      location.reload(); // the session is over
    } else if (answer.ok) {
      replaceParts(new DOMParser().parseFromString(await answer.text(), "text/html"));
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // the service is away: `error` above says so
  } finally {
    due = performance.now() + QUIET_MS;
    waiting = null;
  }
}

function replaceParts(fresh) {
  for (const part of document.querySelectorAll("[data-part][id]")) {
    const found = fresh.getElementById(part.id);
    if (found === null || found.isEqualNode(part)) continue;
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    if (focused !== null && focused.matches("input, select, textarea")) continue; // somebody types
    const open = [...part.querySelectorAll("details[id][open]")].map((each) => each.id);
    part.replaceWith(document.adoptNode(found));
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focused?.id) document.getElementById(focused.id)?.focus({ preventScroll: true });
  }
  document.dispatchEvent(new CustomEvent("replaced"));
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    disconnect(); // a browser holds few connections to one server, and other pages need them
    say("away", "paused");
  } else {
    connect();
  }
});
window.addEventListener("pagehide", disconnect);
setInterval(() => document.hidden || refreshSoon(), IDLE_MS);
connect();
