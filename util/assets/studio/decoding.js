// Photos as pixels: upright, their numbers as they are in the file, parts of them at a time.
import { metadataOf } from "./containers.js";
import { areaShrinker, bilinearShrinker, coveredShrinker, roundHalfEven } from "./sampling.js";

const STRIP = 256; // rows that are read at a time
const AS_STORED = { imageOrientation: "from-image", colorSpaceConversion: "none", premultiplyAlpha: "none" };

// Pictures 2 pixels wide and 1 high that lie on their side: all browsers turn JPEGs, not all turn these.
const SAMPLES = {
  "image/png": "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAGmVYSWZNTQAqAAAACAABARIAAwAAAAEABgAAAAAAANZnS2kAAAAPSURBVHicY2BgYGBgYAAAAAcAAVchYhkAAAAASUVORK5CYII=",
  "image/webp": "UklGRk4AAABXRUJQVlA4WAoAAAAIAAAAAQAAAAAAVlA4TA4AAAAvAQAAAAcQEf0PRET/A0VYSUYaAAAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAAA",
};

// Matrices (a, b, c, d) of EXIF's orientations, and whether the width and the height shift.
const TURNS = {
  2: [-1, 0, 0, 1, 1, 0], 3: [-1, 0, 0, -1, 1, 1], 4: [1, 0, 0, -1, 0, 1],
  5: [0, 1, 1, 0, 0, 0], 6: [0, 1, -1, 0, 1, 0], 7: [0, -1, -1, 0, 1, 1], 8: [0, -1, 1, 0, 0, 1],
};

async function isTurned(type) {
  if (!SAMPLES[type]) return true;
  const bytes = Uint8Array.from(atob(SAMPLES[type]), (character) => character.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type }), AS_STORED);
  return bitmap.width === 1;
}

export class Photo {
  // Throws an Error that names the file if the browser can't read it.
  static async read(file) {
    const metadata = await metadataOf(file);
    let bitmap;
    try {
      bitmap = await createImageBitmap(file, AS_STORED);
    } catch {
      throw new Error(`${file.name}: ${/\.hei[cf]$/i.test(file.name)
        ? "this browser can't read HEIC; save it as JPEG"
        : "not a photo that this browser can read, or damaged"}.`);
    }
    const orientation = (await isTurned(metadata.type)) ? 1 : metadata.orientation;
    return new Photo(bitmap, metadata, orientation);
  }

  constructor(bitmap, metadata, orientation) {
    const size = [bitmap.width, bitmap.height];
    const [width, height] = orientation >= 5 ? size.reverse() : size;
    Object.assign(this, { bitmap, metadata, orientation, width, height });
  }

  // Pixels of a part, RGBA of 8 bits; what is transparent lies on white.
  pixels(left, top, width, height) {
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
    context.imageSmoothingEnabled = false;
    const [a, b, c, d, across, down] = TURNS[this.orientation] ?? [1, 0, 0, 1, 0, 0];
    context.setTransform(a, b, c, d, across * this.width - left, down * this.height - top);
    context.drawImage(this.bitmap, 0, 0);
    return context.getImageData(0, 0, width, height).data;
  }

  // The whole of it, its longer side `longer` pixels at most: {width, height, pixels}. Each pixel is the mean of its area.
  preview(longer) {
    const scale = Math.min(1, longer / Math.max(this.width, this.height));
    const [width, height] = [this.width, this.height].map((side) => Math.max(1, roundHalfEven(side * scale)));
    return this.shrunk(width, height, areaShrinker);
  }

  // The same, bilinear and antialiased, of any size.
  bilinear(width, height) {
    return this.shrunk(width, height, bilinearShrinker);
  }

  // The same, each pixel the mean of what it covers.
  covered(width, height) {
    return this.shrunk(width, height, coveredShrinker);
  }

  // A part of it: {width, height, pixels}.
  part(left, top, width, height) {
    return { width, height, pixels: this.pixels(left, top, width, height) };
  }

  shrunk(width, height, shrinkerOf) {
    if (width === this.width && height === this.height) return this.part(0, 0, width, height);
    const shrinker = shrinkerOf(this.width, this.height, width, height);
    for (let top = 0; top < this.height; top += STRIP) {
      shrinker.add(this.pixels(0, top, this.width, Math.min(STRIP, this.height - top)), top);
    }
    return { width, height, pixels: shrinker.result() };
  }

  close() {
    this.bitmap.close();
  }
}
