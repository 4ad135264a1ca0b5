// What the user marks: two planes over the preview, red keeps sharp, green blurs, 8 bits each, and their history.
import { rough, Stroke } from "./stroke.js";

const STEPS = 12; // that can be undone

export class Painting {
  constructor(width, height) {
    Object.assign(this, { width, height, pixels: new Uint8Array(2 * width * height), history: [], undone: [], current: null });
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
    // Nobody undoes a stroke while it is drawn and goes on drawing it.
    this.current = null;
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

  // By a share in [0,1]; what one plane marks the other lets go.
  mark(index, share) {
    const value = Math.round(255 * share);
    const at = 2 * index + this.plane;
    const other = 2 * index + 1 - this.plane;
    if (value > this.pixels[at]) this.pixels[at] = value;
    if (255 - value < this.pixels[other]) this.pixels[other] = 255 - value;
  }

  // A stroke of that radius begins. `plane`: 0 keeps sharp, 1 blurs.
  begin(radius, plane) {
    this.remember();
    this.plane = plane;
    this.current = new Stroke(this.width, this.height, radius);
  }

  // It goes from one place to another, and is shown as it is drawn.
  stroke(from, to) {
    if (!this.current) return;
    const { left, top, right, bottom } = this.current.add(from, to);
    for (let y = top; y < bottom; y++) {
      for (let k = y * this.width + left; k < y * this.width + right; k++) this.mark(k, rough(this.current.nearness[k]));
    }
  }

  // It ends, and finds the edges of `photo`, planes in [0,1] of the preview.
  end(photo) {
    if (!this.current) return;
    this.pixels = this.history.at(-1).slice();
    const { left, top, width, height, data } = this.current.settled(photo);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) this.mark((top + y) * this.width + left + x, data[y * width + x]);
    }
    this.current = null;
  }
}
