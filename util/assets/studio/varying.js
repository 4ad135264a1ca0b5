// A blur that differs from place to place: copies of the background, each blurred with one disc, mixed by each pixel's
// radius. The same formulas as in util/optics/varying.py of the project.
import { BEHIND, ENLARGED, HEAD } from "./shaders.js";
import { boxOf, knots } from "./radii.js";

// The background's light, onto which the copies are laid.
export const LIGHT = `${HEAD}
uniform ivec2 corner;
out vec4 light;
${BEHIND}
void main() {
  light = vec4(lightBehind(ivec2(gl_FragCoord.xy) + corner), 1);
}`;

// A copy, laid over what is there by how far a pixel's radius has come from `inner` to `outer`: that is its alpha.
export const LAY = `${HEAD}
uniform sampler2D radii, blurred;
uniform ivec2 corner, smallOrigin, small;
uniform float scale, inner, outer;
out vec4 laid;
${BEHIND}
${ENLARGED}
void main() {
  ivec2 here = ivec2(gl_FragCoord.xy) + corner;
  vec2 place = vec2(here + origin) + 0.5;
  float radius = scale * enlarged(radii, place, textureSize(radii, 0), ivec2(0)).r;
  float share = clamp((radius - inner) / (outer - inner), 0.0, 1.0);
  if (share <= 0.0) discard;
  vec4 copy = enlarged(blurred, place, small, smallOrigin);
  if (copy.a <= 1e-4) copy.rgb = lightBehind(here);
  laid = vec4(copy.rgb, share);
}`;

// x + (1 - w_0) (mixed - behind), as numbers of the photo.
export const DEVELOP = `${HEAD}
uniform sampler2D mixed;
uniform ivec2 corner;
out vec4 result;
${BEHIND}
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy), here = at + corner;
  vec3 x = texelFetch(photo, here, 0).rgb, light = texelFetch(mixed, at, 0).rgb;
  result = vec4(x + (1.0 - texelFetch(weights, here, 0).x) * ((linear ? toSrgb(light) : light) - behind(here)), 1);
}`;

// The discs that a photo is mixed of: radius in pixels, those before and behind it, and the box that shows it.
export function discs(radii, scale, full) {
  const steps = knots(scale * radii.largest);
  return steps
    .map((radius, k) => {
      const [inner, beyond] = [steps[k - 1] ?? 0, steps[k + 1] ?? Infinity];
      return { radius, inner, scale, box: boxOf(radii, scale, inner, beyond, full) };
    })
    .filter(({ box }) => box);
}

// Render the pixels between `span`, [[left, right], [top, bottom]], into what the renderer has for them.
export function render(renderer, copies, span, common) {
  const { gl, rendered } = renderer;
  const from = span.map(([low]) => low);
  const corner = from.map((low, axis) => low - common.origin[axis]);
  const mixed = renderer.texture("mixed", rendered.width, rendered.height, "RGBA16F");
  renderer.run("LIGHT", mixed, { ...common, corner });
  gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
  copies.forEach((copy, k) => {
    const shown = span.map(([low, high], axis) => [Math.max(low, copy.box[axis]), Math.min(high, copy.box[axis + 2])]);
    if (shown.some(([low, high]) => low >= high)) return;
    const { texture, from: smallOrigin, small } = renderer.blur(copy, k, shown, common);
    const [[left, right], [top, bottom]] = shown;
    gl.enable(gl.BLEND);
    gl.enable(gl.SCISSOR_TEST);
    gl.scissor(left - from[0], top - from[1], right - left, bottom - top);
    const { scale, inner, radius } = copy;
    renderer.run("LAY", mixed, { ...common, corner, radii: renderer.radiusMap, blurred: texture, smallOrigin, small, scale, inner, outer: radius });
    gl.disable(gl.BLEND);
    gl.disable(gl.SCISSOR_TEST);
  });
  renderer.run("DEVELOP", rendered, { ...common, corner, mixed });
}
