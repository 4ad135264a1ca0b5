// Everything that takes long, away from the page: reading photos, running the networks, rendering at full size.
import { backgroundOf } from "./deciding.js";
import { isDisplayP3, withMetadata } from "./containers.js";
import { Photo } from "./decoding.js";
import { guidedCoefficients } from "./guided.js";
import { alphaOf, Matte, solvedSize } from "./matting.js";
import { Networks } from "./networks.js";
import { evenRadii } from "./radii.js";
import { Renderer } from "./renderer.js";
import { covered, planes } from "./sampling.js";

const PREVIEW = 1024; // longer side in pixels
const TILE = 1024; // side of what is rendered at a time

let described = null;
let networks = null;
let renderer = null;

// What is in focus, and how far out of it the rest is. `solved`: the photo in the size at which alpha is solved.
async function decide(preview, solved, full, seen, report) {
  const photo = planes(preview.pixels, preview.width, preview.height);
  const told = await weightsOf(photo, full, seen, report);
  const model = described.generator;
  if (!told) return nobody(model, photo, full);
  const { inFocus, blurred } = inRange(told.weights, model.focus_range);
  const alpha = alphaOf(solved, inFocus, told.mask, (share) => report("Finding the subject's edge", share));
  const coefficients = guidedCoefficients(Networks.guide(photo, blurred), blurred, model.guide_radius, model.guide_eps);
  const background = backgroundOf(photo, alpha, model, full);
  const radii = described.radius ? await networks.radii(photo, alpha, full) : null;
  return { coefficients, background, alpha, prior: priorOf(blurred), radii, found: true };
}

// The plane in focus of some weights, stretched from its range to [0,1], and the other planes as they are.
function inRange({ width, height, data }, [low, high]) {
  const stretched = (value) => Math.min(Math.max((value - low) / (high - low), 0), 1);
  const size = width * height;
  return {
    inFocus: { width, height, data: data.subarray(0, size).map(stretched) },
    blurred: { width, height, data: data.subarray(size) },
  };
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
function nobody(model, photo, full) {
  const layers = model.radii.length;
  const coefficients = { width: 1, height: 1, layers, data: new Float32Array(4 * layers) };
  const alpha = { width: 1, height: 1, data: new Float32Array([1]) };
  const prior = [0, 1, 2, 3].map((k) => (k > 0 && k <= layers ? 1 / layers : 0));
  // Nobody stands anywhere: what is marked to be blurred is blurred alike.
  const radii = described.radius ? evenRadii(model.radii[Math.floor(model.radii.length / 2)]) : null;
  return { coefficients, background: backgroundOf(photo, alpha, model, full), alpha, prior, radii, found: false };
}

// Mean weights of a photo's radii, of sum 1, behind the one in focus, which has none.
function priorOf({ width, height, data }) {
  const size = width * height;
  const sums = [0, 0, 0, 0];
  for (let c = 0; c < data.length / size; c++) for (let k = 0; k < size; k++) sums[c + 1] += data[c * size + k];
  const total = sums.reduce((a, b) => a + b);
  return sums.map((sum) => sum / Math.max(total, 1e-9));
}

// The mattes of parts of a photo, and its preview with its own.
function mattesOf(photo, preview, { alpha, found }) {
  // Of a part in which all is in focus the photo is the matte.
  if (!found) return { part: ({ pixels }) => pixels };
  const [width, height] = solvedSize([photo.width, photo.height]);
  const isWhole = width === photo.width && height === photo.height;
  return new Matte(preview, isWhole ? null : photo.covered(width, height), alpha);
}

function withMatte(preview, { alpha, found }) {
  const { width, height, pixels } = preview;
  const matte = found ? new Matte(preview, null, covered(alpha, width, height)).part(preview, [0, 0], [width, height]) : pixels;
  return { ...preview, matte };
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
    const solved = decision ? null : photo.covered(...solvedSize(full));
    photo.close();
    report("Looking for the subject");
    decision ??= await decide(preview, solved, full, seen, report);
    const isP3 = isDisplayP3(photo.metadata.profile);
    return { preview: withMatte(preview, decision), full, decision, isP3, device: networks.device };
  },

  async save({ file, decision, paint, settings, type, quality }, report) {
    report("Reading the photo");
    const photo = await Photo.read(file);
    const full = [photo.width, photo.height];
    const canvas = new OffscreenCanvas(...full);
    const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    // Made once, since shaders take long, and again if the driver has been reset.
    if (!renderer || renderer.gl.isContextLost()) renderer = new Renderer(new OffscreenCanvas(1, 1), described.generator);
    try {
      const preview = photo.preview(PREVIEW);
      const mattes = mattesOf(photo, preview, decision);
      renderer.setDecision(decision);
      renderer.setPaint(paint, preview);
      const tiles = tilesOf(...full);
      for (const [number, tile] of tiles.entries()) {
        report("Rendering at full size", number / tiles.length);
        const [left, top, right, bottom] = renderer.needed(tile, settings, full);
        if (Math.max(right - left, bottom - top) > renderer.largest) {
          throw new Error("This aperture is too wide for the graphics memory at full size; choose a smaller one.");
        }
        const part = photo.part(left, top, right - left, bottom - top);
        renderer.setPart({ ...part, matte: mattes.part(part, [left, top], full) }, [left, top], full);
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
