"""What is true of a photo of the lab (datasets/make_lab.py): reads what lies beside it in the dataroot."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from util.errors import UserError
from util.images import read_image, read_mask, read_pixels

LENSES = ("narrow", "wide", "far")

# Radii are kept in 16 bits: 256 steps a pixel around the middle, up to 127 pixels nearer or farther than the focus.
RADIUS_ZERO, RADIUS_STEPS = 32768, 256


@dataclass(frozen=True)
class Light:
    """A small light at pixel (x, y), `radius` pixels wide, whose disc is seen `clear`, whole and alone, or not."""

    x: float
    y: float
    radius: float
    inverse_depth: float
    clear: bool


@dataclass(frozen=True)
class LabLens:
    """Circles of confusion: radius in pixels = `aperture` * (inverse depth - `focus`); `point` (x, y) is in focus."""

    aperture: float
    focus: float
    point: tuple[int, int]


@dataclass(frozen=True)
class Truth:
    """A scene through one lens, all `[H,W]` or `[H,W,3]` float32.

    Attributes:
        photo: through the lens, sRGB in [0,1].
        alpha: the subject's, in [0,1].
        hair: share of loose hair, in [0,1].
        inverse_depth: 1/m, near is large.
        radius: signed circle of confusion in pixels, positive nearer than the focus.
        has_noise: whether the photos have a sensor's noise.
    """

    photo: np.ndarray
    alpha: np.ndarray
    hair: np.ndarray
    inverse_depth: np.ndarray
    radius: np.ndarray
    lens: LabLens
    lights: tuple[Light, ...]
    has_noise: bool


def encode_radius(radius: np.ndarray) -> np.ndarray:
    """Signed radii in pixels as uint16."""
    return np.clip(np.round(radius * RADIUS_STEPS) + RADIUS_ZERO, 0, 65535).astype(np.uint16)


def decode_radius(levels: np.ndarray) -> np.ndarray:
    """Signed radii in pixels, float32, of what `encode_radius` made."""
    return (levels.astype(np.float32) - RADIUS_ZERO) / RADIUS_STEPS


def read_radius(path: Path) -> np.ndarray:
    """Signed radius of the circle of confusion in pixels, `[H,W]`, from a file of `radius/<lens>`."""
    return decode_radius(read_pixels(path, channels=1)[..., 0])


def is_lab(dataroot: Path) -> bool:
    """Whether `dataroot` was made by datasets/make_lab.py."""
    return (dataroot / "scenes").is_dir() and (dataroot / "radius").is_dir()


def read_truth(dataroot: Path, stem: str, lens: str) -> Truth:
    """All that is true of the photo `stem` through the lens of this name.

    Raises:
        UserError: the scene, or one of its files, is missing.
    """
    path = dataroot / "scenes" / f"{stem}.json"
    if not path.is_file():
        raise UserError(f"{path}: no such file; make the lab again with datasets/make_lab.py")
    scene = json.loads(path.read_text(encoding="utf-8"))
    file = f"{stem}.png"
    depth = read_pixels(dataroot / "depthA" / file, channels=1)[..., 0]
    of_lens = scene["lenses"][lens]
    return Truth(
        photo=np.asarray(read_image(dataroot / "truth" / lens / file), np.float32) / 255,
        alpha=np.asarray(read_mask(dataroot / "maskA" / file), np.float32) / 255,
        hair=np.asarray(read_mask(dataroot / "hairA" / file), np.float32) / 255,
        inverse_depth=depth.astype(np.float32) * (scene["depth_of_white"] / 65535),
        radius=read_radius(dataroot / "radius" / lens / file),
        lens=LabLens(of_lens["aperture"], of_lens["focus"], tuple(of_lens["point"])),
        lights=tuple(Light(**light) for light in scene["lights"]),
        has_noise=scene["noise"] is not None,
    )
