// Alpha in a band by the matting Laplacian, from a small copy of the photo to the whole.
// The same formulas and numbers as in util/matting/solve.py of the project; pictures as in sampling.js.
import { Band } from "./laplacian.js";
import { where } from "./regions.js";
import { aliased, covered } from "./sampling.js";

const HOLD = 0.02; // how much a pixel in the band holds on to the mask; a window's wish counts 1
const TOLERANCE = 1e-3; // of the equations, relative
const FIRST_STEPS = 200, STEPS = 60; // of conjugate gradients, at most: on the smallest copy, and on each larger one
const SMALLEST = 128; // shorter side of the smallest copy
const OFTEN = 5; // steps between two reports

// A plane: 1 in `foreground`, 0 in `background`, both regions, and between them as the colours of `photo`, planes in
// [0,1], mix; where they tell nothing, as the mask. `report(share)`: how far it is, in [0,1].
export function solveAlpha(photo, mask, { foreground, background }, report) {
  const { width, height } = mask;
  let start = mask.data, steps = FIRST_STEPS, before = 0;
  if (Math.min(width, height) >= 2 * SMALLEST) {
    // Half as wide and half as high: a quarter of the work lies before this copy's.
    before = 0.25;
    const small = halfSize(photo, mask, foreground, background, (share) => report(before * share));
    [start, steps] = [aliased(small, width, height).data, STEPS];
  }
  const alpha = new Float32Array(foreground);
  const unknown = foreground.map((is, k) => !(is | background[k]));
  if (!unknown.some(Boolean)) return alpha;
  const band = new Band(photo, unknown);
  const known = band.gathered(alpha.map((value, k) => (unknown[k] ? start[k] : value)));
  const found = descended(band, known, band.gathered(mask.data), steps, (share) => report(before + (1 - before) * share));
  const { places, rows } = band;
  for (const row of rows) alpha[places[row - 2]] = Math.min(Math.max(found[row], 0), 1);
  return alpha;
}

function halfSize(photo, mask, foreground, background, report) {
  const { width, height } = mask;
  const [small, smallMask, ...parts] = [photo, mask, ...[foreground, background].map((data) => ({ width, height, data }))]
    .map((picture) => covered(picture, width >> 1, height >> 1));
  [foreground, background] = parts.map(({ data }) => where(data, (share) => share > 0.99));
  return { ...smallMask, data: solveAlpha(small, smallMask, { foreground, background }, report) };
}

// The vector `start`, all that is known and a guess of the rest, with the rest as the band's equations and the mask ask:
// by conjugate gradients with Jacobi's scaling.
export function descended(band, start, mask, steps, report = () => {}) {
  const { rows } = band;
  const count = rows.length;
  const vector = () => new Float64Array(count);
  const scaling = band.diagonal.map((value) => 1 / (value + HOLD));
  const alpha = start.slice(), guessless = start.slice(), direction = new Float64Array(start.length);
  for (const row of rows) guessless[row] = 0;
  const change = band.times(guessless, vector());
  const asked = change.map((value, k) => HOLD * mask[rows[k]] - value);
  const limit = TOLERANCE * Math.sqrt(product(asked, asked));
  band.times(alpha, change);
  const rest = change.map((value, k) => HOLD * (mask[rows[k]] - alpha[rows[k]]) - value);
  const scaled = vector();
  let before = Infinity;
  for (let step = 0; step < steps; step++) {
    if (step % OFTEN === 0) report(step / steps);
    if (Math.sqrt(product(rest, rest)) <= limit) break;
    for (let k = 0; k < count; k++) scaled[k] = scaling[k] * rest[k];
    const now = product(rest, scaled);
    for (let k = 0; k < count; k++) direction[rows[k]] = direction[rows[k]] * (now / before) + scaled[k];
    band.times(direction, change);
    let along = 0;
    for (let k = 0; k < count; k++) {
      change[k] += HOLD * direction[rows[k]];
      along += direction[rows[k]] * change[k];
    }
    const length = now / along;
    for (let k = 0; k < count; k++) {
      alpha[rows[k]] += length * direction[rows[k]];
      rest[k] -= length * change[k];
    }
    before = now;
  }
  return alpha;
}

function product(a, b) {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}
