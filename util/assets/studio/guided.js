// The guided filter: a picture's edges for what is known of it at fewer pixels, or in part.
// The same formulas as in util/guided_filter.py of the project; pictures as in sampling.js.

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

const product = (a, b) => Float64Array.from(a, (value, i) => value * b[i]);

function planesOf({ width, height, data }) {
  const size = width * height;
  return Array.from({ length: data.length / size }, (_, c) => data.subarray(c * size, (c + 1) * size));
}

// The x of `A x = y` for a symmetric A of three rows: the first, and what the others have from their diagonal on.
export function solved([a, b, c, d, e, f], [x, y, z]) {
  const [A, B, C] = [d * f - e * e, c * e - b * f, b * e - c * d];
  const [D, E, F] = [a * f - c * c, b * c - a * e, a * d - b * b];
  const determinant = a * A + b * B + c * C;
  return [A * x + B * y + C * z, B * x + D * y + E * z, C * x + E * y + F * z].map((value) => value / determinant);
}

// Around each pixel of a guide, three planes in [-1,1], a window in which planes are fitted by linear functions of it.
export class Windows {
  // `known`: a plane in [0,1], by which pixels count; without it all do.
  constructor(guide, radius, eps, known = null) {
    const box = (plane) => boxMean(plane, guide.width, guide.height, radius);
    const counts = known && box(known).map((count) => Math.max(count, 1e-9));
    const mean = known ? (plane) => box(product(plane, known)).map((value, k) => value / counts[k]) : box;
    const channels = planesOf(guide);
    const means = channels.map(mean);
    const covariance = (i, j) => mean(product(channels[i], channels[j])).map((value, k) => value - means[i][k] * means[j][k]);
    const covariances = [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]].map(([i, j]) => covariance(i, j));
    Object.assign(this, { box, mean, channels, means, covariances, eps });
  }

  // He et al. 2013, equation 19: three factors of the guide's planes, the constant, and how much of the plane's variance
  // they explain, [0,1].
  fit(plane) {
    const { mean, means, eps } = this;
    const [rr, rg, rb, gg, gb, bb] = this.covariances;
    const planeMean = mean(plane);
    const planeVariance = mean(product(plane, plane)).map((value, k) => value - planeMean[k] ** 2);
    const [cr, cg, cb] = this.channels.map((channel, c) =>
      mean(product(channel, plane)).map((value, k) => value - means[c][k] * planeMean[k]));
    const fitted = Array.from({ length: 5 }, () => new Float64Array(plane.length));
    for (let k = 0; k < plane.length; k++) {
      const [red, green, blue] = solved(
        [rr[k] + eps, rg[k], rb[k], gg[k] + eps, gb[k], bb[k] + eps], [cr[k], cg[k], cb[k]]);
      fitted[0][k] = red;
      fitted[1][k] = green;
      fitted[2][k] = blue;
      fitted[3][k] = planeMean[k] - red * means[0][k] - green * means[1][k] - blue * means[2][k];
      fitted[4][k] = Math.max(0, red * cr[k] + green * cg[k] + blue * cb[k]) / Math.max(planeVariance[k], 1e-6);
    }
    return fitted;
  }
}

// Four floats a pixel for each of the target's planes, three factors of the guide's planes and the constant.
export function guidedCoefficients(guide, target, radius, eps) {
  const windows = new Windows(guide, radius, eps);
  return layered(guide, planesOf(target).map((plane) => windows.fit(plane).slice(0, 4).map(windows.mean)));
}

// Layers of four planes each as `applied` and the shaders take them: four floats a pixel, one layer after the other.
export function layered({ width, height }, layers) {
  const size = width * height;
  const data = new Float32Array(layers.length * size * 4);
  layers.forEach((layer, l) => {
    for (let k = 0; k < size; k++) for (let c = 0; c < 4; c++) data[(l * size + k) * 4 + c] = layer[c][k];
  });
  return { width, height, layers: layers.length, data };
}

// A layer of the target at each pixel of `picture`, planes in [0,1]: coefficients enlarged, applied and clipped.
export function applied(coefficients, picture, layer = 0) {
  const { width, height } = coefficients;
  const data = coefficients.data.subarray(4 * width * height * layer);
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
