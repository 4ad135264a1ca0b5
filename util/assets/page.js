"use strict";
// Rows stay in the document; choosing, sorting and sliding only change attributes and order.
const photos = document.getElementById("photos");
const controls = document.getElementById("controls");
const viewer = document.getElementById("viewer");
const listed = [...photos.querySelectorAll("article")];
const sortValues = new Map(listed.map((row) => [row, JSON.parse(row.dataset.figures)]));
let current = null;

const rows = () => [...photos.querySelectorAll("article")];
const link = (row, column) => row.querySelector(`figure[data-column="${column}"] a`);
const sides = () => ["before", "after"].map((side) => [side, controls?.elements[side]?.value ?? "0"]);

function showPosition(input) {
  input.parentElement.style.setProperty("--position", `${input.value}%`);
}

function showColumns() {
  for (const box of controls.querySelectorAll("[name=column]")) {
    for (const figure of photos.querySelectorAll(`figure[data-column="${box.value}"]`)) figure.hidden = !box.checked;
  }
}

function showSides() {
  for (const row of listed) {
    for (const [side, column] of sides()) {
      const image = row.querySelector(`.compare .${side}`);
      const source = link(row, column)?.firstElementChild;
      if (!image || !source) continue; // a photo that lacks the column keeps what it shows
      image.setAttribute("src", source.getAttribute("src"));
      const caption = row.querySelector(".slide figcaption");
      const labels = caption.textContent.split(" | ");
      labels[side === "before" ? 0 : 1] = source.closest("figure").querySelector("figcaption").textContent;
      caption.textContent = labels.join(" | ");
    }
  }
}

function sortRows() {
  const chosen = controls.elements.sort.selectedOptions[0];
  const sign = controls.elements.descending.checked ? -1 : 1;
  const order = [...listed];
  if (chosen.value === "0") {
    if (sign < 0) order.reverse();
  } else if (chosen.value === "1") {
    order.sort((a, b) => sign * a.dataset.name.localeCompare(b.dataset.name, undefined, { numeric: true }));
  } else {
    const value = (row) => sortValues.get(row)[chosen.textContent];
    order.sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === undefined || y === undefined) return (x === undefined) - (y === undefined); // without a figure: last
      return sign * (x - y);
    });
  }
  for (const row of order) row.parentElement.append(row); // each within its section
}

function select(row, scroll = true) {
  current?.classList.remove("current");
  current = row;
  row.classList.add("current");
  if (scroll) row.scrollIntoView({ block: "nearest" });
  if (viewer.open) fillViewer();
}

function fillViewer() {
  const own = current.querySelectorAll("figure a");
  for (const [side, column] of sides()) {
    const target = link(current, column) ?? own[side === "before" ? 0 : 1] ?? own[0]; // a photo may lack a column
    const image = viewer.querySelector(`.${side}`);
    image.removeAttribute("src"); // never the previous photo under this one's name
    image.src = target.getAttribute("href");
  }
  viewer.querySelector("output").textContent = current.dataset.name;
}

function move(step) {
  const all = rows();
  const place = current ? all.indexOf(current) + step : 0;
  if (all[place]) select(all[place]);
}

function enlarge(row) {
  select(row, false);
  fillViewer();
  viewer.showModal();
}

document.addEventListener("input", (event) => {
  if (event.target.type === "range") showPosition(event.target);
});
document.addEventListener("pointerup", (event) => {
  if (event.target.type === "range") event.target.blur(); // give left and right back to the photos
});
controls?.addEventListener("change", (event) => {
  const { name } = event.target;
  if (name === "column") showColumns();
  else if (name === "before" || name === "after") showSides();
  else sortRows();
});
photos.addEventListener("click", (event) => {
  const row = event.target.closest("article");
  if (!row) return;
  const picture = event.target.closest("figure a");
  if (picture && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
    event.preventDefault();
    enlarge(row);
  } else select(row, false);
});
viewer.querySelector(".before").addEventListener("load", ({ target }) => {
  // min-width and max-height together would press a tall picture out of shape
  target.style.setProperty("--natural", `${target.naturalWidth}px`);
  target.style.setProperty("--ratio", target.naturalWidth / target.naturalHeight);
});
viewer.addEventListener("click", (event) => {
  if (event.target === viewer || event.target.value === "0") viewer.close();
  else if (event.target.tagName === "BUTTON") move(Number(event.target.value));
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("select, [type=range]")) return; // these have their own use for the arrows
  if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    move(event.key === "ArrowRight" ? 1 : -1);
    event.preventDefault();
  } else if (event.key === "Enter" && current && !viewer.open && event.target.matches("body, article")) {
    event.preventDefault(); // or the button that gets the focus is pressed by the same key
    enlarge(current);
  }
});
// A form restored by the browser must not disagree with the page.
controls?.reset();
