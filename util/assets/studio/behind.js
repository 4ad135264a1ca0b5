// What lies behind the subject in mixed pixels: blur fusion (Forte 2021, Approximate Fast Foreground Colour Estimation).
// The same formulas and numbers as in util/matting/colors.py of the project; pictures as in sampling.js.
import { places } from "./enlarging.js";
import { clip, roundHalfEven } from "./sampling.js";

const PASSES = [1 / 12, 1 / 160]; // widths of the two passes, of the longer side: the first reaches over the band
const OPAQUE = 0.98; // alpha from which a pixel shows too little of what lies behind
const LEAST = 1e-5;

export class Behind {
  // `small`: planes in [0,1] of a copy of the photo, `alpha` its plane.
  constructor(small, alpha) {
    const { width, height } = alpha;
    const size = width * height;
    this.size = { width, height };
    const colours = [0, 1, 2].map((c) => small.data.subarray(c * size, (c + 1) * size));
    const shares = [alpha.data, alpha.data.map((share) => 1 - share)];
    // The subject's planes, and those of what lies behind.
    this.sides = [colours, colours];
    for (const pass of PASSES) {
      const reach = Math.max(1, roundHalfEven(Math.max(width, height) * pass));
      const mean = (plane) => blurred(plane, width, height, reach);
      const totals = shares.map(mean);
      const [front, back] = this.sides.map((planes, side) => planes.map((plane) => {
        const weighted = mean(plane.map((value, k) => value * shares[side][k]));
        return weighted.map((value, k) => value / (totals[side][k] + LEAST));
      }));
      const asked = (plane, c) => plane.map((value, k) => corrected(colours[c][k], alpha.data[k], value, back[c][k]));
      this.sides = [front.map(asked), back.map((plane) => plane.map(clip))];
    }
  }

  // A part of the photo, of `full` pixels, that begins at `left` and `top`, RGBA of 8 bits, with its alpha: RGBA of what
  // lies behind, A the share of the subject.
  part({ pixels, width, height }, alpha, [left, top], full) {
    const { size, sides } = this;
    const out = pixels.slice();
    const [columns, rows] = [places(left, width, full[0], size.width), places(top, height, full[1], size.height)];
    for (let k = 0; k < alpha.length; k++) {
      const a = alpha[k];
      out[4 * k + 3] = 255 * a;
      if (a <= 0 || a >= 1) continue;
      const x = k % width, y = (k - x) / width;
      for (let c = 0; c < 3; c++) {
        const [front, back] = sides.map((planes) => enlarged(planes[c], size.width, rows[y], columns[x]));
        const seen = pixels[4 * k + c] / 255;
        const behind = (seen - a * corrected(seen, a, front, back)) / Math.max(1 - a, 1 - OPAQUE);
        out[4 * k + c] = 255 * behind;
      }
    }
    return out;
  }
}

// The subject's colour in a pixel that is `seen`: what it asks to change of a guess (equation 7).
const corrected = (seen, a, front, back) => clip(front + a * (seen - a * front - (1 - a) * back));

function enlarged(plane, width, row, column) {
  const line = (y) => plane[y * width + column.first] * (1 - column.share) + plane[y * width + column.second] * column.share;
  return line(row.first) * (1 - row.share) + line(row.second) * row.share;
}

// Mean over windows of 2 * reach + 1 pixels each way; beyond the border lies what a mirror in the middle of the outermost
// pixels shows.
function blurred(plane, width, height, reach) {
  const along = (from, lines, lineStep, length, step) => {
    const out = new Float32Array(from.length);
    const mirrored = Int32Array.from({ length: length + 2 * reach }, (_, i) => mirror(i - reach, length) * step);
    for (let line = 0; line < lines; line++) {
      const base = line * lineStep;
      let sum = 0;
      for (let i = 0; i < 2 * reach; i++) sum += from[base + mirrored[i]];
      for (let i = 0; i < length; i++) {
        sum += from[base + mirrored[i + 2 * reach]];
        out[base + i * step] = sum / (2 * reach + 1);
        sum -= from[base + mirrored[i]];
      }
    }
    return out;
  };
  return along(along(plane, height, width, width, 1), width, 1, height, width);
}

function mirror(i, length) {
  if (length === 1) return 0;
  const at = Math.abs(i) % (2 * length - 2);
  return Math.min(at, 2 * length - 2 - at);
}
