// Everything that takes long, away from the page: reading photos, running the networks, rendering at full size.
import { backgroundOf } from "./deciding.js";
import { isDisplayP3, withMetadata } from "./containers.js";
import { Photo } from "./decoding.js";
import { guidedCoefficients } from "./guided.js";
import { Networks } from "./networks.js";
import { evenRadii } from "./radii.js";
import { Renderer } from "./renderer.js";
import { planes } from "./sampling.js";

const PREVIEW = 1024; // longer side in pixels
const TILE = 1024; // side of what is rendered at a time

let described = null;
let networks = null;
let renderer = null;

async function decide(preview, full, seen, report) {
  const photo = planes(preview.pixels, preview.width, preview.height);
  const weights = await weightsOf(photo, full, seen, report);
  const model = described.generator;
  if (!weights) return nobody(model, photo, full);
  const coefficients = guidedCoefficients(Networks.guide(photo, weights), weights, model.guide_radius, model.guide_eps);
  const background = backgroundOf(photo, coefficients, model, { width: full[0], height: full[1] });
  const radii = described.radius ? await networks.radii(photo, inRange(weights, model.focus_range), full) : null;
  return { coefficients, background, prior: priorOf(weights), radii, found: true };
}

// The plane in focus of some weights, stretched from its range to [0,1].
function inRange({ width, height, data }, [low, high]) {
  const stretched = (value) => Math.min(Math.max((value - low) / (high - low), 0), 1);
  return { width, height, data: data.subarray(0, width * height).map(stretched) };
}

// A GPU that gives up, as where its memory ends or its driver is reset, is not asked again.
async function weightsOf(photo, full, seen, report) {
  try {
    return await networks.weights(photo, full, seen);
  } catch (error) {
    if (networks.backend !== "webgpu") throw error;
    networks = await Networks.onCpu(described, report, error.message);
    report("Looking for the subject");
    return networks.weights(photo, full, seen);
  }
}

// A photo in which nobody was found: all is in focus until the user says otherwise.
function nobody(model, photo, [width, height]) {
  const layers = model.radii.length + 1;
  const data = new Float32Array(4 * layers);
  data[3] = 1;
  const coefficients = { width: 1, height: 1, layers, data };
  const prior = [0, 1, 2, 3].map((k) => (k > 0 && k < layers ? 1 / (layers - 1) : 0));
  // Nobody stands anywhere: what is marked to be blurred is blurred alike.
  const radii = described.radius ? evenRadii(model.radii[Math.floor(model.radii.length / 2)]) : null;
  const background = backgroundOf(photo, coefficients, model, { width, height });
  return { coefficients, background, prior, radii, found: false };
}

// Mean weights of a photo's radii, of sum 1.
function priorOf({ width, height, data }) {
  const size = width * height;
  const sums = [0, 0, 0, 0];
  for (let c = 1; c < data.length / size; c++) for (let k = 0; k < size; k++) sums[c] += data[c * size + k];
  const total = sums.reduce((a, b) => a + b);
  return sums.map((sum) => sum / Math.max(total, 1e-9));
}

const actions = {
  async load({ studio, device }, report) {
    described = studio;
    networks = await Networks.load(described, device, report);
    return networks.device;
  },

  // Read a photo and decide, if that hasn't been done before, what is in focus.
  async open({ file, decision }, report) {
    report("Reading the photo");
    const photo = await Photo.read(file);
    const full = [photo.width, photo.height];
    const preview = photo.preview(PREVIEW);
    const seen = decision ? null : networks.seen(photo);
    photo.close();
    report("Looking for the subject");
    decision ??= await decide(preview, full, seen, report);
    return { preview, full, decision, isP3: isDisplayP3(photo.metadata.profile), device: networks.device };
  },

  async save({ file, decision, paint, settings, type, quality }, report) {
    const photo = await Photo.read(file);
    const full = [photo.width, photo.height];
    const canvas = new OffscreenCanvas(...full);
    const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    // Made once, since shaders take long, and again if the driver has been reset.
    if (!renderer || renderer.gl.isContextLost()) renderer = new Renderer(new OffscreenCanvas(1, 1), described.generator);
    try {
      renderer.setDecision(decision);
      renderer.setPaint(paint, paint && photo.preview(PREVIEW));
      const tiles = tilesOf(...full);
      for (const [number, tile] of tiles.entries()) {
        report("Rendering at full size", number / tiles.length);
        const [left, top, right, bottom] = renderer.needed(tile, settings, full);
        if (Math.max(right - left, bottom - top) > renderer.largest) {
          throw new Error("This aperture is too wide for the graphics memory at full size; choose a smaller one.");
        }
        const [width, height] = [right - left, bottom - top];
        renderer.setPart(width, height, photo.pixels(left, top, width, height), [left, top], full);
        renderer.render(settings, tile);
        const image = new ImageData(renderer.pixels(), tile[2] - tile[0]);
        context.putImageData(image, tile[0], tile[1]);
      }
    } finally {
      renderer.release();
      photo.close();
    }
    report("Writing the file", 1);
    const blob = await canvas.convertToBlob({ type, quality });
    canvas.width = canvas.height = 1;
    return { blob: await withMetadata(blob, photo.metadata) };
  },
};

function tilesOf(width, height) {
  const tiles = [];
  for (let top = 0; top < height; top += TILE) {
    for (let left = 0; left < width; left += TILE) {
      tiles.push([left, top, Math.min(left + TILE, width), Math.min(top + TILE, height)]);
    }
  }
  return tiles;
}

// One after the other: photos and networks take much memory.
let queue = Promise.resolve();
self.onmessage = ({ data: { id, action, ...request } }) => {
  const report = (text, share = null) => self.postMessage({ id, progress: { text, share } });
  queue = queue.then(async () => {
    try {
      self.postMessage({ id, result: await actions[action](request, report) });
    } catch (error) {
      self.postMessage({ id, error: error.message ?? String(error) });
    }
  });
};
