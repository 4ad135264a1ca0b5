// What the user marks: two planes over the preview, red keeps sharp, green blurs, 8 bits each, and their history.
import { applied, guidedCoefficients } from "./deciding.js";
import { area } from "./sampling.js";

const STEPS = 12; // that can be undone
const SPOT_SIDE = 192; // shorter side at which a spot finds the edges around it
const SPOT_RADIUS = 6;
const SPOT_EPS = 2e-3;

export class Painting {
  constructor(width, height) {
    Object.assign(this, { width, height, pixels: new Uint8Array(2 * width * height), history: [], undone: [] });
  }

  get isEmpty() {
    return !this.pixels.some((value) => value);
  }

  // Call before each stroke.
  remember() {
    this.history.push(this.pixels.slice());
    if (this.history.length > STEPS) this.history.shift();
    this.undone = [];
  }

  undo() {
    this.exchange(this.history, this.undone);
  }

  redo() {
    this.exchange(this.undone, this.history);
  }

  exchange(from, to) {
    if (!from.length) return;
    to.push(this.pixels);
    this.pixels = from.pop();
  }

  // What came before can't be undone any more.
  forget() {
    this.history = [];
    this.undone = [];
  }

  clear() {
    this.remember();
    this.pixels = new Uint8Array(this.pixels.length);
  }

  // `plane`: 0 keeps sharp, 1 blurs; what one marks the other lets go.
  mark(index, value, plane) {
    const at = 2 * index + plane;
    const other = 2 * index + 1 - plane;
    if (value > this.pixels[at]) this.pixels[at] = value;
    if (255 - value < this.pixels[other]) this.pixels[other] = 255 - value;
  }

  // A stroke from one place to another, pixels of the preview; the rim is soft over a quarter of the radius.
  stroke([x0, y0], [x1, y1], radius, plane) {
    const [left, right] = [Math.min(x0, x1) - radius, Math.max(x0, x1) + radius];
    const [top, bottom] = [Math.min(y0, y1) - radius, Math.max(y0, y1) + radius];
    const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
    for (let y = Math.max(0, Math.floor(top)); y <= Math.min(this.height - 1, bottom); y++) {
      for (let x = Math.max(0, Math.floor(left)); x <= Math.min(this.width - 1, right); x++) {
        const t = length ? Math.min(1, Math.max(0, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length)) : 0;
        const distance = Math.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0));
        const value = Math.round(255 * Math.min(1, Math.max(0, (radius - distance) / (radius / 4))));
        if (value) this.mark(y * this.width + x, value, plane);
      }
    }
  }

  // A spot that is kept sharp and ends at the edges that `photo`, planes in [0,1] of the preview, has nearby.
  spot([x, y], radius, photo) {
    const scale = Math.min(1, SPOT_SIDE / Math.min(this.width, this.height));
    const [width, height] = [this.width, this.height].map((side) => Math.max(1, Math.round(side * scale)));
    const small = area(photo, width, height);
    const guide = { width, height, data: small.data.map((value) => 2 * value - 1) };
    const disc = new Float32Array(width * height);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const distance = Math.hypot((column + 0.5) / scale - x, (row + 0.5) / scale - y);
        disc[row * width + column] = Math.min(1, Math.max(0, (radius - distance) / (radius / 4)));
      }
    }
    const coefficients = guidedCoefficients(guide, { width, height, data: disc }, SPOT_RADIUS, SPOT_EPS);
    applied(coefficients, photo).forEach((value, index) => {
      // From a quarter to three quarters: the filter leaves a trace of the disc everywhere.
      const marked = Math.round(255 * Math.min(1, Math.max(0, 2 * value - 0.5)));
      if (marked) this.mark(index, marked, 0);
    });
  }
}
