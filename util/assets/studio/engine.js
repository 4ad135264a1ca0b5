// The worker as promises.
export class Engine {
  // `report(text, share)`: how far it is, share in [0,1] or null.
  constructor(report) {
    this.waiting = new Map();
    this.count = 0;
    this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data: { id, progress, result, error } }) => {
      if (progress) return report(progress.text, progress.share);
      const { resolve, reject } = this.waiting.get(id);
      this.waiting.delete(id);
      if (error) reject(new Error(error));
      else resolve(result);
    };
    this.worker.onerror = (event) => {
      for (const { reject } of this.waiting.values()) reject(new Error(event.message || "The worker can't be loaded."));
      this.waiting.clear();
    };
  }

  ask(action, request) {
    return new Promise((resolve, reject) => {
      this.waiting.set(++this.count, { resolve, reject });
      this.worker.postMessage({ id: this.count, action, ...request });
    });
  }
}
