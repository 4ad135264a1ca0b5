// From what the network says to what is in focus: the guided filter's coefficients and how soft the background is.
// The same formulas as in util/guided_filter.py and models/lens/generator.py of the project; pictures as in sampling.js.
import { area, roundHalfEven } from "./sampling.js";

const LUMA = [0.299, 0.587, 0.114];
const OUTLINE = 8;

// Mean over windows of 2 * radius + 1 pixels each way, cut at the border.
function boxMean(plane, width, height, radius) {
  const half = new Float64Array(plane.length);
  const out = new Float64Array(plane.length);
  const means = (from, to, lines, lineStep, length, step) => {
    for (let line = 0; line < lines; line++) {
      const base = line * lineStep;
      let sum = 0;
      for (let i = 0; i < Math.min(radius, length); i++) sum += from[base + i * step];
      for (let i = 0; i < length; i++) {
        if (i + radius < length) sum += from[base + (i + radius) * step];
        if (i - radius - 1 >= 0) sum -= from[base + (i - radius - 1) * step];
        to[base + i * step] = sum / (Math.min(i + radius, length - 1) - Math.max(i - radius, 0) + 1);
      }
    }
  };
  means(plane, half, width, 1, height, width);
  means(half, out, height, width, width, 1);
  return out;
}

// Coefficients of He et al. 2013, equation 19: for each of the target's planes four floats a pixel, three of the guide and
// the constant. `guide` has three planes in [-1,1].
export function guidedCoefficients(guide, target, radius, eps) {
  const { width, height } = guide;
  const size = width * height;
  const mean = (plane) => boxMean(plane, width, height, radius);
  const product = (a, b) => Float64Array.from(a, (value, i) => value * b[i]);
  const planesOf = (picture) =>
    Array.from({ length: picture.data.length / size }, (_, c) => picture.data.subarray(c * size, (c + 1) * size));
  const channels = planesOf(guide);
  const means = channels.map(mean);
  const variance = (i, j) => mean(product(channels[i], channels[j])).map((value, k) => value - means[i][k] * means[j][k]);
  const [rr, rg, rb, gg, gb, bb] = [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]].map(([i, j]) => variance(i, j));
  const layers = planesOf(target).map((plane) => {
    const targetMean = mean(plane);
    const [cr, cg, cb] = channels.map((channel, c) =>
      mean(product(channel, plane)).map((value, k) => value - means[c][k] * targetMean[k]));
    const raw = [0, 1, 2, 3].map(() => new Float64Array(size));
    for (let k = 0; k < size; k++) {
      const [a, b, c, d, e, f] = [rr[k] + eps, rg[k], rb[k], gg[k] + eps, gb[k], bb[k] + eps];
      const [A, B, C] = [d * f - e * e, c * e - b * f, b * e - c * d];
      const [D, E, F] = [a * f - c * c, b * c - a * e, a * d - b * b];
      const determinant = a * A + b * B + c * C;
      raw[0][k] = (A * cr[k] + B * cg[k] + C * cb[k]) / determinant;
      raw[1][k] = (B * cr[k] + D * cg[k] + E * cb[k]) / determinant;
      raw[2][k] = (C * cr[k] + E * cg[k] + F * cb[k]) / determinant;
      raw[3][k] = targetMean[k] - raw[0][k] * means[0][k] - raw[1][k] * means[1][k] - raw[2][k] * means[2][k];
    }
    return raw.map(mean);
  });
  const data = new Float32Array(layers.length * size * 4);
  layers.forEach((layer, l) => {
    for (let k = 0; k < size; k++) for (let c = 0; c < 4; c++) data[(l * size + k) * 4 + c] = layer[c][k];
  });
  return { width, height, layers: layers.length, data };
}

// The first layer of the target at each pixel of `picture`, planes in [0,1]: coefficients enlarged, applied and clipped.
export function applied(coefficients, picture) {
  const { width, height, data } = coefficients;
  const size = picture.width * picture.height;
  const out = new Float32Array(size);
  const places = (length, small) =>
    Array.from({ length }, (_, i) => {
      const at = Math.max(0, (i + 0.5) * (small / length) - 0.5);
      const low = Math.min(Math.floor(at), small - 1);
      return [low, Math.min(low + 1, small - 1), at - low];
    });
  const columns = places(picture.width, width);
  places(picture.height, height).forEach(([top, bottom, down], y) => {
    columns.forEach(([left, right, across], x) => {
      const k = y * picture.width + x;
      let sum = 0;
      for (let c = 0; c < 4; c++) {
        const at = (row, column) => data[(row * width + column) * 4 + c];
        const above = at(top, left) * (1 - across) + at(top, right) * across;
        const below = at(bottom, left) * (1 - across) + at(bottom, right) * across;
        sum += (above * (1 - down) + below * down) * (c < 3 ? 2 * picture.data[c * size + k] - 1 : 1);
      }
      out[k] = Math.min(Math.max(sum, 0), 1);
    });
  });
  return out;
}

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
