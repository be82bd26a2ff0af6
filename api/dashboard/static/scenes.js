// Shows only the scenes whose name, description or phenomena have all the words that were typed.

const search = document.getElementById("words");
const count = document.getElementById("shown");
const scenes = [...document.querySelectorAll("[data-words]")];

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const scene of scenes) {
    scene.hidden = !words.every((word) => scene.dataset.words.includes(word));
    shown += scene.hidden ? 0 : 1;
  }
  for (const section of document.querySelectorAll("[data-category]")) {
    section.hidden = section.querySelector("[data-words]:not([hidden])") === null;
  }
  count.textContent = `${shown} of ${scenes.length} scenes`;
}

search.closest(".search").hidden = false;
search.addEventListener("input", filter);
filter();
