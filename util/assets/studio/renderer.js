// Renders what a lens makes of a photo, whole or a part at a time, in WebGL2.
import { pupilKernel } from "./pupil.js";
import { softening } from "./deciding.js";
import { roundHalfEven } from "./sampling.js";
import * as shaders from "./shaders.js";
import * as varying from "./varying.js";

// Drafts blur at smaller sizes: fifty times less work for wide apertures, and hard to tell while a slider moves.
const DRAFT_RADIUS = 4;
const MOST_KERNELS = 64; // that are kept

export class Renderer {
  // `canvas`: an element or an OffscreenCanvas. Throws where the browser or its driver lacks what is needed.
  constructor(canvas, model) {
    this.model = model;
    this.gl = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: true });
    if (!this.gl) throw new Error("This browser has no WebGL2, which the studio renders with. Update it, or turn on hardware acceleration.");
    const gl = this.gl;
    if (!gl.getExtension("EXT_color_buffer_float") && !gl.getExtension("EXT_color_buffer_half_float")) {
      throw new Error("This graphics driver can't render with more than 8 bits, which the studio needs.");
    }
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    this.programs = Object.fromEntries(
      ["WEIGHTS", "PARTS", "BLUR", "MIX", "SCREEN"].map((name) => [name, this.program(shaders[name])]));
    for (const name of ["LIGHT", "LAY", "DEVELOP"]) this.programs[name] = this.program(varying[name]);
    this.textures = new Map();
    this.kernels = new Map();
    this.framebuffer = gl.createFramebuffer();
    this.largest = Math.min(gl.getParameter(gl.MAX_TEXTURE_SIZE), gl.getParameter(gl.MAX_RENDERBUFFER_SIZE));
  }

  program(fragment) {
    const gl = this.gl;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, shaders.VERTEX], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
      const logs = gl.getAttachedShaders(program).map((shader) => gl.getShaderInfoLog(shader)).join("\n");
      throw new Error(`This graphics driver can't run the studio's shaders. ${gl.getProgramInfoLog(program)} ${logs}`);
    }
    const uniforms = {};
    for (let i = 0; i < gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS); i++) {
      const { name, type } = gl.getActiveUniform(program, i);
      uniforms[name.replace("[0]", "")] = { place: gl.getUniformLocation(program, name), type };
    }
    return { program, uniforms };
  }

  // A texture by its name, made new where its size or format changes.
  texture(name, width, height, format, layers = 0) {
    const gl = this.gl;
    const old = this.textures.get(name);
    if (old && old.width === width && old.height === height && old.format === format && old.layers === layers) return old;
    if (old) gl.deleteTexture(old.id);
    const target = layers ? gl.TEXTURE_2D_ARRAY : gl.TEXTURE_2D;
    const made = { id: gl.createTexture(), width, height, format, layers, target };
    gl.bindTexture(target, made.id);
    if (layers) gl.texStorage3D(target, 1, gl[format], width, height, layers);
    else gl.texStorage2D(target, 1, gl[format], width, height);
    const filter = format.endsWith("32F") ? gl.NEAREST : gl.LINEAR;
    gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, filter);
    gl.texParameteri(target, gl.TEXTURE_MAG_FILTER, filter);
    gl.texParameteri(target, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(target, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    this.textures.set(name, made);
    return made;
  }

  fill(texture, pixels, format, type) {
    const gl = this.gl;
    const { target, width, height, layers } = texture;
    gl.bindTexture(target, texture.id);
    if (layers) gl.texSubImage3D(target, 0, 0, 0, 0, width, height, layers, gl[format], gl[type], pixels);
    else gl.texSubImage2D(target, 0, 0, 0, width, height, gl[format], gl[type], pixels);
    return texture;
  }

  // Run a program over all pixels of the texture `out`, or of the canvas if there is none.
  run(name, out, values, width = out?.width, height = out?.height) {
    const gl = this.gl;
    const { program, uniforms } = this.programs[name];
    gl.useProgram(program);
    gl.bindFramebuffer(gl.FRAMEBUFFER, out ? this.framebuffer : null);
    if (out) gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, out.id, 0);
    gl.viewport(0, 0, width, height);
    let unit = 0;
    for (const [key, { place, type }] of Object.entries(uniforms)) {
      const value = values[key];
      if (type === gl.SAMPLER_2D || type === gl.SAMPLER_2D_ARRAY) {
        gl.activeTexture(gl.TEXTURE0 + unit);
        gl.bindTexture(value.target, value.id);
        gl.uniform1i(place, unit++);
      } else if (type === gl.INT_VEC2) gl.uniform2iv(place, value.flat());
      else if (type === gl.FLOAT_VEC2) gl.uniform2fv(place, value);
      else if (type === gl.FLOAT_VEC4) gl.uniform4fv(place, value);
      else if (type === gl.FLOAT) gl.uniform1f(place, value);
      else if (type === gl.BOOL_VEC3) gl.uniform3iv(place, value);
      else gl.uniform1i(place, value);
    }
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  // Whether the numbers of the photo, which are not converted, are Display P3's; else sRGB's.
  setColours(isP3) {
    if ("drawingBufferColorSpace" in this.gl) this.gl.drawingBufferColorSpace = isP3 ? "display-p3" : "srgb";
  }

  // What is known of the photo: the guided filter's coefficients, its background, the usual weights of its radii, and,
  // where a network tells them, the radii of each place.
  setDecision({ coefficients, background, prior, radii }) {
    const { width, height, layers, data } = coefficients;
    this.coefficients = this.texture("coefficients", width, height, "RGBA32F", layers);
    this.fill(this.coefficients, data, "RGBA", "FLOAT");
    Object.assign(this, { background, prior, radii });
    if (radii) {
      this.radiusMap = this.fill(this.texture("radii", radii.width, radii.height, "R32F"), radii.data, "RED", "FLOAT");
    }
  }

  // What the user painted over the whole photo, pixels RG of 8 bits, and the preview that was before him, of the same size;
  // null if nothing was.
  setPaint(paint, preview) {
    const { width, height, pixels } = paint ?? { width: 1, height: 1, pixels: new Uint8Array(2) };
    this.paint = this.fill(this.texture("paint", width, height, "RG8"), pixels, "RG", "UNSIGNED_BYTE");
    this.seen = this.texture("seen", width, height, "RGBA8");
    if (paint) this.fill(this.seen, preview.pixels, "RGBA", "UNSIGNED_BYTE");
    this.isPainted = Boolean(paint);
  }

  // A part of the photo, RGBA of 8 bits, from `origin` on, and its matte, see behind.js; the whole has `full` pixels.
  setPart({ width, height, pixels, matte }, origin = [0, 0], full = [width, height]) {
    this.photo = this.fill(this.texture("photo", width, height, "RGBA8"), pixels, "RGBA", "UNSIGNED_BYTE");
    this.matte = this.fill(this.texture("matte", width, height, "RGBA8"), matte, "RGBA", "UNSIGNED_BYTE");
    Object.assign(this, { origin, full });
  }

  // Radii in pixels of the photo, and at what size each is blurred.
  copies(settings, full) {
    const { model } = this;
    const share = settings.blurSoft ? 1 : softening(this.background, model, settings.aperture);
    const scale = (settings.aperture * Math.min(...full)) / model.reference_side;
    if (!this.radii) return model.radii.map((radius) => this.copy(radius * scale, share, settings, full));
    return varying.discs(this.radii, scale * share, full).map((disc) => ({ ...disc, ...this.copy(disc.radius, 1, settings, full) }));
  }

  // At what size a disc of `largest` pixels is laid on a photo, and the kernel of its `share`, null for none.
  copy(largest, share, { draft, pupil }, full) {
    const most = draft ? DRAFT_RADIUS : this.model.largest_radius;
    let shrink = 1;
    while (largest / shrink > most) shrink *= 2;
    const small = shrink === 1 ? full : full.map((side) => Math.max(1, roundHalfEven(side / shrink)));
    const kernel = largest * share > 0.5 ? this.kernel((largest * share) / shrink, pupil) : null;
    return { small, kernel, reach: kernel?.reach ?? 0 };
  }

  kernel(radius, pupil) {
    const key = JSON.stringify([radius, pupil]);
    if (!this.kernels.has(key)) {
      if (this.kernels.size > MOST_KERNELS) this.kernels.clear();
      this.kernels.set(key, pupilKernel(radius, pupil));
    }
    return this.kernels.get(key);
  }

  // The pixels that a part must have so that [left, top, right, bottom) of it can be rendered, of the same form.
  needed([left, top, right, bottom], settings, full) {
    const axes = [[left, right], [top, bottom]].map(([low, high], axis) => {
      const length = full[axis];
      let [first, last] = [low, high];
      for (const { small, kernel, reach } of this.copies(settings, full)) {
        if (!kernel) continue;
        const [start, end] = smallSpan(low, high, length, small[axis]);
        const from = Math.max(0, start - reach), to = Math.min(small[axis], end + reach);
        first = Math.min(first, Math.floor((from * length) / small[axis]));
        last = Math.max(last, Math.ceil((to * length) / small[axis]));
      }
      return [first, last];
    });
    return [axes[0][0], axes[1][0], axes[0][1], axes[1][1]];
  }

  // Render [left, top, right, bottom) of the photo, which the part and its surroundings hold; see `needed`.
  render(settings, [left, top, right, bottom] = [0, 0, ...this.full]) {
    const { model, origin, full, photo, matte } = this;
    const common = { origin, full, photo, matte, linear: model.linear_light, paint: this.paint };
    this.weights = this.texture("weights", photo.width, photo.height, "RGBA16F");
    this.run("WEIGHTS", this.weights, { ...common, coefficients: this.coefficients, seen: this.seen, isPainted: this.isPainted,
      markedOnly: settings.markedOnly, prior: this.prior });
    const span = [[left, right], [top, bottom]];
    this.rendered = this.texture("rendered", right - left, bottom - top, "RGBA8");
    if (this.radii) {
      varying.render(this, this.copies(settings, full), span, { ...common, weights: this.weights });
      return;
    }
    const copies = this.copies(settings, full).map((copy, k) => this.blur(copy, k, span, { ...common, weights: this.weights }));
    while (copies.length < 3) copies.push({ texture: this.weights, from: [0, 0], small: [1, 1], sharp: true });
    this.run("MIX", this.rendered, { ...common, weights: this.weights, corner: [left - origin[0], top - origin[1]],
      blurred0: copies[0].texture, blurred1: copies[1].texture, blurred2: copies[2].texture,
      small: copies.map((copy) => copy.small), smallOrigin: copies.map((copy) => copy.from),
      sharpCopy: copies.map((copy) => copy.sharp), count: model.radii.length });
  }

  // One blurred copy, of the pixels that `span` needs.
  blur({ small, kernel, reach }, k, span, common) {
    if (!kernel) return { texture: this.weights, from: [0, 0], small: [1, 1], sharp: true };
    const spans = span.map(([low, high], axis) => smallSpan(low, high, this.full[axis], small[axis]));
    const wide = spans.map(([low, high], axis) => [Math.max(0, low - reach), Math.min(small[axis], high + reach)]);
    const size = (s) => s.map(([low, high]) => high - low);
    const parts = this.texture(`parts${k}`, ...size(wide), "RGBA16F");
    this.run("PARTS", parts, { ...common, small, smallOrigin: wide.map(([low]) => low) });
    const side = 2 * reach + 1;
    const texture = this.texture(`kernel${k}`, side, side, "R32F");
    this.fill(texture, kernel.weights, "RED", "FLOAT");
    const blurred = this.texture(`blurred${k}`, ...size(spans), "RGBA16F");
    const offset = spans.map(([low], axis) => low - wide[axis][0]);
    this.run("BLUR", blurred, { ...common, parts, kernel: texture, reach, offset });
    return { texture: blurred, from: spans.map(([low]) => low), small, sharp: false };
  }

  // What was rendered: RGBA of 8 bits.
  pixels() {
    const gl = this.gl;
    const { width, height, id } = this.rendered;
    const out = new Uint8ClampedArray(4 * width * height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, id, 0);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, out);
    return out;
  }

  // Show it on the canvas, the photo left of `split`; `show`: 0 nothing else, 1 what was painted, 2 what is in focus.
  present(split, show) {
    const { width, height } = this.gl.canvas;
    this.run("SCREEN", null, { photo: this.photo, rendered: this.rendered, paint: this.paint, weights: this.weights,
      view: [width, height], split, width: Math.max(1, width / 600), show, origin: [0, 0], full: this.full }, width, height);
  }

  // Wait until all is drawn.
  finish() {
    this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, new Uint8Array(4));
  }

  // Give all memory back; the shaders stay for the next photo.
  release() {
    for (const { id } of this.textures.values()) this.gl.deleteTexture(id);
    this.textures.clear();
  }
}

// The pixels of a copy of `small` pixels between which those from `low` to `high` of `length` lie.
function smallSpan(low, high, length, small) {
  const at = (i) => Math.max(0, ((i + 0.5) * small) / length - 0.5);
  return [Math.floor(at(low)), Math.min(small, Math.floor(at(high - 1)) + 2)];
}
