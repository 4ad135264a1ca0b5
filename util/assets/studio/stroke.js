// One stroke of the brush. Its rim, two thirds of a radius inside the brush's ring and a little outside of it, follows the edges of
// the photo where there are some; elsewhere it is where the ring was. Places and radii are pixels of the preview.
import { applied, layered, Windows } from "./guided.js";
import { area } from "./sampling.js";

const WINDOW = 6; // the brush's radius, pixels, at the size at which edges are looked for
const EPS = 1e-3;

// Nearness: 1 where the brush's middle went, 0.5 at its ring, 0 at twice its radius.
const CORE = 0.85, RING = 0.5, OUTSIDE = 0.3; // what is meant for sure, the ring, and what is not meant for sure
const SOFT = 0.1; // nearness over which these give way
const SURE = [0.1, 0.3]; // of the variance between core and outside, how much colours explain: from there on edges decide

const ramp = (value, low, high) => Math.min(1, Math.max(0, (value - low) / (high - low)));

// A brush without edges is soft over a quarter of its radius.
export const rough = (nearness) => ramp(nearness, RING, RING + 0.125);

export class Stroke {
  constructor(width, height, radius) {
    Object.assign(this, { width, height, radius, nearness: new Float32Array(width * height) });
    Object.assign(this, { left: width, top: height, right: 0, bottom: 0 });
  }

  // From one place to another; returns the part that has changed.
  add([x0, y0], [x1, y1]) {
    const { width, height } = this;
    const reach = 2 * this.radius;
    const part = {
      left: Math.max(0, Math.floor(Math.min(x0, x1) - reach)), right: Math.min(width, Math.ceil(Math.max(x0, x1) + reach) + 1),
      top: Math.max(0, Math.floor(Math.min(y0, y1) - reach)), bottom: Math.min(height, Math.ceil(Math.max(y0, y1) + reach) + 1),
    };
    const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
    for (let y = part.top; y < part.bottom; y++) {
      for (let x = part.left; x < part.right; x++) {
        const [dx, dy] = [x + 0.5 - x0, y + 0.5 - y0];
        const t = length ? ramp(dx * (x1 - x0) + dy * (y1 - y0), 0, length) : 0;
        const near = 1 - Math.hypot(dx - t * (x1 - x0), dy - t * (y1 - y0)) / reach;
        const k = y * width + x;
        if (near > this.nearness[k]) this.nearness[k] = near;
      }
    }
    for (const side of ["left", "top"]) this[side] = Math.min(this[side], part[side]);
    for (const side of ["right", "bottom"]) this[side] = Math.max(this[side], part[side]);
    return part;
  }

  // What it marks in a photo, planes in [0,1] of the preview: {left, top, width, height, data}, one plane in [0,1].
  settled(photo) {
    const { left, top } = this;
    const [width, height] = [this.right - left, this.bottom - top];
    const part = { left, top, width, height };
    const crop = cut(photo, part);
    const near = cut({ ...this, data: this.nearness }, part);
    const { value, sure } = followed(crop, near, Math.min(1, WINDOW / this.radius));
    const data = near.data.map((nearness, k) => {
      const trust = ramp(sure[k], ...SURE);
      // From a quarter to three quarters: between the two sides the fit is soft.
      const mixed = trust * ramp(value[k], 0.25, 0.75) + (1 - trust) * rough(nearness);
      return Math.min(Math.max(mixed, ramp(nearness, CORE - SOFT, CORE)), ramp(nearness, OUTSIDE, OUTSIDE + SOFT));
    });
    return { ...part, data };
  }
}

function cut({ width, height, data }, part) {
  const count = data.length / (width * height);
  const out = new Float32Array(count * part.width * part.height);
  for (let c = 0; c < count; c++) {
    for (let y = 0; y < part.height; y++) {
      const from = (c * height + part.top + y) * width + part.left;
      out.set(data.subarray(from, from + part.width), (c * part.height + y) * part.width);
    }
  }
  return { width: part.width, height: part.height, data: out };
}

// In which pixels of `crop` the colours are rather those of the stroke's core than those outside of it, and how well
// colours tell the two apart there; both in [0,1]. It is found at `scale`.
function followed(crop, near, scale) {
  const [width, height] = [crop.width, crop.height].map((side) => Math.max(1, Math.round(side * scale)));
  const small = area(near, width, height).data;
  const guide = { width, height, data: area(crop, width, height).data.map((value) => 2 * value - 1) };
  const inside = small.map((nearness) => Number(nearness >= CORE));
  const known = small.map((nearness) => Number(nearness >= CORE || nearness < OUTSIDE));
  const windows = new Windows(guide, WINDOW, EPS, known);
  const fitted = windows.fit(inside);
  const explained = fitted.pop();
  // Windows that see both sides count: half of those around an edge.
  const total = windows.box(explained).map((value) => Math.max(value, 1e-9));
  const mean = (plane) => windows.box(plane.map((value, k) => value * explained[k])).map((value, k) => value / total[k]);
  const nothing = new Float64Array(explained.length);
  const coefficients = layered(guide, [fitted.map(mean), [nothing, nothing, nothing, windows.box(explained)]]);
  return { value: applied(coefficients, crop, 0), sure: applied(coefficients, crop, 1) };
}
