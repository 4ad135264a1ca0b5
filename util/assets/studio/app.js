// The page: photos come in, controls change how they are rendered, results are saved.
import { Album } from "./album.js";
import { softening } from "./deciding.js";
import { Engine } from "./engine.js";
import { Painting } from "./painting.js";
import { Pointer } from "./pointer.js";
import { FOCUS, NOTHING, PAINT, Preview } from "./preview.js";

const QUALITY = 0.95;
const $ = (id) => document.getElementById(id);
const chosen = (name) => document.querySelector(`input[name=${name}]:checked`).value;

const engine = new Engine(working);
const album = new Album($("strip"), (photo) => {
  begin();
  show(photo);
});
let model = null;
let preview = null;
let latest = null; // the photo that was asked for last

// --- what the page says ---

function working(text, share) {
  $("status").textContent = text;
  $("progress").hidden = false;
  if (share === null) $("progress").removeAttribute("value");
  else $("progress").value = share;
}

function done(text) {
  $("status").textContent = text;
  $("progress").hidden = true;
}

function fail(message) {
  $("error").textContent = message;
  $("error").hidden = false;
  $("progress").hidden = true;
}

// What was wrong before is over.
function begin() {
  $("error").hidden = true;
}

// Where the networks run.
function showDevice({ backend, threads, trouble }) {
  const onCpu = `runs on the CPU, ${threads} thread${threads > 1 ? "s" : ""}`;
  $("device").textContent = backend === "webgpu" ? "runs on the GPU (WebGPU)" : onCpu;
  if (trouble) $("device").textContent += `; not by WebGPU: ${trouble}`;
}

function showSettings() {
  $("aperture-value").textContent = `${Number($("aperture").value).toFixed(2)} ×`;
  $("rotation-value").textContent = `${$("rotation").value}°`;
  $("size-value").textContent = `${$("size").value}%`;
  document.querySelectorAll(".tag, #handle").forEach((part) => { part.hidden = shows() === PAINT; });
  // Keys show the brush's ring too, and take no pointer away afterwards.
  if (shows() !== PAINT) $("cursor").hidden = true;
  $("turning").hidden = $("blades").value === "0";
  const { decision, painting } = album.current ?? {};
  if (!decision) return;
  $("undo").disabled = !painting.history.length;
  $("redo").disabled = !painting.undone.length;
  $("clear").disabled = painting.isEmpty;
  const percent = Math.round(100 * softening(decision.background, model, Number($("aperture").value)));
  $("soft").hidden = percent === 100;
  $("soft-text").textContent = percent
    ? `This background is rather soft already; it gets ${percent}% of the blur.`
    : "This background is soft already, and is left as it is.";
}

// --- what was chosen ---

function settings() {
  return {
    aperture: Number($("aperture").value),
    pupil: { blades: Number($("blades").value), rotation: Number($("rotation").value), curvature: 0 },
    markedOnly: chosen("focus") === "marked",
    blurSoft: $("blur-soft").checked,
  };
}

function changed() {
  showSettings();
  preview?.changed();
}

function painted() {
  preview.paint(album.current.painting);
  changed();
}

// --- opening ---

async function show(photo) {
  latest = photo;
  try {
    const result = await engine.ask("open", { file: photo.file, decision: photo.decision });
    Object.assign(photo, { decision: result.decision, full: result.full });
    showDevice(result.device);
    // Another one was asked for in the meantime.
    if (latest !== photo) return;
    const { width, height } = result.preview;
    $("view").style.aspectRatio = `${width} / ${height}`;
    $("frame").style.setProperty("--aspect", width / height);
    $("empty").hidden = true;
    $("frame").hidden = $("controls").hidden = false;
    photo.painting ??= new Painting(width, height);
    album.enter(photo, result.preview);
    preview.open(result.preview, photo.decision, result.isP3);
    preview.paint(photo.painting);
    changed();
    done(photo.decision.found
      ? `${photo.file.name}, ${photo.full.join(" x ")}`
      : `${photo.file.name}: nobody was found in it, so all is sharp. Choose "Only on what I mark" and mark what is to stay.`);
  } catch (error) {
    photo.broken = true;
    album.list();
    done("");
    fail(error.message);
  }
  $("save-all").hidden = album.good.length < 2;
}

async function add(files) {
  await started;
  begin();
  // The first good one of the new photos is shown; the others wait until they are asked for.
  for (const photo of album.add(files)) {
    await show(photo);
    if (!photo.broken) break;
  }
}

// --- saving ---

async function save(photo) {
  const type = $("format").value;
  if (!photo.decision) await show(photo);
  const { width, height, pixels, isEmpty } = photo.painting;
  const paint = isEmpty ? null : { width, height, pixels };
  const request = { file: photo.file, decision: photo.decision, paint, settings: settings(), type };
  const { blob } = await engine.ask("save", { ...request, quality: QUALITY });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${photo.file.name.replace(/\.[^.]*$/, "")}_soft.${type === "image/png" ? "png" : "jpg"}`;
  link.click();
  // The browser reads it after the click; a minute is plenty.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return link.download;
}

async function saving(photos) {
  for (const id of ["save", "save-all"]) $(id).disabled = true;
  begin();
  const names = [];
  try {
    for (const photo of photos) {
      if (!photo.decision || !photo.painting) await show(photo);
      if (!photo.broken) names.push(await save(photo));
    }
    done(`saved ${names.length > 1 ? `${names.length} photos` : names[0]}`);
  } catch (error) {
    fail(error.message);
  }
  for (const id of ["save", "save-all"]) $(id).disabled = false;
}

// --- events ---

// Sliders as they were at first.
function putBack(ids) {
  for (const id of ids) $(id).value = $(id).defaultValue;
  changed();
}

function listen() {
  for (const id of ["aperture", "blades", "rotation", "blur-soft", "show-focus", "size"]) $(id).addEventListener("input", changed);
  document.querySelectorAll("input[type=radio]").forEach((input) => input.addEventListener("change", changed));
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("reset").onclick = () => {
    $("blades").value = "0";
    $("blur-soft").checked = false;
    putBack(["aperture", "rotation"]);
  };
  for (const id of ["aperture", "rotation", "size"]) $(id).addEventListener("dblclick", () => putBack([id]));
  $("choose").onclick = $("more").onclick = () => $("files").click();
  $("files").onchange = () => {
    add([...$("files").files]);
    $("files").value = "";
  };
  $("save").onclick = () => saving([album.current]);
  $("save-all").onclick = () => saving(album.good);
  $("undo").onclick = () => { album.current.painting.undo(); painted(); };
  $("redo").onclick = () => { album.current.painting.redo(); painted(); };
  $("clear").onclick = () => { album.current.painting.clear(); painted(); };
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dropping"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    if (event.dataTransfer.files.length) add([...event.dataTransfer.files]);
  });
  document.addEventListener("paste", (event) => event.clipboardData.files.length && add([...event.clipboardData.files]));
  $("view").addEventListener("webglcontextlost", () => fail("The graphics driver has been reset. Reload the page."));
}

function listenToKeys() {
  const hold = (value) => {
    preview.holding = value;
    preview.moved();
  };
  const keys = {
    "[": () => { $("size").stepDown(); changed(); },
    "]": () => { $("size").stepUp(); changed(); },
    u: () => $("undo").click(),
    r: () => $("redo").click(),
    s: () => $("save").click(),
    n: () => show(album.beside(1)),
    p: () => show(album.beside(-1)),
    b: () => hold(true),
  };
  document.addEventListener("keydown", (event) => {
    if (!album.current) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      $(event.shiftKey ? "redo" : "undo").click();
      event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select")) return;
    const tool = document.querySelectorAll("input[name=tool]")[Number(event.key) - 1];
    if (tool) {
      tool.checked = true;
      changed();
    } else keys[event.key]?.();
  });
  document.addEventListener("keyup", (event) => event.key === "b" && album.current && hold(false));
}

function listenToPointer() {
  const moveTo = (share) => {
    preview.split = Math.min(1, Math.max(0, share));
    preview.moved();
    $("handle").style.left = `${100 * preview.split}%`;
    $("view").ariaValueNow = Math.round(100 * preview.split);
  };
  new Pointer($("view"), $("cursor"), {
    tool: () => chosen("tool"),
    radius: () => (Number($("size").value) / 200) * Math.max(preview.size.width, preview.size.height),
    size: () => preview.size,
    split: moveTo,
    splitBy: (by) => moveTo(preview.split + by),
    begin: (radius, plane) => album.current.painting.begin(radius, plane),
    stroke: (from, to) => { album.current.painting.stroke(from, to); painted(); },
    end: () => { album.current.painting.end(preview.photo); painted(); },
  });
}

// --- start ---

function shows() {
  if (chosen("tool") !== "compare") return PAINT;
  return $("show-focus").checked ? FOCUS : NOTHING;
}

async function start() {
  const stage = new ResizeObserver(() => document.documentElement.style.setProperty("--stage", `${$("stage").offsetHeight}px`));
  stage.observe($("stage"));
  $("from-disk").hidden = true;
  listen();
  try {
    const response = await fetch("studio.json");
    if (!response.ok) throw new Error("studio.json is missing; build the studio again.");
    const studio = await response.json();
    model = studio.generator;
    // Tests wait for this number to rise.
    const onDrawn = () => { document.body.dataset.drawn = Number(document.body.dataset.drawn ?? 0) + 1; };
    preview = new Preview($("view"), model, { settings, shows, onDrawn });
    listenToKeys();
    listenToPointer();
    $("licenses").textContent = `Inside: ${[studio.segmenter?.license, studio.runtime].filter(Boolean).join("; ")}.`;
    const device = new URLSearchParams(location.search).get("device") ?? "auto";
    showDevice(await engine.ask("load", { studio, device }));
    done("ready");
  } catch (error) {
    fail(error.message);
    // Whoever waits for the start waits for ever: nothing works without it.
    await new Promise(() => {});
  }
}

const started = start();
