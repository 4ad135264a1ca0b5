// The page: photos come in, controls change how they are rendered, results are saved.
import { AreaShrinker, planes } from "./sampling.js";
import { softening } from "./deciding.js";
import { Painting } from "./painting.js";
import { Renderer } from "./renderer.js";
import { Engine } from "./engine.js";
import { Pointer } from "./pointer.js";

const $ = (id) => document.getElementById(id);
const QUALITY = 0.95;
const SLOW = 80; // milliseconds for a draft, above which it gets smaller
const REST = 200; // milliseconds without a change, after which it is drawn in full

const engine = new Engine((text, share) => {
  $("status").textContent = text;
  $("progress").hidden = false;
  if (share === null) $("progress").removeAttribute("value");
  else $("progress").value = share;
});
let model = null;
let renderer = null;
const photos = [];
let current = null; // the photo that is shown
let opened = null; // its preview
let split = 0.5;
let holding = false;
let frame = 0;
let rest = 0;
let shown = null; // which of the preview's sizes the renderer holds
let draftLevel = 0;

// --- settings ---

const chosen = (name) => document.querySelector(`input[name=${name}]:checked`).value;

function settings() {
  return {
    aperture: Number($("aperture").value),
    pupil: { blades: Number($("blades").value), rotation: Number($("rotation").value), curvature: 0 },
    markedOnly: chosen("focus") === "marked",
    blurSoft: $("blur-soft").checked,
  };
}

function showSettings() {
  $("aperture-value").textContent = Number($("aperture").value).toFixed(2);
  $("rotation-value").textContent = `${$("rotation").value}°`;
  $("size-value").textContent = `${Number($("size").value)}%`;
  $("turning").hidden = $("blades").value === "0";
  if (!current?.decision) return;
  const share = softening(current.decision.background, model, Number($("aperture").value));
  $("soft").hidden = share >= 0.995;
  $("soft-text").textContent = share > 0
    ? `This background is rather soft already; it gets ${Math.round(100 * share)}% of the blur.`
    : "This background is soft already, and is left as it is.";
}

// --- showing ---

function present() {
  renderer.present(holding ? 1 : split, chosen("tool") === "compare" ? ($("show-focus").checked ? 2 : 0) : 1);
}

// Render at one of the preview's sizes.
function draw(level, draft) {
  const { width, height, pixels } = opened.levels[level];
  if (level !== shown) renderer.setPart(width, height, pixels);
  shown = level;
  renderer.render({ ...settings(), draft });
  present();
}

function drawDraft() {
  frame = 0;
  const start = performance.now();
  draw(draftLevel, true);
  renderer.finish();
  const took = performance.now() - start;
  // The size follows what the machine can do.
  if (took > SLOW) draftLevel = Math.min(draftLevel + 1, opened.levels.length - 1);
  else if (took < SLOW / 8) draftLevel = Math.max(0, draftLevel - 1);
}

// What changes is drawn at once as a draft, and in full when it comes to rest.
function redraw() {
  showSettings();
  if (!opened) return;
  frame ||= requestAnimationFrame(drawDraft);
  clearTimeout(rest);
  rest = setTimeout(drawFull, REST);
}

function drawFull() {
  cancelAnimationFrame(frame);
  clearTimeout(rest);
  frame = 0;
  draw(0, false);
  document.body.dataset.drawn = Number(document.body.dataset.drawn ?? 0) + 1;
}

function painted() {
  renderer.setPaint(current.painting.width, current.painting.height, current.painting.pixels);
  $("undo").disabled = !current.painting.history.length;
  $("clear").disabled = current.painting.isEmpty;
  redraw();
}

function fail(message) {
  $("error").textContent = message;
  $("error").hidden = false;
}

function done(text) {
  $("status").textContent = text;
  $("progress").hidden = true;
}

async function show(photo) {
  $("error").hidden = true;
  try {
    const result = await engine.ask("open", { file: photo.file, decision: photo.decision });
    Object.assign(photo, { decision: result.decision, full: result.full, found: result.decision.found });
    current = photo;
    const { width, height, pixels } = result.preview;
    opened = { width, height, photo: planes(pixels, width, height), levels: levelsOf(result.preview) };
    const view = $("view");
    view.width = width;
    view.height = height;
    view.style.aspectRatio = `${width} / ${height}`;
    $("frame").style.setProperty("--aspect", width / height);
    renderer.setColours(result.isP3);
    renderer.setDecision(photo.decision);
    shown = null;
    photo.painting ??= new Painting(width, height);
    $("empty").hidden = true;
    $("frame").hidden = $("controls").hidden = false;
    painted();
    drawFull();
    thumbnail(photo, result.preview);
    done(photo.found ? `${photo.file.name}, ${photo.full.join(" x ")}` : `${photo.file.name}: nobody was found in it. Mark what to keep sharp, and choose "Only on what I mark".`);
  } catch (error) {
    photo.broken = true;
    fail(error.message);
    done("");
  }
  list();
}

// The preview, and half and a quarter of it for drafts.
function levelsOf(preview) {
  const levels = [preview];
  for (const part of [2, 4]) {
    const [width, height] = [preview.width, preview.height].map((side) => Math.max(1, Math.round(side / part)));
    const shrinker = new AreaShrinker(preview.width, preview.height, width, height);
    shrinker.add(preview.pixels, 0);
    levels.push({ width, height, pixels: shrinker.result() });
  }
  return levels;
}

// --- several photos ---

function thumbnail(photo, { width, height, pixels }) {
  if (photo.thumbnail) return;
  const image = new ImageData(pixels, width, height);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  canvas.getContext("2d").putImageData(image, 0, 0);
  const small = document.createElement("canvas");
  small.height = 96;
  small.width = Math.max(1, Math.round((96 * width) / height));
  small.getContext("2d").drawImage(canvas, 0, 0, small.width, small.height);
  photo.thumbnail = small;
}

function list() {
  $("strip").hidden = $("save-all").hidden = photos.length < 2;
  $("strip").replaceChildren(...photos.map((photo) => {
    const button = document.createElement("button");
    button.type = "button";
    button.disabled = Boolean(photo.broken);
    button.setAttribute("aria-current", photo === current);
    button.title = button.ariaLabel = photo.file.name;
    button.append(photo.thumbnail ?? photo.file.name);
    button.onclick = () => show(photo);
    return button;
  }));
}

async function add(files) {
  const added = [...files].map((file) => ({ file }));
  photos.push(...added);
  list();
  // The first good one of the new photos is shown; the others wait until they are asked for.
  for (const photo of added) {
    await show(photo);
    if (!photo.broken) break;
  }
}

function step(by) {
  const good = photos.filter((photo) => !photo.broken);
  if (good.length) show(good[(good.indexOf(current) + by + good.length) % good.length]);
}

// --- saving ---

async function save(photo) {
  const type = $("format").value;
  const { decision } = photo;
  const { width, height, pixels } = photo.painting;
  const { blob } = await engine.ask("save",
    { file: photo.file, decision, paint: { width, height, pixels }, settings: settings(), type, quality: QUALITY });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${photo.file.name.replace(/\.[^.]*$/, "")}_soft.${type === "image/png" ? "png" : "jpg"}`;
  link.click();
  // The browser reads it after the click; a minute is plenty.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return link.download;
}

async function saving(work) {
  for (const id of ["save", "save-all"]) $(id).disabled = true;
  $("error").hidden = true;
  try {
    done(`saved ${await work()}`);
  } catch (error) {
    fail(error.message);
    done("");
  }
  for (const id of ["save", "save-all"]) $(id).disabled = false;
}

async function saveAll() {
  for (const photo of photos) {
    if (!photo.decision && !photo.broken) await show(photo);
    if (!photo.broken) await save(photo);
  }
  return `${photos.filter((photo) => !photo.broken).length} photos`;
}

// --- events ---

for (const id of ["aperture", "blades", "rotation", "blur-soft", "show-focus", "size"]) $(id).addEventListener("input", redraw);
for (const name of ["focus", "tool"]) {
  document.querySelectorAll(`input[name=${name}]`).forEach((input) => input.addEventListener("change", redraw));
}
$("controls").addEventListener("submit", (event) => event.preventDefault());
$("choose").onclick = $("more").onclick = () => $("files").click();
$("files").onchange = () => {
  add($("files").files);
  $("files").value = "";
};
$("save").onclick = () => saving(() => save(current));
$("save-all").onclick = () => saving(saveAll);
$("undo").onclick = () => { current.painting.undo(); painted(); };
$("clear").onclick = () => { current.painting.clear(); painted(); };
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dropping"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  add(event.dataTransfer.files);
});
document.addEventListener("paste", (event) => event.clipboardData.files.length && add(event.clipboardData.files));

new Pointer($("view"), $("cursor"), {
  tool: () => chosen("tool"),
  radius: () => (Number($("size").value) / 100) * Math.max(opened.width, opened.height) / 2,
  size: () => opened,
  split: (share) => { split = share; redraw(); },
  splitBy: (by) => { split = Math.min(1, Math.max(0, split + by)); redraw(); },
  begin: () => current.painting.remember(),
  stroke: (from, to, radius, plane) => { current.painting.stroke(from, to, radius, plane); painted(); },
  spot: (at, radius) => { current.painting.spot(at, radius, opened.photo); painted(); },
});

const keys = {
  "[": () => { $("size").stepDown(); redraw(); },
  "]": () => { $("size").stepUp(); redraw(); },
  u: () => $("undo").click(),
  s: () => $("save").click(),
  n: () => step(1),
  p: () => step(-1),
  b: () => { holding = true; redraw(); },
};
document.addEventListener("keydown", (event) => {
  if (!opened || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select")) return;
  const tool = document.querySelectorAll("input[name=tool]")[Number(event.key) - 1];
  if (tool) {
    tool.checked = true;
    redraw();
  } else keys[event.key]?.();
});
document.addEventListener("keyup", (event) => {
  if (event.key !== "b") return;
  holding = false;
  redraw();
});

// --- start ---

async function start() {
  $("from-disk").hidden = true;
  $("choose").disabled = true;
  try {
    const response = await fetch("studio.json");
    if (!response.ok) throw new Error("studio.json is missing; build the studio again.");
    const studio = await response.json();
    model = studio.generator;
    renderer = new Renderer($("view"), model);
    const device = new URLSearchParams(location.search).get("device") ?? "auto";
    const licences = [studio.segmenter?.license, studio.runtime].filter(Boolean).join("; ");
    $("licenses").textContent = `Inside: ${licences}.`;
    $("choose").disabled = false;
    const { backend, threads } = await engine.ask("load", { studio, device });
    $("device").textContent = backend === "webgpu" ? "runs on the GPU (WebGPU)" : `runs on the CPU, ${threads} thread${threads > 1 ? "s" : ""}`;
    if (!photos.length) done("ready");
  } catch (error) {
    fail(error.message);
    done("");
  }
}

start();
