// How soft a photo's background is already, and how much of the blur it still needs.
// The same formulas as in models/lens/softening.py of the project; pictures as in sampling.js.
import { dilated } from "./regions.js";
import { area, roundHalfEven } from "./sampling.js";

const LUMA = [0.299, 0.587, 0.114];
const OUTLINE = 8;

// What `softening` needs of a photo, found once: at 256 pixels the length of luma's gradient and the share of background.
export function backgroundOf(picture, alpha, model, full) {
  const scale = Math.min(1, model.reference_side / Math.min(...full));
  const [width, height] = full.map((side) => Math.max(1, roundHalfEven(side * scale)));
  const small = area(picture, width, height);
  const size = width * height;
  const luma = new Float32Array(size);
  LUMA.forEach((share, c) => {
    for (let k = 0; k < size; k++) luma[k] += share * small.data[c * size + k];
  });
  const subject = dilated(area(alpha, width, height).data, width, height, OUTLINE);
  return { gradient: gradientOf(luma, width, height), share: subject.map((value) => 1 - value) };
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

// How much of the blur the background still needs, in [0,1]; 1 for all.
export function softening(background, model, aperture) {
  const [low, high] = model.soft_range.map((bound) => bound / Math.max(aperture, 1));
  if (high <= 0) return 1;
  const { gradient, share } = background;
  let sum = 0, total = 0;
  for (let k = 0; k < share.length; k++) {
    sum += gradient[k] * share[k];
    total += share[k];
  }
  if (total <= 0) return 1;
  const mean = Math.max(sum / Math.max(total, 1e-6), 1e-6);
  return Math.min(Math.max(Math.log(mean / low) / Math.log(high / low), 0), 1);
}
