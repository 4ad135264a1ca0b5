// Regions of a picture: made larger and smaller, taken apart, measured; as OpenCV does it. A plane or a region is a typed
// array of width * height values, row by row; what is not 0 belongs to a region.

// The pixels of a plane whose value is as `isThere` says.
export function where(plane, isThere) {
  const region = new Uint8Array(plane.length);
  for (let k = 0; k < plane.length; k++) region[k] = isThere(plane[k]);
  return region;
}

// Of each pixel and those up to `reach` away in both directions the largest value; beyond the border lies nothing.
export const dilated = (plane, width, height, reach) => extreme(plane, width, height, reach, 1);

// The smallest.
export const eroded = (plane, width, height, reach) => extreme(plane, width, height, reach, -1);

function extreme(plane, width, height, reach, sign) {
  const along = (from, lines, lineStep, length, step) => {
    const out = from.slice();
    for (let line = 0; line < lines; line++) {
      for (let i = 0, k = line * lineStep; i < length; i++, k += step) {
        const last = k + Math.min(length - 1 - i, reach) * step;
        let found = from[k];
        for (let j = k - Math.min(i, reach) * step; j <= last; j += step) if (sign * (from[j] - found) > 0) found = from[j];
        out[k] = found;
      }
    }
    return out;
  };
  return along(along(plane, height, width, width, 1), width, 1, height, width);
}

// Parts of a region that touch, at corners too: {labels, count}; label 0 is what lies outside, and counts.
export function components(region, width, height) {
  const labels = new Int32Array(region.length);
  const waiting = new Int32Array(region.length);
  let count = 1;
  for (let first = 0; first < region.length; first++) {
    if (!region[first] || labels[first]) continue;
    let end = 1;
    waiting[0] = first;
    labels[first] = count;
    while (end) {
      const k = waiting[--end];
      const x = k % width, y = (k - x) / width;
      for (let j = Math.max(0, y - 1); j <= Math.min(height - 1, y + 1); j++) {
        for (let i = Math.max(0, x - 1); i <= Math.min(width - 1, x + 1); i++) {
          const near = j * width + i;
          if (!region[near] || labels[near]) continue;
          labels[near] = count;
          waiting[end++] = near;
        }
      }
    }
    count++;
  }
  return { labels, count };
}

// How far each pixel of a region is from the nearest that is not in it; Infinity if all are. Columns first, then the lower
// envelope of parabolas along each row: Felzenszwalb and Huttenlocher 2012, Distance Transforms of Sampled Functions.
export function depths(region, width, height) {
  const out = new Float32Array(region.length);
  if (region.every((value) => value)) return out.fill(Infinity);
  const far = width + height;
  for (let x = 0; x < width; x++) {
    let away = far;
    for (let k = x; k < region.length; k += width) out[k] = away = region[k] ? Math.min(away + 1, far) : 0;
    away = far;
    for (let k = region.length - width + x; k >= 0; k -= width) {
      away = region[k] ? away + 1 : 0;
      if (away < out[k]) out[k] = away;
    }
  }
  const squares = new Float64Array(width);
  const lowest = new Int32Array(width); // where the parabolas of the envelope stand
  const starts = new Float64Array(width + 1); // and from where on each is the lowest
  for (let row = 0; row < region.length; row += width) {
    for (let x = 0; x < width; x++) squares[x] = out[row + x] ** 2;
    let last = 0;
    lowest[0] = 0;
    starts[0] = -Infinity;
    for (let x = 1; x < width; x++) {
      let crossing;
      do {
        const before = lowest[last];
        crossing = (squares[x] + x * x - squares[before] - before * before) / (2 * (x - before));
      } while (crossing <= starts[last] && last--);
      lowest[++last] = x;
      starts[last] = crossing;
    }
    starts[last + 1] = Infinity;
    for (let x = 0, j = 0; x < width; x++) {
      while (starts[j + 1] < x) j++;
      out[row + x] = Math.sqrt((x - lowest[j]) ** 2 + squares[lowest[j]]);
    }
  }
  return out;
}
