// How soft a photo's background is already, and how much of the blur it still needs.
// The same formulas as in models/lens/softening.py of the project; pictures as in sampling.js.
import { applied } from "./guided.js";
import { area, roundHalfEven } from "./sampling.js";

const LUMA = [0.299, 0.587, 0.114];
const OUTLINE = 8;

// What `softening` needs of a photo, found once: at 256 pixels the length of luma's gradient and the in-focus weight.
export function backgroundOf(picture, coefficients, model, fullSize) {
  const scale = Math.min(1, model.reference_side / Math.min(fullSize.width, fullSize.height));
  const [width, height] = [fullSize.width, fullSize.height].map((side) => Math.max(1, roundHalfEven(side * scale)));
  const small = area(picture, width, height);
  const size = width * height;
  const luma = new Float32Array(size);
  LUMA.forEach((share, c) => {
    for (let k = 0; k < size; k++) luma[k] += share * small.data[c * size + k];
  });
  return { width, height, gradient: gradientOf(luma, width, height), focus: applied(coefficients, small) };
}

function gradientOf(luma, width, height) {
  const mirror = (i, length) => (length === 1 ? 0 : i < 0 ? -i : i >= length ? 2 * length - 2 - i : i);
  const out = new Float32Array(luma.length);
  for (let y = 0; y < height; y++) {
    const [up, here, down] = [y - 1, y, y + 1].map((row) => mirror(row, height) * width);
    for (let x = 0; x < width; x++) {
      const [left, right] = [mirror(x - 1, width), mirror(x + 1, width)];
      const across =
        luma[up + right] - luma[up + left] + 2 * (luma[here + right] - luma[here + left]) + luma[down + right] - luma[down + left];
      const along =
        luma[down + left] - luma[up + left] + 2 * (luma[down + x] - luma[up + x]) + luma[down + right] - luma[up + right];
      out[here + x] = Math.hypot(across, along) / 8;
    }
  }
  return out;
}

function grown(mask, width, height) {
  const largest = (from, lines, lineStep, length, step) => {
    const out = new Float32Array(from.length);
    for (let line = 0; line < lines; line++) {
      for (let i = 0; i < length; i++) {
        let most = 0;
        for (let j = Math.max(0, i - OUTLINE); j <= Math.min(length - 1, i + OUTLINE); j++) {
          most = Math.max(most, from[line * lineStep + j * step]);
        }
        out[line * lineStep + i * step] = most;
      }
    }
    return out;
  };
  return largest(largest(mask, height, width, width, 1), width, 1, height, width);
}

// The in-focus weight, stretched from `range` to [0,1]; more of it the wider the aperture.
function stretched(value, [low, high], aperture) {
  const sharp = Math.min(Math.max((value - low) / (high - low), 0), 1);
  return 1 - (1 - sharp) ** (Math.max(aperture, 1) ** 3);
}

// How much of the blur the background still needs, in [0,1]; 1 for all.
export function softening(background, model, aperture) {
  const [low, high] = model.soft_range.map((bound) => bound / Math.max(aperture, 1));
  if (high <= 0) return 1;
  const focus = background.focus.map((value) => stretched(value, model.focus_range, aperture));
  const subject = grown(focus, background.width, background.height);
  let sum = 0, total = 0;
  for (let k = 0; k < subject.length; k++) {
    sum += background.gradient[k] * (1 - subject[k]);
    total += 1 - subject[k];
  }
  if (total <= 0) return 1;
  const mean = Math.max(sum / Math.max(total, 1e-6), 1e-6);
  return Math.min(Math.max(Math.log(mean / low) / Math.log(high / low), 0), 1);
}
