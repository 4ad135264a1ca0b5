// Alpha of a small copy carried to parts of a large photo by the fast guided filter.
// The same formulas and numbers as in util/matting/enlarging.py of the project; pictures as in sampling.js.
import { solved } from "./guided.js";
import { dilated, eroded } from "./regions.js";

const RADIUS = 2, EPS = 1e-6;

export class Enlarging {
  // `small`: planes in [0,1] of the copy, `alpha` its plane.
  constructor(small, alpha) {
    const { width, height, data } = alpha;
    this.size = { width, height };
    [this.low, this.high] = [eroded(data, width, height, RADIUS), dilated(data, width, height, RADIUS)];
    const vague = Uint8Array.from(this.low, (low, k) => Number(low < this.high[k]));
    this.fit(small, data, dilated(vague, width, height, 1));
  }

  // The averaged a and b of equation 19 of He et al. 2013 in the pixels that are `wanted`.
  fit({ width, height, data }, alpha, wanted) {
    const windows = dilated(wanted, width, height, RADIUS);
    // Numbers from 1 on; all other pixels have 0, whose four factors are 0.
    this.numbers = new Int32Array(wanted.length);
    let count = 0;
    windows.forEach((is, k) => { if (is) this.numbers[k] = ++count; });
    const fitted = new Float32Array(4 * (count + 1));
    this.factors = new Float32Array(4 * (count + 1));
    const around = (k, visit) => {
      const x = k % width, y = (k - x) / width;
      for (let j = Math.max(0, y - RADIUS); j <= Math.min(height - 1, y + RADIUS); j++) {
        for (let i = Math.max(0, x - RADIUS); i <= Math.min(width - 1, x + RADIUS); i++) visit(j * width + i);
      }
    };
    const window = new Window(data, alpha, width * height);
    this.numbers.forEach((number, k) => {
      if (!number) return;
      window.clear();
      around(k, window.add);
      window.solve(fitted, 4 * number);
    });
    wanted.forEach((is, k) => {
      if (!is) return;
      const at = 4 * this.numbers[k];
      let total = 0;
      around(k, (near) => {
        const from = 4 * this.numbers[near];
        for (let c = 0; c < 4; c++) this.factors[at + c] += fitted[from + c];
        total++;
      });
      for (let c = 0; c < 4; c++) this.factors[at + c] /= total;
    });
  }

  // Alpha of the part of a photo, of `full` pixels, that begins at `left` and `top`: RGBA of 8 bits.
  part({ pixels, width, height }, [left, top], full) {
    const { low, high, numbers, factors, size } = this;
    const out = new Float32Array(width * height);
    const [columns, rows] = [places(left, width, full[0], size.width), places(top, height, full[1], size.height)];
    rows.forEach((row, y) => {
      columns.forEach((column, x) => {
        const near = row.nearest * size.width + column.nearest;
        const k = y * width + x;
        out[k] = low[near];
        if (low[near] === high[near]) return;
        let value = 0;
        for (const [line, down] of [[row.first, 1 - row.share], [row.second, row.share]]) {
          for (const [place, across] of [[column.first, 1 - column.share], [column.second, column.share]]) {
            const at = 4 * numbers[line * size.width + place];
            const fit = factors[at] * pixels[4 * k] + factors[at + 1] * pixels[4 * k + 1] + factors[at + 2] * pixels[4 * k + 2];
            value += down * across * (fit / 255 + factors[at + 3]);
          }
        }
        out[k] = Math.min(Math.max(value, low[near]), high[near]);
      });
    });
    return out;
  }
}

// Of `count` pixels in a row, from `start` on of `full`, those of `length` between which each lies, and the nearest.
export function places(start, count, full, length) {
  return Array.from({ length: count }, (_, i) => {
    const at = Math.min(Math.max((start + i + 0.5) * (length / full) - 0.5, 0), length - 1);
    const first = Math.floor(at);
    const nearest = Math.floor(((start + i) * length) / full);
    return { first, second: Math.min(first + 1, length - 1), share: at - first, nearest };
  });
}

// A window of pixels in which alpha is fitted by a linear function of the colours.
class Window {
  constructor(data, alpha, size) {
    this.sums = new Float64Array(14);
    // 1, the colours, alpha; products of the colours, and of each with alpha.
    this.add = (k) => {
      const { sums } = this;
      const [r, g, b, a] = [data[k], data[size + k], data[2 * size + k], alpha[k]];
      sums[0]++;
      sums[1] += r; sums[2] += g; sums[3] += b; sums[4] += a;
      sums[5] += r * r; sums[6] += r * g; sums[7] += r * b; sums[8] += g * g; sums[9] += g * b; sums[10] += b * b;
      sums[11] += r * a; sums[12] += g * a; sums[13] += b * a;
    };
  }

  clear() {
    this.sums.fill(0);
  }

  // Three factors and the constant, into `out` from `at` on.
  solve(out, at) {
    const [count, ...sums] = this.sums;
    const [r, g, b, a, rr, rg, rb, gg, gb, bb, ra, ga, ba] = sums.map((sum) => sum / count);
    const found = solved(
      [rr - r * r + EPS, rg - r * g, rb - r * b, gg - g * g + EPS, gb - g * b, bb - b * b + EPS],
      [ra - r * a, ga - g * a, ba - b * a]);
    out.set(found, at);
    out[at + 3] = a - found[0] * r - found[1] * g - found[2] * b;
  }
}
