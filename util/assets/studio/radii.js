// How much a lens would blur each place of a photo, as its radius network says.
// The same formulas as in models/lens/radius.py, util/optics/levels.py and varying.py of the project; pictures as in
// sampling.js.
import { area, roundHalfEven } from "./sampling.js";

const EDGE = 0.1; // share of subject from which a place of the map shows its sharpness
const LEAST_FAR = 0.5; // pixels: below this radius the network knows no far from near
const REACH = 1.5; // how many places away a level still counts
// Radii, in pixels, of the copies that a blur is mixed of: as fine as the eye needs.
const KNOTS = Array.from({ length: 16 }, (_, step) => 0.75 * 1.4 ** step);

// What the network looks at: the photo, planes in [0,1], and the subject's plane, as four in [-1,1], the shorter side of
// `side` pixels. The photo has `full` pixels.
export function lookAt(photo, subject, side, full) {
  const scale = side / Math.min(...full);
  const [width, height] = full.map((length) => Math.max(1, roundHalfEven(length * scale)));
  const data = new Float32Array(4 * width * height);
  data.set(area(photo, width, height).data);
  data.set(area(subject, width, height).data, 3 * width * height);
  return { width, height, data: data.map((value) => 2 * value - 1) };
}

// Radii, in pixels where the photo's shorter side is the model's reference side, of what the network says of a look: the
// planes of levels and of the logarithms of their expected errors, {width, height, data}. All grow alike where the largest
// is below `farthest`.
export function radiiOf(said, subject, farthest) {
  const { width, height } = said;
  const size = width * height;
  const mask = area(subject, width, height).data;
  const levels = settled(said.data.subarray(0, size), said.data.subarray(size, 2 * size), mask, width);
  const data = beforeFeet(behind(levels, mask, width, height), mask, width, height)
    .map((level) => 2 ** Math.max(level, 0) - 1);
  const opened = Math.max(farthest / Math.max(largestOf(data), LEAST_FAR), 1);
  return withLargest({ width, height, data: data.map((radius) => radius * opened) });
}

// One radius for all.
export const evenRadii = (radius) => withLargest({ width: 1, height: 1, data: new Float32Array([radius]) });

const withLargest = (map) => ({ ...map, largest: largestOf(map.data) });

const largestOf = (data) => data.reduce((a, b) => Math.max(a, b), 0);

// Levels of uncertain places drawn to the mean of their row's background.
function settled(levels, logScales, mask, width) {
  const out = new Float32Array(levels.length);
  const certainty = logScales.map((logScale) => Math.exp(-Math.exp(logScale)));
  for (let row = 0; row < levels.length; row += width) {
    let sum = 0, total = 0;
    for (let k = row; k < row + width; k++) {
      const weight = certainty[k] * (1 - mask[k]) + 1e-6;
      sum += weight * Math.max(levels[k], 0);
      total += weight;
    }
    for (let k = row; k < row + width; k++) {
      out[k] = certainty[k] * Math.max(levels[k], 0) + (1 - certainty[k]) * (sum / total);
    }
  }
  return out;
}

// The subject and its edge get the levels of the background beside them, in the same row.
function behind(levels, mask, width, height) {
  const isSubject = (x, y) => x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x] > EDGE;
  const around = [-1, 0, 1];
  const edge = mask.map((_, k) =>
    Number(around.some((y) => around.some((x) => isSubject((k % width) + x, Math.floor(k / width) + y)))));
  return levels.map((level, k) => {
    if (!edge[k]) return level;
    const row = k - (k % width);
    let sum = 0, total = 0;
    for (let j = row; j < row + width; j++) {
      const weight = (1 - edge[j] + 1e-6) * Math.exp(-Math.abs(j - k) / REACH);
      sum += weight * levels[j];
      total += weight;
    }
    return sum / total;
  });
}

// Ground before the feet is at least as soft as the sharpest place as far behind them, and softer with each row.
function beforeFeet(levels, mask, width, height) {
  const rows = Array.from({ length: height }, (_, y) => [y * width, (y + 1) * width]);
  const first = 1 + rows.findLastIndex(([start, end]) => mask.subarray(start, end).some((share) => share > 0.5));
  const out = levels.slice();
  // Nobody has feet in a photo without a subject.
  if (!first) return out;
  let least = 0;
  for (let y = first; y < height; y++) {
    const [start, end] = rows[Math.max(2 * first - 1 - y, 0)];
    least = Math.max(least, levels.subarray(start, end).reduce((a, b) => Math.min(a, b)));
    for (let k = y * width; k < (y + 1) * width; k++) out[k] = Math.max(out[k], least);
  }
  return out;
}

// Radii, ascending, of the copies that a blur of up to `largest` pixels is mixed of.
export function knots(largest) {
  return [...KNOTS.filter((knot) => knot < largest), Math.max(largest, KNOTS[0])];
}

// The smallest box [left, top, right, bottom] of a photo of `full` pixels outside of which no radius, times `scale`, lies
// between `inner` and `beyond`; null if there is none. Radii are enlarged bilinearly: between two places lie all between.
export function boxOf({ width, height, data }, scale, inner, beyond, full) {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let least = Infinity, most = -Infinity;
      for (let j = Math.max(0, y - 1); j <= Math.min(height - 1, y + 1); j++) {
        for (let i = Math.max(0, x - 1); i <= Math.min(width - 1, x + 1); i++) {
          least = Math.min(least, scale * data[j * width + i]);
          most = Math.max(most, scale * data[j * width + i]);
        }
      }
      if (most <= inner || least >= beyond) continue;
      [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
    }
  }
  if (right < 0) return null;
  return [(left / width) * full[0], (top / height) * full[1], ((right + 1) / width) * full[0], ((bottom + 1) / height) * full[1]]
    .map((place, k) => (k < 2 ? Math.floor(place) : Math.ceil(place)));
}
