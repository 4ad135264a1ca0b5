// The matting Laplacian in a band (Levin, Lischinski, Weiss 2008, A Closed Form Solution to Natural Image Matting).
// The same formulas as in util/matting/laplacian.py of the project; pictures as in sampling.js.
import { dilated } from "./regions.js";

const EPSILON = 1e-5; // variance of a window's colours below which it counts as flat, times its nine pixels
const SIDE = 5, AROUND = SIDE * SIDE; // two pixels share a window of 3x3 if both lie in such a square around one of them

// Equations of the pixels in a band. A vector has a value for each pixel that they look at, in the order of rows, and two
// more before the first and behind the last: 0.
export class Band {
  // `unknown`: a region of `photo`, planes in [0,1].
  constructor(photo, unknown) {
    const { width, height } = photo;
    this.places = indicesOf(dilated(unknown, width, height, 2));
    this.length = this.places.length + 4;
    const numbers = new Int32Array(unknown.length);
    this.places.forEach((place, number) => { numbers[place] = number + 2; });
    const unknowns = indicesOf(unknown);
    this.rows = unknowns.map((place) => numbers[place]);
    this.runs = runsOf(unknowns, numbers, width, height);
    numbers.fill(-1);
    unknowns.forEach((place, row) => { numbers[place] = row; });
    this.weights = new Float32Array(AROUND * unknowns.length);
    this.addWindows(photo, dilated(unknown, width, height, 1), numbers);
  }

  // A plane's values as a vector.
  gathered(plane) {
    const vector = new Float64Array(this.length);
    this.places.forEach((place, number) => { vector[number + 2] = plane[place]; });
    return vector;
  }

  // Each window of 3x3 pixels around `centres` asks that alpha be a linear function of the colours (equation 12).
  addWindows({ width, height, data }, centres, rowOf) {
    const window = new WindowOfColours(data, width, width * height);
    const { weights } = this;
    const places = [-1, 0, 1].flatMap((y) => [-1, 0, 1].map((x) => y * width + x));
    const at = places.map((_, i) => SIDE * Math.floor(i / 3) + (i % 3));
    const offsets = Int32Array.from(places.flatMap((_, i) => at.map((to) => to - at[i] + (AROUND - 1) / 2)));
    for (let y = 1; y < height - 1; y++) {
      for (let x = 1; x < width - 1; x++) {
        const centre = y * width + x;
        if (!centres[centre]) continue;
        window.look(centre);
        for (let i = 0; i < 9; i++) {
          const row = rowOf[centre + places[i]];
          if (row < 0) continue;
          for (let j = 0; j < 9; j++) weights[AROUND * row + offsets[9 * i + j]] -= window.shared(i, j) - Number(i === j);
        }
      }
    }
  }

  // The Laplacian times a vector, one value for each unknown pixel, into `out`.
  times(vector, out) {
    const { weights, runs } = this;
    for (let row = 0, w = 0, r = 0; row < out.length; row++) {
      let sum = 0;
      for (let line = 0; line < SIDE; line++, w += SIDE) {
        const k = runs[r++];
        sum += weights[w] * vector[k] + weights[w + 1] * vector[k + 1] + weights[w + 2] * vector[k + 2]
          + weights[w + 3] * vector[k + 3] + weights[w + 4] * vector[k + 4];
      }
      out[row] = sum;
    }
    return out;
  }

  // Its entry between each unknown pixel and itself.
  get diagonal() {
    return new Float32Array(this.rows.length).map((_, row) => this.weights[AROUND * row + (AROUND - 1) / 2]);
  }
}

// The colours of 3x3 pixels, and what they make of two of them.
class WindowOfColours {
  constructor(data, width, size) {
    Object.assign(this, { data, width, size });
    // g of four parts for each pixel, with g_i g_j = (1 + d_i C^-1 d_j) / 9: C is the colours' covariance, d_i what the
    // i-th differs from their mean. With Cholesky's C = R R^T three parts are R^-1 d / 3, and the fourth is 1/3.
    this.leanings = new Float64Array(36).fill(1 / 3);
    this.rest = new Float64Array(9);
  }

  look(centre) {
    const { data, width, size, leanings: g, rest } = this;
    for (let c = 0; c < 3; c++) {
      let mean = 0;
      for (let i = 0, y = -width; y <= width; y += width) {
        for (let x = -1; x <= 1; x++, i++) mean += g[4 * i + c] = data[c * size + centre + y + x];
      }
      for (let i = 0; i < 9; i++) g[4 * i + c] -= mean / 9;
    }
    for (let a = 0; a < 3; a++) {
      for (let b = 0; b <= a; b++) {
        let sum = 0;
        for (let k = 0; k < 36; k += 4) sum += g[k + a] * g[k + b];
        rest[3 * a + b] = (sum + (a === b ? EPSILON : 0)) / 9;
      }
    }
    for (let k = 0; k < 3; k++) {
      const pivot = Math.sqrt(rest[4 * k]);
      for (let i = k; i < 36; i += 4) g[i] /= pivot;
      for (let a = k + 1; a < 3; a++) {
        const column = rest[3 * a + k] / pivot;
        for (let i = 0; i < 36; i += 4) g[i + a] -= column * g[i + k];
        for (let b = k + 1; b <= a; b++) rest[3 * a + b] -= (column * rest[3 * b + k]) / pivot;
      }
      for (let i = k; i < 36; i += 4) g[i] /= 3;
    }
  }

  shared(i, j) {
    const g = this.leanings;
    return g[4 * i] * g[4 * j] + g[4 * i + 1] * g[4 * j + 1] + g[4 * i + 2] * g[4 * j + 2] + 1 / 9;
  }
}

// Flat indices of a region's pixels.
function indicesOf(region) {
  const out = new Int32Array(region.length);
  let count = 0;
  for (let k = 0; k < region.length; k++) if (region[k]) out[count++] = k;
  return out.slice(0, count);
}

// For each unknown pixel the number of the first of five in each of the five rows around it: they follow one another.
// Beyond the photo these are others', whose weight is 0.
function runsOf(unknowns, numbers, width, height) {
  const runs = new Int32Array(SIDE * unknowns.length);
  unknowns.forEach((place, row) => {
    const x = place % width, y = (place - x) / width;
    for (let line = 0; line < SIDE; line++) {
      const at = Math.min(Math.max(y + line - 2, 0), height - 1);
      runs[SIDE * row + line] = numbers[at * width + Math.max(x - 2, 0)] + Math.min(x - 2, 0);
    }
  });
  return runs;
}
