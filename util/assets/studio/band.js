// Which parts of a mask are sure, and the band between, as wide as the mask is soft and the bodies are large.
// The same formulas and numbers as in util/matting/band.py of the project; a mask is one plane as in sampling.js.
import { components, depths, dilated, eroded, where } from "./regions.js";
import { roundHalfEven } from "./sampling.js";

const SURE = 0.95, PRESENT = 0.05;
const SMALLEST_BODY = 0.05, TOUCH = 1 / 200; // of the largest body, and of the longer side
const HAIR_REACH = 0.2, LONGEST_REACH = 1 / 20; // of the largest disc within a body, and of the longer side
const EDGE_REACH = 0.03, LEAST_REACH = 1 / 400; // the same

const largest = (values) => values.reduce((a, b) => Math.max(a, b), 0);

// How many pixels of a region have each label.
function areasOf({ labels, count }, region) {
  const areas = new Float64Array(count);
  for (let k = 0; k < labels.length; k++) areas[labels[k]] += region[k];
  return areas;
}

// A mask that is 0 where it belongs to no body.
export function withoutIslands({ width, height, data }) {
  const reach = Math.max(1, roundHalfEven(Math.max(width, height) * TOUCH));
  const present = where(data, (value) => value > PRESENT);
  const clusters = components(dilated(present, width, height, reach), width, height);
  const areas = areasOf(clusters, where(data, (value) => value > 0.5));
  const isBody = areas.map((area, label) => Number(label > 0 && area >= SMALLEST_BODY * largest(areas)));
  return { width, height, data: data.map((value, k) => isBody[clusters.labels[k]] * value) };
}

// Alpha that is 0 where it hangs together with nothing of the foreground, over gaps of two pixels at most.
export function connected(alpha, foreground, width, height) {
  const present = where(alpha, (value) => value > PRESENT);
  for (let k = 0; k < present.length; k++) present[k] |= foreground[k];
  const parts = components(dilated(present, width, height, 1), width, height);
  const held = areasOf(parts, foreground);
  held[0] = 0;
  return alpha.map((value, k) => (held[parts.labels[k]] ? value : 0));
}

// The regions that are subject and background for sure, of a mask without islands.
export function sureParts(mask) {
  const { width, height, data } = mask;
  const longer = Math.max(width, height);
  const inside = where(data, (value) => value > 0.5);
  const bodies = components(inside, width, height);
  const least = Math.max(2, longer * LEAST_REACH, softness(mask) / 2);
  const depth = depths(inside, width, height);
  const deepest = new Float32Array(bodies.count);
  for (let k = 0; k < depth.length; k++) deepest[bodies.labels[k]] = Math.max(deepest[bodies.labels[k]], depth[k]);
  const surely = depths(where(data, (value) => value > SURE), width, height);
  const within = Math.max(least, EDGE_REACH * largest(deepest));
  const foreground = where(surely, (value) => value > within);
  const outside = depths(where(data, (value) => value < 1 - SURE), width, height);
  const background = where(outside, (value) => value > least);
  const areas = areasOf(bodies, inside);
  for (let body = 1; body < bodies.count; body++) {
    // Crumbs of a body reach as far as anything.
    if (areas[body] < SMALLEST_BODY * largest(areas)) continue;
    const reach = Math.max(least, Math.min(HAIR_REACH * deepest[body], LONGEST_REACH * longer));
    const away = depths(where(bodies.labels, (label) => label !== body), width, height);
    for (let k = 0; k < away.length; k++) background[k] &= away[k] > reach;
  }
  return { foreground, background };
}

// Mean width in pixels of the mask's soft edges.
export function softness({ width, height, data }) {
  const inside = where(data, (value) => value > 0.5);
  const [low, high] = [eroded(inside, width, height, 1), dilated(inside, width, height, 1)];
  let edge = 0, soft = 0;
  for (let k = 0; k < data.length; k++) {
    edge += (high[k] - low[k]) / 2;
    soft += Number(data[k] > 1 - SURE && data[k] < SURE);
  }
  return edge ? soft / edge : 0;
}
