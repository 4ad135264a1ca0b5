"""Parts of the lab's scenes: people, hair, leaves, textures on slanted planes, small lights.

Light is linear and premultiplied with coverage, `[4,h,w]`, as `datasets.lab_lens` takes it.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from datasets.demo_scenes import BRICK, GRASS, GRAVEL, CutOut, backgrounds, cut_out, dye_suit
from util import resize
from util.errors import UserError
from util.images import has_alpha, list_images, read_mask
from util.optics.arrays import srgb_to_linear

OVERSAMPLED = 4  # how much larger fine things are drawn before areas are averaged
TEXTURES = {"brick": (5, BRICK), "grass": (6, GRASS), "gravel": (7, GRAVEL)}  # places in backgrounds()
TEXELS_PER_METRE = {"brick": 240, "grass": 330, "gravel": 330}
HEAD_SHARE = 0.25  # of a person's height in the picture, from the top: where loose hair grows


@dataclass(frozen=True)
class Person:
    """A cut-out with what its placing needs: its first and last row, the column of its head, whether it is cut off
    at the bottom as a bust is."""

    cutout: CutOut
    top: int
    bottom: int
    head: float
    is_bust: bool

    @classmethod
    def of_cutout(cls, cutout: CutOut) -> "Person":
        """Measures the cut-out.

        Raises:
            ValueError: nobody is in it.
        """
        rows = np.nonzero(cutout.alpha.max(axis=1) > 0.5)[0]
        if rows.size == 0:
            raise ValueError("nothing covers half a pixel")
        top, bottom = int(rows[0]), int(rows[-1])
        columns = cutout.alpha[top : top + max(1, (bottom - top) // 6)].sum(axis=0)
        head = float((columns * np.arange(columns.size)).sum() / columns.sum())
        return cls(cutout, top, bottom, head, bottom >= cutout.alpha.shape[0] - 2)


def demo_person(rng: np.random.Generator) -> Person:
    """The person of the demo in a suit of random colour."""
    person = cut_out()
    return Person.of_cutout(CutOut(dye_suit(person.color, rng.uniform(0, 360)), person.alpha))


def read_people(folder: Path) -> list[Person]:
    """RGBA cut-outs of a folder, whose colours are the people's own.

    Raises:
        UserError: there are none, or a picture has no alpha or nobody in it.
    """
    people = []
    for path in list_images(folder):
        read_mask(path)  # says what is wrong with a file that can't be read
        with Image.open(path) as image:
            if not has_alpha(image):
                raise UserError(f"--people {path}: no alpha channel; give cut-outs (RGBA)")
            pixels = np.asarray(image.convert("RGBA"), np.float32) / 255
        try:
            people.append(Person.of_cutout(CutOut(pixels[..., :3], pixels[..., 3])))
        except ValueError as error:
            raise UserError(f"--people {path}: {error}; give cut-outs with an alpha channel") from None
    if not people:
        raise UserError(f"--people {folder}: no images in it")
    return people


def lit(rng: np.random.Generator, person: Person) -> np.ndarray:
    """The person's light and coverage `[h,w,4]`, premultiplied, in light of random strength and colour."""
    light = srgb_to_linear(person.cutout.color) * rng.uniform(0.7, 1.2) * rng.uniform(0.92, 1.08, 3)
    alpha = person.cutout.alpha[..., None]
    return np.dstack([np.clip(light, 0, 1) * alpha, alpha]).astype(np.float32)


def resized(layer: np.ndarray, scale: float) -> np.ndarray:
    """`[h,w,4]` at another size, coverage and light kept in [0,1]."""
    size = (max(1, round(layer.shape[1] * scale)), max(1, round(layer.shape[0] * scale)))
    layer = np.clip(resize.resized(layer, size), 0, 1)
    return np.minimum(layer, layer[..., 3:])  # no more light than coverage lets through


def with_hair(rng: np.random.Generator, layer: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A person `[h,w,4]` with `count` loose strands around the head, and the strands' share `[h,w]` of each pixel.

    Strands are lines half a pixel wide and thinner, as hair is in a portrait: no pixel is covered by them alone.
    """
    head, middle = _head_outline(layer[..., 3])
    strands = np.zeros(tuple(OVERSAMPLED * side for side in layer.shape[:2]), np.uint8)
    length = 0.5 * np.ptp(head[:, 1])
    for root in head[rng.integers(len(head), size=count)]:
        outwards = np.arctan2(*(root - middle)[::-1]) + rng.normal(0, 0.35)
        bend, reach = rng.normal(0, 1.2), length * rng.uniform(0.1, 0.6)
        steps = np.linspace(0, 1, 12)
        angles = outwards + bend * steps
        points = root + np.cumsum(np.stack([np.cos(angles), np.sin(angles)], 1) * reach / 12, axis=0)
        for start, (a, b) in enumerate(pairwise(points)):
            start_at, end_at = (pixel(np.round(16 * OVERSAMPLED * (p + 0.5))) for p in (a, b))
            cv2.line(strands, start_at, end_at, 255, 2 if start < 7 else 1, cv2.LINE_AA, shift=4)
    coverage = _shrunk(strands, layer.shape[:2])[..., None]
    inside = layer[..., 3] > 0.99
    inside[np.arange(len(inside)) > head[:, 1].max()] = False
    color = np.median(layer[inside][:, :3], axis=0) * rng.uniform(0.3, 0.8)
    beyond = (1 - layer[..., 3:]) * coverage
    return layer + np.dstack([beyond * color, beyond]).astype(np.float32), beyond[..., 0]


def _head_outline(alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (x, y) on the outline of the upper part of a person, and the middle of that part."""
    rows = np.nonzero(alpha.max(axis=1) > 0.5)[0]
    end = rows[0] + max(4, int(HEAD_SHARE * len(rows)))
    upper = np.uint8(alpha[:end] > 0.5)
    outlines, _ = cv2.findContours(upper, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=len)[:, 0]
    outline = outline[outline[:, 1] < end - 2]  # not the line where the head was cut off here
    return outline.astype(np.float64), outline.mean(axis=0)


def pixel(place: np.ndarray) -> tuple[int, int]:
    """`(x, y)` in whole pixels, as OpenCV wants places and sizes."""
    return int(place[0]), int(place[1])


def leaves(rng: np.random.Generator, height: int, width: int, count: int, light: np.ndarray) -> np.ndarray:
    """A bush or twig `[h,w,4]`: stalks from the bottom with leaves on them, textured with `light` `[h,w,3]`."""
    shape = (OVERSAMPLED * height, OVERSAMPLED * width)
    drawn = np.zeros(shape, np.uint8)
    root = np.array([shape[1] / 2, shape[0]])
    for _ in range(count):
        tip = rng.uniform((0.12, 0.05), (0.88, 0.75)) * shape[::-1]
        cv2.line(drawn, pixel(root), pixel(tip), 255, 3, cv2.LINE_AA)
        for share in rng.uniform(0.3, 1, 5):
            at = root + share * (tip - root) + rng.normal(0, 0.03 * shape[1], 2)
            axes = rng.uniform((0.03, 0.012), (0.07, 0.03)) * shape[1]
            size = pixel(np.maximum(1, axes))
            cv2.ellipse(drawn, pixel(at), size, rng.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA)
    coverage = _shrunk(drawn, (height, width))[..., None]
    return np.dstack([light * coverage, coverage]).astype(np.float32)


def tinted(rng: np.random.Generator, name: str) -> np.ndarray:
    """A texture's linear light `[h,w,3]` with one of its colours."""
    place, tints = TEXTURES[name]
    gain = rng.uniform(0.6, 1.1) * np.array(tints[rng.integers(len(tints))], np.float32)
    return np.clip(backgrounds()[place][0] * gain, 0, 1).astype(np.float32)


def on_plane(texture: np.ndarray, across: np.ndarray, along: np.ndarray) -> np.ndarray:
    """`texture` [h,w,3] where each pixel shows its texel (across, along), each `[H,W]`; mirrored beyond its sides.

    Far parts take it from smaller copies, so that nothing is finer than a pixel (mip maps, Williams 1983).
    """
    steps = [np.hypot(*np.gradient(texels)) for texels in (across, along)]
    level = np.log2(np.maximum(1, np.maximum(*steps)))
    copies = [texture]
    while len(copies) <= level.max() and min(copies[-1].shape[:2]) > 8:
        copies.append(cv2.pyrDown(copies[-1]))
    level = np.minimum(level, len(copies) - 1)
    seen = np.zeros((*across.shape, 3), np.float32)
    for number, copy in enumerate(copies):
        weight = np.clip(1 - np.abs(level - number), 0, 1)[..., None]
        if weight.any():
            x, y = (((texels + 0.5) / 2**number - 0.5).astype(np.float32) for texels in (across, along))
            seen += weight * cv2.remap(copy, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return seen


def small_light(x: float, y: float, radius: float, color: np.ndarray) -> tuple[np.ndarray, int, int]:
    """A round light of `radius` pixels at frame position (x, y): `[4,h,w]`, and the place of its first pixel."""
    reach = int(np.ceil(radius)) + 2
    top, left = round(y) - reach, round(x) - reach
    points = (np.arange((2 * reach + 1) * 8) + 0.5) / 8 - 0.5
    inside = (points[:, None] - (y - top)) ** 2 + (points[None] - (x - left)) ** 2 <= radius**2
    coverage = inside.reshape(2 * reach + 1, 8, 2 * reach + 1, 8).mean(axis=(1, 3))
    light = np.concatenate([coverage[None] * np.reshape(color, (3, 1, 1)), coverage[None]])
    return light.astype(np.float32), top, left


def _shrunk(drawn: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Coverage `[h,w]` in [0,1] of what was drawn `OVERSAMPLED` times larger."""
    return cv2.resize(drawn, shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
