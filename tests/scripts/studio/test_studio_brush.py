"""The brush: its rim follows the photo's edges, in the preview and at full size."""

import base64

import numpy as np
import pytest
from PIL import Image

from tests.scripts.studio.parts import pixels_of, psnr

pytestmark = pytest.mark.browser

RADIUS = 30

STROKE = """async ([width, height, packed, radius, from, to]) => {
  const { Stroke, rough } = await import("./stroke.js");
  const stroke = new Stroke(width, height, radius);
  stroke.add(from, to);
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const part = stroke.settled({ width, height, data: new Float32Array(bytes.buffer) });
  const marked = new Float32Array(width * height);
  for (let y = 0; y < part.height; y++) {
    const row = part.data.subarray(y * part.width, (y + 1) * part.width);
    marked.set(row, (part.top + y) * width + part.left);
  }
  const inBytes = (map) => [...map].map((value) => String.fromCharCode(Math.round(255 * value))).join("");
  return [btoa(inBytes(marked)), btoa(inBytes(stroke.nearness.map(rough)))];
}"""


def two_sides(width, height, contrast=0.3, noise=0.1):
    """A subject left of a slanted edge, and a background, both of them grainy: `[H,W,3]`, and how far each pixel is
    right of the edge."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    right = (x - width / 2 - 0.25 * (y - height / 2)) / np.hypot(1, 0.25)
    colours = 0.5 + np.where(right[..., None] < 0, 1, -1) * contrast / 2 * np.array([-1, 1, -1])
    grain = np.random.default_rng(0).uniform(-noise, noise, colours.shape)
    return (colours + grain).clip(0, 1), right


def marked(modules, pixels, inside):
    """What a stroke along the edge marks whose middle is `inside` radii left of it, and what it would without edges."""
    height, width = pixels.shape[:2]
    ends = [
        [width / 2 + 0.25 * (y - height / 2) - inside * RADIUS * np.hypot(1, 0.25), y]
        for y in (50, height - 50)
    ]
    packed = base64.b64encode(pixels.transpose(2, 0, 1).astype(np.float32).tobytes()).decode()
    maps = modules.evaluate(STROKE, [width, height, packed, RADIUS, *ends])
    planes = [np.frombuffer(base64.b64decode(of), np.uint8) / 255 for of in maps]
    return [plane.reshape(height, width)[100:-100] for plane in planes]


@pytest.mark.parametrize("inside", [0.4, 0.7, 1.2])
def test_a_stroke_ends_at_the_edge_beside_it(modules, inside):
    """Beyond the ring or before it: what the brush missed is marked, what it marked of the other side is let go."""
    pixels, right = two_sides(400, 300)
    right = right[100:-100]
    found, rough = marked(modules, pixels, inside)
    subject = (right < -2) & (right > -inside * RADIUS)
    background = right > 2
    # It would be wrong by a tenth of the brush or more.
    assert max((rough[subject] < 0.5).sum(), (rough[background] > 0.5).sum()) > 0.1 * RADIUS * len(right)
    assert found[subject].mean() > 0.99
    assert found[background & (right < RADIUS)].mean() < 0.05
    # On its other side nothing tells the subject from the subject.
    away = right < -(inside + 0.3) * RADIUS
    np.testing.assert_allclose(found[away], rough[away], atol=0.3)
    assert np.abs(found - rough)[away].mean() < 0.02


def test_a_stroke_where_nothing_ends_is_as_the_brush_drew_it(modules):
    pixels, _ = two_sides(400, 300, contrast=0)
    found, rough = marked(modules, pixels, 0)
    np.testing.assert_allclose(found, rough, atol=0.01)


def test_the_saved_file_has_the_edge_at_full_size(shop, tmp_path):
    """A photo of twice the preview's size: its own edge counts, and not that of the map that was painted."""
    pixels, right = two_sides(2048, 300)
    # No red: nobody is found.
    pixels[..., 0] = 0.2 * pixels[..., 1]
    pixels = (255 * pixels).round().astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "sides.png")
    shop.open(tmp_path / "sides.png")
    shop.drawn(lambda: shop.page.get_by_label("Only on what I mark").check())
    plain = pixels_of(shop.save()).astype(int)
    shop.slide("size", 10)
    shop.choose("keep")
    box = shop.page.locator("#view").bounding_box()
    scale = box["width"] / 2048
    # The ring, of 102 pixels, goes beyond the edge by 40.
    ends = [
        (box["x"] + scale * (1024 + 0.25 * (y - 150) - 62 * np.hypot(1, 0.25)), box["y"] + scale * y)
        for y in (40, 260)
    ]

    def drag():
        shop.page.mouse.move(*ends[0])
        shop.page.mouse.down()
        shop.page.mouse.move(*ends[1], steps=4)
        shop.page.mouse.up()

    shop.drawn(drag)
    saved = pixels_of(shop.save()).astype(int)
    middle = np.s_[100:-100]
    pixels, plain, saved, right = pixels[middle].astype(int), plain[middle], saved[middle], right[middle]
    sharp, soft = (right < -1.5) & (right > -60), (right > 1.5) & (right < 60)
    assert np.abs(plain - pixels)[sharp].mean() > 5  # there is something to see
    assert np.abs(saved - pixels)[sharp].mean() < 0.5
    # Grain is gone.
    assert np.abs(saved - pixels)[soft].mean() > 0.9 * np.abs(plain - pixels)[right > 200].mean()
    # Without the paint over it, and all of it after the line.
    shop.choose("compare")
    shop.page.mouse.click(box["x"] + 1, box["y"] + 1)
    shown = shop.shown()[50:-50].astype(int)
    small = saved.reshape(len(saved) // 2, 2, -1, 2, 3).mean((1, 3))
    assert psnr(shown[:, 450:575], small[:, 450:575]) > 35
