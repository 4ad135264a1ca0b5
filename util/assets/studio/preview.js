// The photo on the screen: drawn at once as a draft while something changes, in full when it comes to rest.
import { planes, shrunk } from "./sampling.js";
import { Renderer } from "./renderer.js";

const SLOW = 80; // milliseconds for a draft, above which it gets smaller
const REST = 200; // milliseconds without a change, after which it is drawn in full
const PARTS = [1, 2, 4]; // the preview's size, and those of drafts: a half, a quarter

export const NOTHING = 0, PAINT = 1, FOCUS = 2; // what is shown over the photo

export class Preview {
  // `settings()` of the renderer; `shows()` one of the above; `onDrawn()` after each drawing in full.
  constructor(canvas, model, { settings, shows, onDrawn }) {
    Object.assign(this, { canvas, settings, shows, onDrawn });
    this.renderer = new Renderer(canvas, model);
    this.split = 0.5;
    this.holding = false;
    this.draftLevel = 0;
    this.levels = null;
  }

  get size() {
    return this.levels?.[0];
  }

  // Show a photo: its preview {width, height, pixels, matte}, what was decided, and whether its numbers are Display P3's.
  open(preview, decision, isP3) {
    const { width, height } = preview;
    this.levels = PARTS.map((part) => {
      const size = [width, height].map((side) => Math.max(1, Math.round(side / part)));
      const { pixels: matte } = shrunk({ ...preview, pixels: preview.matte }, ...size);
      return { ...shrunk(preview, ...size), matte };
    });
    this.photo = planes(preview.pixels, width, height);
    [this.canvas.width, this.canvas.height] = [width, height];
    this.renderer.setColours(isP3);
    this.renderer.setDecision(decision);
    this.level = null;
  }

  paint(painting) {
    this.renderer.setPaint(painting.isEmpty ? null : painting, this.levels[0]);
  }

  draw(level, draft) {
    if (level !== this.level) this.renderer.setPart(this.levels[level]);
    this.level = level;
    this.renderer.render({ ...this.settings(), draft });
    this.present();
  }

  // Who paints looks at the result alone.
  present() {
    const shows = this.shows();
    const split = this.holding ? 1 : shows === PAINT ? 0 : this.split;
    this.renderer.present(split, shows);
  }

  drawDraft() {
    this.frame = 0;
    const start = performance.now();
    this.draw(this.draftLevel, true);
    this.renderer.finish();
    const took = performance.now() - start;
    // The size follows what the machine can do.
    if (took > SLOW) this.draftLevel = Math.min(this.draftLevel + 1, PARTS.length - 1);
    else if (took < SLOW / 8) this.draftLevel = Math.max(0, this.draftLevel - 1);
  }

  drawFull() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.rest);
    this.frame = 0;
    this.draw(0, false);
    this.onDrawn();
  }

  // Something has changed.
  changed() {
    if (!this.levels) return;
    this.frame ||= requestAnimationFrame(() => this.drawDraft());
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.drawFull(), REST);
  }

  // Only the line between before and after has moved.
  moved() {
    if (this.levels && !this.frame) this.present();
  }
}
