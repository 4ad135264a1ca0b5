"""Portraits made of parts: a person with an exact matte before a background, each sharp or behind a lens.

The parts are photos that scikit-image carries. The person is NASA's portrait of Eileen Collins (public domain),
cut out by closed-form matting (Levin, Lischinski and Weiss 2008) along an outline placed by hand. All light is
linear while it is blurred and laid over, as in a camera; images are sRGB in the end.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from util.images import read_mask
from util.optics.arrays import disc_kernel, linear_to_srgb, srgb_to_linear
from util.resize import resized

# The matte of the upper 448 rows of the photo; below them its border would cut her arm.
ALPHA = Path(__file__).with_name("demo_person_alpha.png")
# Pixels in the photo: where the head begins and is, where the suit begins.
HEAD_TOP, HEAD_X, COLLAR = 16, 228, 200
FOREGROUND_WINDOWS = (91, 7)  # px, of the two passes of estimate_foreground

# Grey textures get one of these colours, as linear RGB gains.
BRICK = ((1.5, 0.7, 0.5), (1.3, 1.1, 0.8), (0.9, 1.0, 1.1), (0.8, 0.45, 0.4))
GRASS = ((0.7, 1.2, 0.3), (1.1, 1.2, 0.4), (0.5, 0.9, 0.4))
GRAVEL = ((1.3, 1.1, 0.8), (0.8, 1.0, 1.3), (0.6, 0.55, 0.5))


@dataclass(frozen=True)
class CutOut:
    """A person without background: `color` sRGB [H,W,3] in [0,1], valid where `alpha` [H,W] in [0,1] is not 0."""

    color: np.ndarray
    alpha: np.ndarray


@dataclass(frozen=True)
class DemoScene:
    """A person before a background, in focus or not.

    `person` is linear light [S,S,3] and `mask` [S,S], a multiple of 1/255, its share of each pixel.
    `plate` is the background's light [S+2n,S+2n,3]: n more pixels at each side than are seen, so that a blur
    of radius up to n finds real background everywhere.
    """

    person: np.ndarray
    mask: np.ndarray
    plate: np.ndarray

    def render(self, radius: float = 0.0) -> np.ndarray:
        """The photo, uint8 [S,S,3], with the background behind a disc of `radius` pixels; 0 is sharp.

        The plate is blurred before the person is laid over it: no light of hers gets into the background.
        """
        n = (self.plate.shape[0] - self.mask.shape[0]) // 2
        background = cv2.filter2D(self.plate, -1, disc_kernel(radius)) if radius > 0 else self.plate
        background = background[n:-n, n:-n] if n else background
        share = self.mask[..., None]
        light = share * self.person + (1 - share) * background
        return to_8_bit(linear_to_srgb(np.clip(light, 0, 1)))


def to_8_bit(x: np.ndarray) -> np.ndarray:
    """[0,1] to the nearest uint8."""
    return (255 * x + 0.5).astype(np.uint8)


def estimate_foreground(photo: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The person's own colours [H,W,3] where `photo` [H,W,3] shows her mixed with what was behind, [0,1].

    Blur fusion (Forte 2021, Approximate Fast Foreground Colour Estimation): local means of both sides first,
    then what the photo adds to their mixture.
    """
    alpha = alpha[..., None]
    foreground = background = photo
    for window in FOREGROUND_WINDOWS:
        share = cv2.blur(alpha, (window, window))[..., None]
        foreground = cv2.blur(foreground * alpha, (window, window)) / (share + 1e-5)
        background = cv2.blur(background * (1 - alpha), (window, window)) / (1 - share + 1e-5)
        rest = photo - alpha * foreground - (1 - alpha) * background
        foreground = np.clip(foreground + alpha * rest, 0, 1)
    return foreground


@lru_cache
def cut_out() -> CutOut:
    """The person of scikit-image's portrait."""
    alpha = np.asarray(read_mask(ALPHA), np.float32) / 255
    photo = data.astronaut()[: alpha.shape[0]].astype(np.float32) / 255
    return CutOut(estimate_foreground(photo, alpha), alpha)


@lru_cache
def backgrounds() -> tuple[tuple[np.ndarray, tuple], ...]:
    """Photos that can stand behind a person, as linear light, each with the colours it may take."""
    garage, garage_from_the_right, _ = data.stereo_motorcycle()
    plain = ((1.0, 1.0, 1.0),)
    photos = (
        (garage, plain),
        (garage_from_the_right, plain),
        (data.rocket(), plain),
        (data.coffee(), plain),
        (data.hubble_deep_field(), plain),
        (data.brick(), BRICK),
        (data.grass(), GRASS),
        (data.gravel(), GRAVEL),
    )
    return tuple(
        (srgb_to_linear(np.atleast_3d(photo) / 255) * np.ones(3, np.float32), tints)
        for photo, tints in photos
    )


def make_plate(rng: np.random.Generator, size: int) -> np.ndarray:
    """A background, linear light [size,size,3]: a random square of a random photo, mirrored, lit and tinted."""
    photo, tints = backgrounds()[rng.integers(len(backgrounds()))]
    height, width = photo.shape[:2]
    side = int(rng.uniform(min(size, 0.7 * min(height, width)), min(height, width)))
    y, x = rng.integers(height - side + 1), rng.integers(width - side + 1)
    light = resized(photo[y : y + side, x : x + side], (size, size))
    if rng.random() < 0.5:
        light = light[:, ::-1]
    gain = rng.uniform(0.7, 1.4) * rng.uniform(0.9, 1.1, 3) * np.array(tints[rng.integers(len(tints))])
    return np.clip(light * gain, 0, 1).astype(np.float32)


def dye_suit(color: np.ndarray, turn: float) -> np.ndarray:
    """Turn the orange of the suit by `turn` degrees of hue; `color` is the cut-out's sRGB [H,W,3] in [0,1]."""
    hue, saturation, value = cv2.split(cv2.cvtColor(color, cv2.COLOR_RGB2HSV))
    turned = cv2.cvtColor(cv2.merge([(hue + turn) % 360, saturation, value]), cv2.COLOR_HSV2RGB)
    distance = np.abs((hue - 12 + 180) % 360 - 180)  # degrees from the suit's own hue
    share = np.clip((saturation - 0.3) / 0.2, 0, 1) * np.clip((35 - distance) / 10, 0, 1)
    share[:COLLAR] = 0  # the face has the same hue
    return share[..., None] * turned + (1 - share[..., None]) * color


def place_person(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The person, lit and dressed at random, somewhere in a frame: light [size,size,3] and mask [size,size]."""
    person = cut_out()
    light = srgb_to_linear(dye_suit(person.color, rng.uniform(0, 360)))
    light = np.clip(light * rng.uniform(0.7, 1.2) * rng.uniform(0.92, 1.08, 3), 0, 1)
    premultiplied = np.dstack([light * person.alpha[..., None], person.alpha]).astype(np.float32)
    # The head is somewhere in the upper half, and the frame ends before the person does.
    top = rng.uniform(0.06, 0.3) * size
    scale = rng.uniform(1.0, 1.4) * (size - top) / (person.alpha.shape[0] - HEAD_TOP)
    height, width = np.ceil(np.array(person.alpha.shape) * scale).astype(int)
    layer = resized(premultiplied, (width, height))
    head = HEAD_X * scale
    if rng.random() < 0.5:
        layer, head = layer[:, ::-1], width - head
    left = round(rng.uniform(0.35, 0.65) * size - head)
    frame = np.zeros((size, size, 4), np.float32)
    _lay(frame, layer, round(top - HEAD_TOP * scale), left)
    mask = to_8_bit(np.clip(frame[..., 3], 0, 1)) / np.float32(255)
    return np.clip(frame[..., :3] / np.maximum(frame[..., 3:], 1e-6), 0, 1), mask


def make_scene(rng: np.random.Generator, size: int, margin: int) -> DemoScene:
    """A scene of `size` pixels whose background reaches `margin` pixels further."""
    plate = make_plate(rng, size + 2 * margin)
    person, mask = place_person(rng, size)
    return DemoScene(person, mask, plate)


def _lay(frame: np.ndarray, layer: np.ndarray, top: int, left: int) -> None:
    """Copy the part of `layer` that falls into `frame` when its corner is at (`top`, `left`)."""
    bottom, right = min(top + layer.shape[0], frame.shape[0]), min(left + layer.shape[1], frame.shape[1])
    y, x = max(top, 0), max(left, 0)
    frame[y:bottom, x:right] = layer[y - top : bottom - top, x - left : right - left]
