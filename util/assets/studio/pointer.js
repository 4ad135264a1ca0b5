// Mouse, finger, pen and arrow keys over the photo: move the before/after line, or paint.
const STEP = 0.02; // of the photo's width, per press of an arrow key
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const PLANE = { spot: 0, keep: 0, blur: 1 };

export class Pointer {
  // `actions`: tool(), radius() and size() tell; split, splitBy, begin, stroke and end act. Places in pixels of the preview.
  constructor(view, cursor, actions) {
    Object.assign(this, { view, cursor, actions, last: null, place: null });
    view.addEventListener("pointerdown", (event) => this.down(event));
    view.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) view.addEventListener(name, () => this.up());
    view.addEventListener("pointerleave", () => (cursor.hidden = true));
    view.addEventListener("blur", () => (cursor.hidden = true));
    // It has its place in pixels of the window as it was.
    window.addEventListener("resize", () => (cursor.hidden = true));
    view.addEventListener("keydown", (event) => this.key(event));
  }

  at(event) {
    const box = this.view.getBoundingClientRect();
    const { width, height } = this.actions.size();
    return [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
  }

  down(event) {
    if (event.button) return;
    this.view.setPointerCapture(event.pointerId);
    const place = this.at(event);
    this.last = place;
    const tool = this.actions.tool();
    if (tool === "compare") this.actions.split(place[0] / this.actions.size().width);
    else this.touch(tool, place);
  }

  // Only what has begun ends: a click on the before/after line is no stroke.
  up() {
    if (this.last && this.actions.tool() !== "compare") this.actions.end();
    this.last = null;
  }

  move(event) {
    const place = this.at(event);
    const tool = this.actions.tool();
    if (tool !== "compare") this.show(place);
    if (!this.last) return;
    if (tool === "compare") this.actions.split(Math.min(1, Math.max(0, place[0] / this.actions.size().width)));
    else if (tool !== "spot") this.actions.stroke(this.last, place);
    this.last = place;
  }

  // The brush comes down.
  touch(tool, place) {
    this.actions.begin(this.radius(tool), PLANE[tool]);
    this.actions.stroke(place, place);
  }

  // A spot is twice as wide, and has no length.
  radius(tool) {
    return this.actions.radius() * (tool === "spot" ? 2 : 1);
  }

  key(event) {
    const { width, height } = this.actions.size();
    const tool = this.actions.tool();
    const arrow = ARROWS[event.key];
    this.place ??= [width / 2, height / 2];
    if (arrow && tool === "compare") this.actions.splitBy(arrow[0] * STEP);
    else if (arrow) {
      const step = STEP * width;
      this.place = [Math.min(width, Math.max(0, this.place[0] + step * arrow[0])), Math.min(height, Math.max(0, this.place[1] + step * arrow[1]))];
      this.show(this.place);
    } else if (event.key === "Enter" && tool !== "compare") {
      this.touch(tool, this.place);
      this.actions.end();
    } else return;
    event.preventDefault();
  }

  // The ring that shows where the brush is and how large.
  show([x, y]) {
    const { width, height } = this.actions.size();
    const box = this.view.getBoundingClientRect();
    const frame = this.cursor.parentElement.getBoundingClientRect();
    const radius = this.radius(this.actions.tool()) * (box.width / width);
    this.cursor.hidden = false;
    this.cursor.style.width = this.cursor.style.height = `${2 * radius}px`;
    this.cursor.style.left = `${box.left - frame.left + (x / width) * box.width - radius}px`;
    this.cursor.style.top = `${box.top - frame.top + (y / height) * box.height - radius}px`;
  }
}
