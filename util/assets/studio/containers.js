// What belongs to a photo besides its pixels: a canvas drops it, and here it is taken from the file that was opened and put
// into the one that is saved. Colour profiles (ICC) stay as they are; of EXIF all but orientation and thumbnail.

const text = (bytes, start, end) => String.fromCharCode(...bytes.subarray(start, end));
const join = (...parts) => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};
const ascii = (string) => Uint8Array.from(string, (character) => character.charCodeAt(0));
const ICC_MARK = ascii("ICC_PROFILE\0");
const EXIF_MARK = ascii("Exif\0\0");
const startsWith = (bytes, mark) => mark.every((value, i) => bytes[i] === value);

// {type, profile, exif, orientation}: profile and EXIF each a Uint8Array or null, EXIF as a TIFF without a mark before it,
// upright. `orientation` is what it said before, `type` the file's by its first bytes.
export async function metadataOf(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const type = typeOf(bytes);
  let found = { profile: null, exif: null };
  try {
    found = (await READERS[type]?.(bytes)) ?? found;
  } catch {
    // What can't be read is left out: the pixels are what counts.
  }
  // Pixels are RGB; the profile of a photo that was not says nothing of them.
  if (found.profile && text(found.profile, 16, 20) !== "RGB ") found.profile = null;
  return { type, profile: found.profile, ...uprightExif(found.exif) };
}

const READERS = { "image/jpeg": ofJpeg, "image/png": ofPng, "image/webp": ofWebp };

function typeOf(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return "image/jpeg";
  if (text(bytes, 1, 4) === "PNG") return "image/png";
  return text(bytes, 0, 4) === "RIFF" && text(bytes, 8, 12) === "WEBP" ? "image/webp" : "";
}

// Whether a profile is Display P3, which a screen can be asked for.
export function isDisplayP3(profile) {
  const letters = Array.from(profile ?? [], (value) => String.fromCharCode(value)).filter((c) => c !== "\0").join("");
  return letters.includes("Display P3");
}

function* segmentsOf(bytes) {
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const kind = bytes[at + 1];
    if (kind === 0xda || kind === 0xd9) return;
    const length = 2 + ((bytes[at + 2] << 8) | bytes[at + 3]);
    yield { kind, start: at, content: bytes.subarray(at + 4, at + length), end: at + length };
    at += length;
  }
}

function ofJpeg(bytes) {
  const parts = [];
  let exif = null;
  for (const { kind, content } of segmentsOf(bytes)) {
    if (kind === 0xe2 && startsWith(content, ICC_MARK)) parts[content[12] - 1] = content.subarray(14);
    if (kind === 0xe1 && !exif && startsWith(content, EXIF_MARK)) exif = content.slice(6);
  }
  return { profile: parts.length ? join(...parts) : null, exif };
}

function* chunksOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    yield { kind: text(bytes, at + 4, at + 8), content: bytes.subarray(at + 8, at + 8 + length), start: at, end: at + 12 + length };
    at += 12 + length;
  }
}

async function ofPng(bytes) {
  let profile = null, exif = null;
  for (const { kind, content } of chunksOf(bytes)) {
    if (kind === "iCCP") profile = await piped(content.subarray(content.indexOf(0) + 2), new DecompressionStream("deflate"));
    if (kind === "eXIf") exif = content.slice();
  }
  return { profile, exif };
}

function ofWebp(bytes) {
  const view = new DataView(bytes.buffer);
  const found = { profile: null, exif: null };
  for (let at = 12; at + 8 <= bytes.length; ) {
    const kind = text(bytes, at, at + 4);
    const length = view.getUint32(at + 4, true);
    const content = bytes.slice(at + 8, at + 8 + length);
    if (kind === "ICCP") found.profile = content;
    if (kind === "EXIF") found.exif = startsWith(content, EXIF_MARK) ? content.slice(6) : content;
    at += 8 + length + (length % 2);
  }
  return found;
}

// EXIF whose orientation is upright and whose thumbnail, which shows the photo as it was, is cut off; null if broken. And
// the orientation that it had.
function uprightExif(exif) {
  let orientation = 1;
  if (!exif) return { exif, orientation };
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  const little = text(exif, 0, 2) === "II";
  try {
    const first = view.getUint32(4, little);
    const count = view.getUint16(first, little);
    for (let i = 0; i < count; i++) {
      const entry = first + 2 + 12 * i;
      if (view.getUint16(entry, little) !== 0x0112) continue;
      orientation = view.getUint16(entry + 8, little);
      view.setUint16(entry + 8, 1, little);
    }
    view.setUint32(first + 2 + 12 * count, 0, little);
    return { exif, orientation };
  } catch {
    return { exif: null, orientation };
  }
}

// `blob`, a JPEG or PNG that a canvas made, with the metadata of the photo.
export async function withMetadata(blob, { profile, exif }) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const made = blob.type === "image/png" ? await pngWith(bytes, profile, exif) : jpegWith(bytes, profile, exif);
  return new Blob(made, { type: blob.type });
}

function segment(kind, ...parts) {
  const content = join(...parts);
  const length = content.length + 2;
  return join(Uint8Array.of(0xff, kind, length >> 8, length & 255), content);
}

function jpegWith(bytes, profile, exif) {
  const head = [bytes.subarray(0, 2)];
  if (exif && exif.length < 65000) head.push(segment(0xe1, EXIF_MARK, exif));
  const size = 65519; // a segment holds 65,535 bytes, its length and the mark included
  const count = Math.ceil((profile?.length ?? 0) / size);
  for (let i = 0; i < count; i++) {
    head.push(segment(0xe2, ICC_MARK, Uint8Array.of(i + 1, count), profile.subarray(i * size, (i + 1) * size)));
  }
  let rest = 2;
  for (const { kind, content, start, end } of segmentsOf(bytes)) {
    // The canvas's own profile would contradict the photo's.
    const own = (kind === 0xe2 && startsWith(content, ICC_MARK)) || kind === 0xe1;
    if (!own) head.push(bytes.subarray(start, end));
    rest = end;
  }
  return [...head, bytes.subarray(rest)];
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function chunk(kind, content) {
  const body = join(ascii(kind), content);
  let crc = 0xffffffff;
  for (const value of body) crc = CRC[(crc ^ value) & 255] ^ (crc >>> 8);
  const out = new Uint8Array(body.length + 8);
  const view = new DataView(out.buffer);
  view.setUint32(0, content.length);
  out.set(body, 4);
  view.setUint32(body.length + 4, (crc ^ 0xffffffff) >>> 0);
  return out;
}

async function pngWith(bytes, profile, exif) {
  const out = [bytes.subarray(0, 8)];
  for (const { kind, start, end } of chunksOf(bytes)) {
    // Colour that the canvas states is taken out: the photo's profile says it, or, without one, nothing as before.
    if (!["iCCP", "sRGB", "gAMA", "cHRM", "cICP", "eXIf"].includes(kind)) out.push(bytes.subarray(start, end));
    if (kind === "IHDR") {
      if (profile) {
        const packed = await piped(profile, new CompressionStream("deflate"));
        out.push(chunk("iCCP", join(ascii("ICC profile\0\0"), packed)));
      }
      if (exif) out.push(chunk("eXIf", exif));
    }
  }
  return out;
}

async function piped(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}
