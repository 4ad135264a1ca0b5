// Pictures at other sizes, as PyTorch and Pillow make them. A picture is {width, height, data}: planes of Float32, one
// after the other, as many as data.length says.

// A value in [0,1].
export const clip = (value) => Math.min(Math.max(value, 0), 1);

// Halves go to the even number, as Python's round does: sizes must be those that test.py finds.
export function roundHalfEven(value) {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 ? floor + 1 : floor;
}

// [start, end) of the pixels that output pixel i covers: torch's adaptive_avg_pool2d, which is interpolate's "area".
function areaTaps(from, to) {
  return Array.from({ length: to }, (_, i) => {
    const start = Math.floor((i * from) / to);
    const end = Math.ceil(((i + 1) * from) / to);
    return { start, weights: new Float32Array(end - start).fill(1 / (end - start)) };
  });
}

// What each output pixel covers of the input's, parts of pixels by their share: OpenCV's INTER_AREA where it shrinks.
function coveredTaps(from, to) {
  const scale = from / to;
  return Array.from({ length: to }, (_, i) => {
    const [low, high] = [i * scale, Math.min((i + 1) * scale, from)];
    const start = Math.floor(low);
    const weights = new Float32Array(Math.ceil(high - 1e-6) - start);
    return { start, weights: weights.map((_, j) => (Math.min(start + j + 1, high) - Math.max(start + j, low)) / scale) };
  });
}

// Triangles as wide as an output pixel, or an input pixel if that is wider: antialiased bilinear interpolation.
function triangleTaps(from, to) {
  const scale = from / to;
  const support = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const centre = scale * (i + 0.5);
    const start = Math.max(Math.trunc(centre - support + 0.5), 0);
    const end = Math.min(Math.trunc(centre + support + 0.5), from);
    const weights = new Float32Array(end - start);
    let sum = 0;
    for (let j = 0; j < weights.length; j++) {
      weights[j] = Math.max(0, 1 - Math.abs((j + start - centre + 0.5) / support));
      sum += weights[j];
    }
    return { start, weights: weights.map((weight) => weight / sum) };
  });
}

// The two nearest pixels, however much it shrinks: bilinear interpolation as TensorFlow's ResizeBilinear has it.
function nearestTaps(from, to) {
  return Array.from({ length: to }, (_, i) => {
    const at = Math.max((i + 0.5) * (from / to) - 0.5, 0);
    const start = Math.min(Math.floor(at), from - 1);
    const weights = start + 1 < from ? [1 - (at - start), at - start] : [1];
    return { start, weights: Float32Array.from(weights) };
  });
}

function along(data, taps, lines, lineStep, step, out, outLineStep, outStep) {
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < taps.length; i++) {
      const { start, weights } = taps[i];
      let sum = 0;
      let at = line * lineStep + start * step;
      for (let j = 0; j < weights.length; j++, at += step) sum += weights[j] * data[at];
      out[line * outLineStep + i * outStep] = sum;
    }
  }
}

function resized(picture, width, height, tapsOf) {
  if (width === picture.width && height === picture.height) return picture;
  const channels = picture.data.length / (picture.width * picture.height);
  const data = new Float32Array(channels * width * height);
  const columns = tapsOf(picture.width, width);
  const rows = tapsOf(picture.height, height);
  const half = new Float32Array(picture.height * width);
  for (let c = 0; c < channels; c++) {
    const plane = picture.data.subarray(c * picture.width * picture.height, (c + 1) * picture.width * picture.height);
    along(plane, columns, picture.height, picture.width, 1, half, width, 1);
    along(half, rows, width, 1, width, data.subarray(c * width * height), 1, width);
  }
  return { width, height, data };
}

// Each pixel the mean of those it covers.
export const area = (picture, width, height) => resized(picture, width, height, areaTaps);

// Each pixel the mean of what it covers, parts of pixels too.
export const covered = (picture, width, height) => resized(picture, width, height, coveredTaps);

// Bilinear, antialiased where it shrinks.
export const bilinear = (picture, width, height) => resized(picture, width, height, triangleTaps);

// Bilinear, with the detail between its pixels left in.
export const aliased = (picture, width, height) => resized(picture, width, height, nearestTaps);

// A photo as RGBA rows, many or few at a time, made smaller: photos of any size in little memory.
class Shrinker {
  constructor(fromWidth, fromHeight, width, height, tapsOf) {
    Object.assign(this, { fromWidth, fromHeight, width, height });
    this.columns = tapsOf(fromWidth, width);
    this.rows = tapsOf(fromHeight, height);
    this.sums = new Float32Array(width * height * 4);
    this.row = new Float32Array(width * 4);
    this.first = 0;
  }

  // `rgba`: rows `top` and following, of the photo's width.
  add(rgba, top) {
    const count = rgba.length / (4 * this.fromWidth);
    for (let r = 0; r < count; r++) {
      this.shrinkRow(rgba, r * this.fromWidth);
      const y = top + r;
      while (this.rows[this.first].start + this.rows[this.first].weights.length <= y) this.first++;
      for (let i = this.first; i < this.height && this.rows[i].start <= y; i++) {
        const weight = this.rows[i].weights[y - this.rows[i].start];
        const at = i * this.width * 4;
        for (let x = 0; x < this.row.length; x++) this.sums[at + x] += weight * this.row[x];
      }
    }
  }

  shrinkRow(rgba, offset) {
    for (let x = 0; x < this.width; x++) {
      const { start, weights } = this.columns[x];
      let red = 0, green = 0, blue = 0, alpha = 0;
      for (let j = 0, at = (offset + start) * 4; j < weights.length; j++, at += 4) {
        red += weights[j] * rgba[at];
        green += weights[j] * rgba[at + 1];
        blue += weights[j] * rgba[at + 2];
        alpha += weights[j] * rgba[at + 3];
      }
      this.row[4 * x] = red;
      this.row[4 * x + 1] = green;
      this.row[4 * x + 2] = blue;
      this.row[4 * x + 3] = alpha;
    }
  }

  // What has been added: RGBA of 8 bits.
  result() {
    return new Uint8ClampedArray(this.sums);
  }
}

export const areaShrinker = (...sizes) => new Shrinker(...sizes, areaTaps);
export const bilinearShrinker = (...sizes) => new Shrinker(...sizes, triangleTaps);
export const coveredShrinker = (...sizes) => new Shrinker(...sizes, coveredTaps);

// A preview {width, height, pixels}, RGBA of 8 bits, shrunk by areas.
export function shrunk(preview, width, height) {
  if (width === preview.width && height === preview.height) return preview;
  const shrinker = areaShrinker(preview.width, preview.height, width, height);
  shrinker.add(preview.pixels, 0);
  return { width, height, pixels: shrinker.result() };
}

// RGBA of 8 bits -> planes of R, G and B in [0,1].
export function planes(rgba, width, height) {
  const data = new Float32Array(3 * width * height);
  const size = width * height;
  for (let i = 0; i < size; i++) {
    for (let c = 0; c < 3; c++) data[c * size + i] = rgba[4 * i + c] / 255;
  }
  return { width, height, data };
}
