// The networks: loaded once, run by onnxruntime-web on WebGPU where that gives the right numbers, else on the CPU.
import { lookAt, radiiOf } from "./radii.js";
import { aliased, area, bilinear, planes, roundHalfEven } from "./sampling.js";

const HALF = 0.5; // a mask that nowhere reaches this has no subject
const TOLERANCE = 0.02; // of results in [0,1], which GPUs may compute in 16 bits
const PATIENCE = 20_000; // milliseconds: a GPU that has not answered by then is slower than the CPU

export class Networks {
  // `described`: studio.json. `device`: "webgpu", "cpu" or "auto".
  static async load(described, device, report) {
    if (device === "cpu") return Networks.onCpu(described, report);
    try {
      // Who asks for it has his reasons.
      const isWanted = device === "webgpu";
      await checkWebGPU(isWanted);
      const networks = await new Networks(described, "webgpu").open(report);
      report("Trying the GPU");
      await (isWanted ? networks.check() : Promise.race([networks.check(), tooLate()]));
      return networks;
    } catch (error) {
      return Networks.onCpu(described, report, error.message);
    }
  }

  // `trouble`: what is wrong with WebGPU, if that was asked for.
  static async onCpu(described, report, trouble = "") {
    const networks = await new Networks(described, "wasm").open(report);
    [networks.trouble] = trouble.split("\n");
    return networks;
  }

  constructor(described, backend) {
    Object.assign(this, { described, backend, trouble: "" });
  }

  // What the page says of where they run.
  get device() {
    const { backend, threads, trouble } = this;
    return { backend, threads, trouble };
  }

  async open(report) {
    report("Loading the runtime");
    this.ort = await import(`./runtime/ort.${this.backend}.min.mjs`);
    const { env } = this.ort;
    env.wasm.wasmPaths = new URL("./runtime/", import.meta.url).href;
    // Without isolation browsers give no shared memory, and so no threads.
    env.wasm.numThreads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;
    this.threads = env.wasm.numThreads;
    env.logLevel = "error";
    const { generator, segmenter, radius } = this.described;
    report("Loading the model");
    this.generator = await this.session(generator.file);
    if (segmenter) this.segmenter = await this.session(segmenter.file);
    // So small that a GPU would gain nothing.
    if (radius) this.radius = await this.session(radius.file, "wasm");
    return this;
  }

  async session(file, backend = this.backend) {
    const response = await fetch(new URL(`./${file}`, import.meta.url));
    if (!response.ok) throw new Error(`${file} can't be loaded (status ${response.status}); build the studio again.`);
    const options = { executionProviders: [backend], logSeverityLevel: 3 };
    return this.ort.InferenceSession.create(new Uint8Array(await response.arrayBuffer()), options);
  }

  // Throws if the networks don't give what they gave where the studio was built.
  async check() {
    const { generator, segmenter } = this.described;
    await this.checkOne(this.generator, generator.check, "image", "result");
    if (segmenter) await this.checkOne(this.segmenter, segmenter.check, segmenter.input, segmenter.output, this.firstFeeds());
  }

  async checkOne(session, { shape, step, values }, input, output, feeds = {}) {
    const wave = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => (1 + Math.sin(0.37 * i)) / 2);
    const results = await session.run({ [input]: this.tensor(wave, shape), ...feeds });
    const found = await results[output].getData();
    const wrong = values.some((value, i) => !(Math.abs(found[i * step] - value) < TOLERANCE));
    if (wrong) throw new Error("it computes something else");
  }

  // What the segmenter is given besides the photo in its first pass.
  firstFeeds() {
    const { constants, states } = this.described.segmenter;
    return Object.fromEntries([
      ...Object.entries(constants).map(([name, value]) => [name, this.tensor(new Float32Array([value]), [])]),
      ...states.map(([name]) => [name, this.tensor(new Float32Array(1), [1, 1, 1, 1])]),
    ]);
  }

  tensor(data, dims) {
    return new this.ort.Tensor("float32", data, dims);
  }

  // What `weights` must be given of a Photo besides its preview; null if the generator is told nothing.
  seen(photo) {
    return this.segmenter ? seenBy(this.described.segmenter, photo) : null;
  }

  // The subject's probability, one plane, in what the segmenter has `seen`.
  async mask({ width, height, pixels }) {
    const how = this.described.segmenter;
    const feeds = { [how.input]: this.tensor(pixels, [1, height, width, 3]), ...this.firstFeeds() };
    let results;
    for (let pass = 0; pass < how.passes; pass++) {
      results = await this.segmenter.run(feeds);
      for (const [name, output] of how.states) feeds[name] = results[output];
    }
    const data = Float32Array.from(await results[how.output].getData(), (value) => Math.min(Math.max(value, 0), 1));
    return { width, height, data };
  }

  // Of a photo of three planes in [0,1], which in full has `full` pixels: weights at the network's own scale, planes in focus
  // and of each radius, and the mask that it was told, or null; null alone if there is nobody in it to be told of.
  async weights(photo, full, seen) {
    const { generator } = this.described;
    const scale = generator.weights_size / Math.min(...full);
    const [width, height] = full.map(
      (side) => Math.max(1, roundHalfEven((side * scale) / generator.divisor)) * generator.divisor);
    let told = photo, mask = null;
    if (this.segmenter) {
      mask = await this.mask(seen);
      if (!mask.data.some((value) => value >= HALF)) return null;
      const data = new Float32Array(4 * photo.width * photo.height);
      data.set(photo.data);
      data.set(bilinear(mask, photo.width, photo.height).data, photo.data.length);
      told = { width: photo.width, height: photo.height, data };
    }
    const small = bilinear(told, width, height);
    const input = this.tensor(small.data.map((value) => 2 * value - 1), [1, generator.channels, height, width]);
    const { result } = await this.generator.run({ image: input });
    return { weights: { width, height, data: Float32Array.from(await result.getData()) }, mask };
  }

  // How much a lens would blur each place of such a photo whose subject is the plane in focus: see radii.js.
  async radii(photo, subject, full) {
    const { width, height, data } = lookAt(photo, subject, this.described.radius.look_side, full);
    const { result } = await this.radius.run({ image: this.tensor(data, [1, 4, height, width]) });
    const [, , rows, columns] = result.dims;
    return radiiOf({ width: columns, height: rows, data: await result.getData() }, subject, this.described.radius.farthest);
  }

  // What the guided filter is fitted on: the photo in [-1,1] at the size of the weights.
  static guide(photo, { width, height }) {
    const small = area(photo, width, height);
    return { width, height, data: small.data.map((value) => 2 * value - 1) };
  }
}

// A Photo as the segmenter described by `how` sees it: {width, height, pixels}, rows of RGB in [0,1]. What a network finds
// depends on the pixels that it sees, so they are those that it sees elsewhere: 8 bits, antialiased down to `side`; and
// from there on, where a network that has a `coarse` side shrinks photos itself, as it does it, aliased.
export function seenBy(how, photo) {
  const scale = Math.min(1, how.side / Math.max(photo.width, photo.height));
  const sides = how.keep_aspect
    ? [photo.width, photo.height].map((side) => Math.max(1, roundHalfEven(side * scale)))
    : [how.side, how.side];
  let picture = planes(photo.bilinear(...sides).pixels, ...sides);
  const ratio = Math.fround((how.coarse ?? Infinity) / Math.max(...sides));
  if (ratio < 1) picture = aliased(picture, ...sides.map((side) => Math.max(1, Math.trunc(Math.fround(side * ratio)))));
  const { width, height, data } = picture;
  const size = width * height;
  const pixels = new Float32Array(3 * size);
  for (let k = 0; k < size; k++) for (let c = 0; c < 3; c++) pixels[3 * k + c] = data[c * size + k];
  return { width, height, pixels };
}

// Throws where there is none, or one that is a program on the CPU, which is slower than the runtime there.
async function checkWebGPU(evenOnCpu) {
  if (!navigator.gpu) throw new Error("this browser has none");
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error("no graphics card that it can use");
  const onCpu = adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter;
  if (onCpu && !evenOnCpu) throw new Error("it would run on the CPU");
}

const tooLate = () => new Promise((_, reject) => setTimeout(() => reject(new Error("it is too slow")), PATIENCE));
