// The lens as shaders (WebGL2). The formulas are those of util/optics/blur.py and models/lens/generator.py of the project.
// A part of a photo that is rendered has its own pixels; `origin` is where it lies in the whole, of `full` pixels.

export const VERTEX = `#version 300 es
void main() {
  // One triangle that covers everything.
  gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0, 1);
}`;

export const HEAD = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp sampler2DArray;
uniform ivec2 origin, full;
vec3 toLinear(vec3 x) {
  return mix(x / 12.92, pow((max(x, 0.04045) + 0.055) / 1.055, vec3(2.4)), greaterThan(x, vec3(0.04045)));
}
vec3 toSrgb(vec3 x) {
  return mix(x * 12.92, 1.055 * pow(max(x, 0.0031308), vec3(1.0 / 2.4)) - 0.055, greaterThan(x, vec3(0.0031308)));
}
`;

// The light of what lies behind the subject in a pixel of a part. `matte` holds its colour and, as A, the subject's share
// alpha; where a stroke keeps less of a pixel than that, the rest of it counts as background.
export const BEHIND = `
uniform sampler2D photo, matte, weights;
uniform bool linear;
vec3 behind(ivec2 at) {
  vec4 found = texelFetch(matte, at, 0);
  float kept = found.a > 0.0 ? clamp(texelFetch(weights, at, 0).x / found.a, 0.0, 1.0) : 1.0;
  return mix(texelFetch(photo, at, 0).rgb, found.rgb, kept);
}
vec3 lightBehind(ivec2 at) {
  return linear ? toLinear(behind(at)) : behind(at);
}`;

// A smaller picture of `size` pixels, of which `copy` holds those from `from` on, bilinearly at a place of the whole.
export const ENLARGED = `
vec4 enlarged(sampler2D copy, vec2 place, ivec2 size, ivec2 from) {
  vec2 at = max(place * vec2(size) / vec2(full) - 0.5, 0.0);
  ivec2 low = min(ivec2(at), size - 1), high = min(low + 1, size - 1);
  vec2 share = at - vec2(low);
  low -= from;
  high -= from;
  return mix(
    mix(texelFetch(copy, low, 0), texelFetch(copy, ivec2(high.x, low.y), 0), share.x),
    mix(texelFetch(copy, ivec2(low.x, high.y), 0), texelFetch(copy, high, 0), share.x), share.y);
}`;

// Weights of a part: in focus, then one for each radius, of sum 1. The first is alpha, of `matte`; those of radii are told
// by the guided filter's `coefficients`, enlarged bilinearly. `paint` is what the user painted over the preview, whose pixels
// are `seen`: red keeps sharp, green blurs.
export const WEIGHTS = `${HEAD}
uniform sampler2D photo, matte, paint, seen;
uniform sampler2DArray coefficients;
uniform bool markedOnly, isPainted;
uniform vec4 prior;
out vec4 weights;
// The map's pixels around a place, each by how near it is and how alike its colour: edges are the photo's at any size.
// Kopf et al. 2007, joint bilateral upsampling; deviations of 1 pixel of the map and 0.08 of a colour.
vec2 paintedAt(vec2 share, vec3 colour) {
  ivec2 size = textureSize(paint, 0);
  vec2 at = share * vec2(size) - 0.5;
  ivec2 middle = ivec2(round(at));
  vec2 sum = vec2(0);
  float total = 0.0;
  for (int y = -2; y <= 2; y++) {
    for (int x = -2; x <= 2; x++) {
      ivec2 from = clamp(middle + ivec2(x, y), ivec2(0), size - 1);
      vec2 away = vec2(middle + ivec2(x, y)) - at;
      vec3 unlike = (texelFetch(seen, from, 0).rgb - colour) / 0.08;
      // Where no colour is alike, nearness alone decides.
      float weight = exp(-0.5 * dot(away, away)) * (exp(-0.5 * dot(unlike, unlike)) + 1e-3);
      sum += weight * texelFetch(paint, from, 0).rg;
      total += weight;
    }
  }
  return sum / total;
}
void main() {
  ivec2 here = ivec2(gl_FragCoord.xy);
  vec2 place = gl_FragCoord.xy + vec2(origin);
  vec3 colour = texelFetch(photo, here, 0).rgb;
  vec4 guide = vec4(2.0 * colour - 1.0, 1.0);
  ivec3 size = textureSize(coefficients, 0);
  vec2 at = max(place * vec2(size.xy) / vec2(full) - 0.5, 0.0);
  ivec2 low = min(ivec2(at), size.xy - 1), high = min(low + 1, size.xy - 1);
  vec2 share = at - vec2(low);
  vec4 raw = vec4(0);
  for (int k = 0; k < size.z; k++) {
    vec4 above = mix(texelFetch(coefficients, ivec3(low, k), 0), texelFetch(coefficients, ivec3(high.x, low.y, k), 0), share.x);
    vec4 below = mix(texelFetch(coefficients, ivec3(low.x, high.y, k), 0), texelFetch(coefficients, ivec3(high, k), 0), share.x);
    raw[k + 1] = clamp(dot(mix(above, below, share.y), guide), 0.0, 1.0);
  }
  float sharp = markedOnly ? 0.0 : texelFetch(matte, here, 0).a;
  vec2 painted = isPainted ? paintedAt(place / vec2(full), colour) : vec2(0);
  float automatic = sharp;
  sharp = max(min(sharp, 1.0 - painted.g), painted.r);
  // What the network was sure to be in focus has no radius of its own: it gets the photo's.
  vec3 blurred = raw.yzw + 1e-2 * max(automatic - sharp, markedOnly ? 1.0 : 0.0) * prior.yzw;
  weights = vec4(sharp, blurred * ((1.0 - sharp) / max(dot(blurred, vec3(1)), 1e-6)));
}`;

// Light and share of what is out of focus, each pixel the mean of those of the part that it covers.
export const PARTS = `${HEAD}
uniform ivec2 smallOrigin, small;
out vec4 parts;
${BEHIND}
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy) + smallOrigin;
  ivec2 start = at * full / small, end = ((at + 1) * full + small - 1) / small;
  parts = vec4(0);
  for (int y = start.y; y < end.y; y++) {
    for (int x = start.x; x < end.x; x++) {
      ivec2 place = ivec2(x, y) - origin;
      float background = 1.0 - texelFetch(weights, place, 0).x;
      parts += vec4(lightBehind(place) * background, background);
    }
  }
  parts /= float((end.x - start.x) * (end.y - start.y));
}`;

// The background seen out of focus: K * (L b) / K * b, and K * b.
export const BLUR = `${HEAD}
uniform sampler2D parts, kernel;
uniform ivec2 offset;
uniform int reach;
out vec4 blurred;
void main() {
  ivec2 here = ivec2(gl_FragCoord.xy) + offset, size = textureSize(parts, 0);
  ivec2 first = max(-here, ivec2(-reach)), last = min(size - 1 - here, ivec2(reach));
  vec4 sum = vec4(0);
  for (int y = first.y; y <= last.y; y++) {
    for (int x = first.x; x <= last.x; x++) {
      // A convolution: the kernel is turned by 180 degrees.
      sum += texelFetch(kernel, ivec2(reach - x, reach - y), 0).r * texelFetch(parts, here + ivec2(x, y), 0);
    }
  }
  blurred = vec4(clamp(sum.rgb / max(sum.a, 1e-4), 0.0, 1.0), sum.a);
}`;

// x + (1 - w_0) (sum_k w_k B_k / sum_k w_k - behind) of the pixels from `corner` of the part on.
export const MIX = `${HEAD}
uniform sampler2D blurred0, blurred1, blurred2;
uniform ivec2 corner, smallOrigin[3], small[3];
uniform int count;
uniform bvec3 sharpCopy;
out vec4 result;
${BEHIND}
${ENLARGED}
void main() {
  ivec2 here = ivec2(gl_FragCoord.xy) + corner;
  vec2 place = vec2(here + origin) + 0.5;
  vec3 x = texelFetch(photo, here, 0).rgb;
  vec4 w = texelFetch(weights, here, 0);
  vec3 light = lightBehind(here);
  vec3 mixed = vec3(0);
  float total = 0.0;
  for (int k = 0; k < count; k++) {
    vec4 copy = vec4(light, 0);
    if (!sharpCopy[k]) {
      copy = k == 0 ? enlarged(blurred0, place, small[0], smallOrigin[0])
        : k == 1 ? enlarged(blurred1, place, small[1], smallOrigin[1])
        : enlarged(blurred2, place, small[2], smallOrigin[2]);
      if (copy.a <= 1e-4) copy.rgb = light;
    }
    mixed += w[k + 1] * copy.rgb;
    total += w[k + 1];
  }
  mixed /= max(total, 1e-4);
  result = vec4(x + (1.0 - w.x) * ((linear ? toSrgb(mixed) : mixed) - behind(here)), 1);
}`;

// On the screen: the photo left of `split`, the result right of it, and what was painted if `show` says so.
export const SCREEN = `${HEAD}
uniform sampler2D photo, rendered, paint, weights;
uniform vec2 view;
uniform float split, width;
uniform int show;
out vec4 colour;
void main() {
  vec2 place = vec2(gl_FragCoord.x, view.y - gl_FragCoord.y) / view;
  vec3 before = texture(photo, place).rgb, after = texture(rendered, place).rgb;
  float left = place.x * view.x - split * view.x;
  colour = vec4(left < 0.0 ? before : after, 1);
  if (show == 1) {
    vec2 painted = texture(paint, place).rg;
    colour.rgb = mix(colour.rgb, vec3(0.1, 0.8, 0.3), 0.5 * painted.r);
    colour.rgb = mix(colour.rgb, vec3(0.95, 0.3, 0.2), 0.5 * painted.g);
  }
  if (show == 2) colour.rgb = mix(colour.rgb * 0.4, vec3(1.0, 0.85, 0.2), 0.75 * texture(weights, place).x);
  if (abs(left) < width && split > 0.0 && split < 1.0) colour.rgb = vec3(1);
}`;
