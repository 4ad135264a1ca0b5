// The photos that were opened, as a strip of buttons. What can be found again is kept of the last few alone.
const DECISIONS = 6; // photos whose decision is kept
const THUMBNAIL = 96; // height in pixels

export class Album {
  // `strip`: an element; `show(photo)` when one is chosen.
  constructor(strip, show) {
    Object.assign(this, { strip, show, photos: [], current: null });
  }

  get good() {
    return this.photos.filter((photo) => !photo.broken);
  }

  add(files) {
    const added = [...files].map((file) => ({ file, decision: null, painting: null, broken: false }));
    this.photos.push(...added);
    this.list();
    return added;
  }

  // The one `by` places from the current one, around the end.
  beside(by) {
    const { good } = this;
    return good[(good.indexOf(this.current) + by + good.length) % good.length];
  }

  // `photo` is shown now.
  enter(photo, preview) {
    if (this.current && this.current !== photo && this.current.painting?.isEmpty) this.current.painting = null;
    this.current?.painting?.forget();
    this.current = photo;
    photo.shown = performance.now();
    const kept = this.photos.filter(({ decision }) => decision).sort((a, b) => b.shown - a.shown);
    for (const old of kept.slice(DECISIONS)) old.decision = null;
    photo.thumbnail ??= thumbnailOf(preview);
    this.list();
  }

  list() {
    this.strip.hidden = this.photos.length < 2;
    this.strip.replaceChildren(...this.photos.map((photo) => {
      const button = document.createElement("button");
      button.type = "button";
      button.disabled = photo.broken;
      button.title = button.ariaLabel = photo.file.name;
      button.setAttribute("aria-current", photo === this.current);
      button.append(photo.thumbnail ?? photo.file.name);
      button.onclick = () => this.show(photo);
      return button;
    }));
  }
}

function thumbnailOf({ width, height, pixels }) {
  const [whole, small] = [document.createElement("canvas"), document.createElement("canvas")];
  [whole.width, whole.height] = [width, height];
  whole.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
  [small.width, small.height] = [Math.max(1, Math.round((THUMBNAIL * width) / height)), THUMBNAIL];
  small.getContext("2d").drawImage(whole, 0, 0, small.width, small.height);
  // Its memory is freed at once, and not when somebody tidies up.
  whole.width = 0;
  return small;
}
