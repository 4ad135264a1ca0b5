// Alpha and what lies behind the subject, from what the networks say of it.
// The same formulas and numbers as in util/matting/mattes.py and models/lens/matting.py of the project; pictures as in
// sampling.js.
import { connected, softness, sureParts, withoutIslands } from "./band.js";
import { Behind } from "./behind.js";
import { Enlarging } from "./enlarging.js";
import { dilated } from "./regions.js";
import { aliased, area, clip, covered, planes, roundHalfEven } from "./sampling.js";
import { solveAlpha } from "./solving.js";

const SIDE = 1600; // longer side at which alpha is solved; larger photos get their edges by a guided filter from there
const LOW = 0.1, HIGH = 0.95; // alpha between these becomes 0 to 1: what colours tell has a haze where they are alike

// Width and height at which the alpha of a photo of `full` pixels is solved.
export function solvedSize(full) {
  const scale = Math.min(1, SIDE / Math.max(...full));
  return full.map((side) => Math.max(1, roundHalfEven(side * scale)));
}

// Alpha as a plane, of `photo`, RGBA of 8 bits in its solved size. `inFocus`: the plane in [0,1] that the network decided;
// `mask`: the one that it was told, or null.
export function alphaOf(photo, inFocus, mask, report) {
  const { width, height } = photo;
  const prior = withoutIslands(toldPrior(inFocus, mask, width, height));
  const sure = sureParts(prior);
  // Nobody is surely there: that is all that is known.
  if (!sure.foreground.some(Boolean)) return prior;
  const alpha = solveAlpha(planes(photo.pixels, width, height), prior, sure, report);
  const stretched = alpha.map((value) => clip((value - LOW) / (HIGH - LOW)));
  return { width, height, data: connected(stretched, sure.foreground, width, height) };
}

// What alpha starts from: what the network decided or, where it was told a mask, that with the mask's detail.
export function toldPrior(inFocus, mask, width, height) {
  const enlarged = (plane) => aliased(plane, width, height);
  if (!mask) return enlarged(inFocus);
  const coarse = area(mask, inFocus.width, inFocus.height);
  const fine = mask.width < width ? enlarged(mask) : area(mask, width, height);
  // People are many pixels wider to it than they are: a mask is believed as far as its own edges are sharp.
  const reach = roundHalfEven((softness(fine) * inFocus.height) / height);
  const widest = dilated(coarse.data, coarse.width, coarse.height, reach);
  const decided = enlarged({ ...inFocus, data: inFocus.data.map((value, k) => Math.min(value, widest[k])) });
  const base = enlarged(coarse);
  return { width, height, data: decided.data.map((value, k) => clip(value + fine.data[k] - base.data[k])) };
}

// What the renderer needs of a photo's parts besides their pixels: see `Behind`.
export class Matte {
  // `preview`: the photo small, `solved`: it in the size of `alpha`, both RGBA of 8 bits; the latter null where no part is
  // larger.
  constructor(preview, solved, alpha) {
    this.alpha = alpha;
    const { width, height } = preview;
    this.behind = new Behind(planes(preview.pixels, width, height), covered(alpha, width, height));
    this.enlarging = solved && new Enlarging(planes(solved.pixels, alpha.width, alpha.height), alpha);
  }

  part(part, from, full) {
    const alpha = this.enlarging ? this.enlarging.part(part, from, full) : cut(this.alpha, part, from);
    return this.behind.part(part, alpha, from, full);
  }
}

function cut({ width, data }, part, [left, top]) {
  const out = new Float32Array(part.width * part.height);
  for (let y = 0; y < part.height; y++) {
    const start = (top + y) * width + left;
    out.set(data.subarray(start, start + part.width), y * part.width);
  }
  return out;
}
