// The live wall: pictures of the workers that can be seen, asked for as they change while the page is looked at.

const LOOK_MS = 2000;

const wall = document.getElementById("wall");
const nobody = document.getElementById("nobody");
const state = document.getElementById("wall-state");
const pause = document.getElementById("pause");
const screens = new Map(); // worker → its element
const tags = new Map(); // address → ETag of what is drawn
const said = state.textContent;
let listTag = "";
let frames = [];
let paused = false;
let quietUntil = 0;

const onScreen = new Set();
const observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) onScreen.add(target.dataset.worker);
      else onScreen.delete(target.dataset.worker);
    }
  },
  { rootMargin: "200px" },
);

function screenOf(name) {
  let screen = screens.get(name);
  if (screen !== undefined) return screen;
  screen = document.getElementById("screen").content.firstElementChild.cloneNode(true);
  screen.dataset.worker = name;
  screen.querySelector("h2").textContent = name;
  for (const figure of screen.querySelectorAll("[data-picture]")) {
    figure.querySelector("canvas").setAttribute("aria-label", `${figure.dataset.text} of ${name}`);
  }
  screens.set(name, screen);
  observer.observe(screen);
  return screen;
}

function arrange() {
  const names = new Set(frames.map((frame) => frame.worker));
  for (const [name, screen] of screens) {
    if (names.has(name)) continue;
    observer.unobserve(screen);
    onScreen.delete(name);
    screen.remove();
    screens.delete(name);
  }
  frames.forEach((frame, number) => {
    const screen = screenOf(frame.worker);
    if (wall.children[number] !== screen) wall.insertBefore(screen, wall.children[number] ?? null);
    screen.querySelector(".state").textContent = frame.state;
    screen.querySelector(".about").textContent = wordsOf(frame);
    for (const figure of screen.querySelectorAll("[data-picture]")) {
      figure.classList.toggle("absent", !frame.pictures.includes(figure.dataset.picture));
    }
  });
  nobody.hidden = frames.length > 0;
  wall.setAttribute("aria-busy", "false");
}

function wordsOf(frame) {
  if (frame.count === null) return frame.state === "idle" ? "has nothing to do" : "waiting for a frame";
  return `${frame.scene} ${frame.episode} · frame ${frame.frame + 1} of ${frame.frames} · ${frame.camera}`;
}

async function fetchList() {
  const answer = await fetch("/v1/workers/live", { headers: listTag ? { "if-none-match": listTag } : {} });
  if (answer.status !== 200) return;
  listTag = answer.headers.get("etag") ?? "";
  frames = await answer.json();
  arrange();
}

async function fetchPicture(worker, figure) {
  const address = addressOf(worker, figure);
  const tag = tags.get(address);
  const answer = await fetch(address, { cache: "no-store", headers: tag ? { "if-none-match": tag } : {} });
  if (answer.status === 429) quietUntil = performance.now() + 1000 * Number(answer.headers.get("retry-after") ?? 1);
  if (answer.status !== 200) return;
  const image = await createImageBitmap(await answer.blob());
  const canvas = figure.querySelector("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").drawImage(image, 0, 0);
  image.close();
  tags.set(address, answer.headers.get("etag"));
}

/** Show nothing where there is nothing: what was there is of another clip. */
function clear(worker, figure) {
  const canvas = figure.querySelector("canvas");
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  tags.delete(addressOf(worker, figure));
}

function addressOf(worker, figure) {
  return `/v1/workers/${encodeURIComponent(worker)}/preview/${figure.dataset.picture}`;
}

async function fetchPictures(frame) {
  const screen = screens.get(frame.worker);
  const drawn = String(frame.count);
  if (screen.dataset.drawn === drawn) return;
  const figures = [...screen.querySelectorAll("[data-picture]")];
  const wanted = figures.filter((figure) => frame.pictures.includes(figure.dataset.picture));
  for (const figure of figures) if (!wanted.includes(figure)) clear(frame.worker, figure);
  await Promise.all(wanted.map((figure) => fetchPicture(frame.worker, figure)));
  screen.dataset.drawn = drawn;
}

async function look() {
  if (!document.hidden && !paused && performance.now() > quietUntil) {
    try {
      await fetchList();
      await new Promise((resolve) => requestAnimationFrame(resolve)); // who is on the screen is known then
      await Promise.all(frames.filter((frame) => frame.count !== null && onScreen.has(frame.worker)).map(fetchPictures));
    } catch (error) {
      // The service is away, of which live.js tells, or a picture came to its end in the middle.
      if (!(error instanceof TypeError) && error.name !== "InvalidStateError") throw error;
    }
  }
  setTimeout(look, frames.length && onScreen.size === 0 ? 100 : LOOK_MS);
}

pause.hidden = false;
pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  state.textContent = paused ? "Paused." : said;
});
look();
