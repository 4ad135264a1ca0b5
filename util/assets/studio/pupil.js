// The shape that a point out of focus becomes, as in util/optics/discs.py and util/optics/pupil.py of the project.
const OVERSAMPLE = 8;

// Distance of the opening's edge from its middle, in radii, in the direction of (x, y); the first corner points up.
function outline(x, y, { blades, rotation, curvature }) {
  if (!blades) return 1;
  const sector = (2 * Math.PI) / blades;
  const angle = Math.atan2(-y, x) - Math.PI / 2 - (rotation * Math.PI) / 180;
  const fromMiddle = (((angle % sector) + sector) % sector) - sector / 2;
  const straight = Math.cos(sector / 2) / Math.cos(fromMiddle);
  return straight + curvature * (1 - straight);
}

// {reach, weights}: (2 * reach + 1)^2 shares of sum 1, by how much of each pixel the opening covers. A radius of at most
// 0.5 is a single 1.
export function pupilKernel(radius, aperture) {
  const reach = Math.max(0, Math.ceil(radius - 0.5));
  const side = 2 * reach + 1;
  const weights = new Float32Array(side * side);
  const r = Math.max(radius, 0.5);
  let sum = 0;
  for (let row = 0; row < side * OVERSAMPLE; row++) {
    const y = (row + 0.5) / OVERSAMPLE - side / 2;
    for (let column = 0; column < side * OVERSAMPLE; column++) {
      const x = (column + 0.5) / OVERSAMPLE - side / 2;
      if (Math.hypot(x, y) > r * outline(x, y, aperture)) continue;
      weights[Math.floor(row / OVERSAMPLE) * side + Math.floor(column / OVERSAMPLE)]++;
      sum++;
    }
  }
  return { reach, weights: weights.map((weight) => weight / sum) };
}
