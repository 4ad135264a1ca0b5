"""From depth to radii of blur: what is in focus, and how far out of it all else is."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from util.errors import PhotoError, UserError
from util.present import present

# Pixels with more alpha are the subject's; two people that don't touch are two subjects.
INSIDE = 0.5
# Smaller parts of the alpha, as shares of all of it, belong to the largest.
CRUMB = 0.02


@dataclass(frozen=True)
class Focus:
    """What is in focus: the subject; `near` or `far`; a place of the depth scale; or a point of the photo.

    Attributes:
        place: `subject`, or in [0,1] from far to near.
        point: (x, y), pixels, or shares of width and height if both are at most 1; overrides `place`.
    """

    place: str | float = "subject"
    point: tuple[float, float] | None = None

    @classmethod
    def parse(cls, text: str) -> "Focus":
        """What `--focus` says: `subject`, `near`, `far`, `0.4` or `X,Y`.

        Raises:
            UserError: none of these.
        """
        words = {"subject": cls(), "near": cls(1.0), "far": cls(0.0)}
        if text in words:
            return words[text]
        try:
            numbers = [float(part) for part in text.split(",")]
        except ValueError:
            numbers = []
        if len(numbers) == 2 and min(numbers) >= 0:
            return cls(point=(numbers[0], numbers[1]))
        if len(numbers) == 1 and 0 <= numbers[0] <= 1:
            return cls(numbers[0])
        raise UserError(f"--focus {text}: give subject, near, far, a number from 0 (far) to 1 (near), or X,Y")

    def pixel(self, height: int, width: int) -> tuple[int, int]:
        """Row and column of `point`.

        Raises:
            PhotoError: outside the photo.
        """
        x, y = present(self.point)
        if max(x, y) <= 1:
            x, y = x * (width - 1), y * (height - 1)
        column, row = round(x), round(y)
        if not (0 <= column < width and 0 <= row < height):
            raise PhotoError(f"--focus {x:g},{y:g}: outside the photo of {width} x {height} pixels")
        return row, column


def add_focus_options(parser: ArgumentParser, title: str) -> None:
    """Options of depth and focus; `Focus.parse` and `deeplab.depth_maps.DepthSource` read them."""
    add = parser.add_argument_group(title).add_argument
    add(
        "--depth",
        default="",
        help="auto takes the photo's own depth or estimates it; or a map, or a folder of maps by the photos' stems; "
        "none; default: depthA of a --dataroot that test.py reads, else none",
    )
    add("--depth_far_bright", action="store_true", help="in the maps of --depth far is bright, not near")
    add("--depth_weights", type=Path, help="an ONNX file for --depth auto, in place of the download")
    add(
        "--focus",
        default="subject",
        help="subject, near, far, a number from 0 (far) to 1 (near), or X,Y in pixels or shares of width and height",
    )


def plan_blur(
    alpha: np.ndarray, depth: np.ndarray | None, largest: float, focus: Focus
) -> tuple[np.ndarray, np.ndarray]:
    """Who is the subject, and how far out of focus all is, for `util.optics.camera.render`.

    The alpha overrides the depth: each person is as far as the middle of that person. The subject that is returned is
    who is in focus; other people are part of what is around. If nobody is, all people are.

    Args:
        alpha: float32 `[H,W] in [0,1]`.
        depth: inverse depth `[H,W] in [0,1]`, near is 1; None: people are near, all else is far.
        largest: radius in pixels, of what is farthest out of focus.

    Returns:
        alpha `[H,W]`, and signed radii `[H,W]` in pixels, positive nearer than the focus.

    Raises:
        PhotoError: a point outside the photo.
    """
    people = _people(alpha)
    inside = alpha > INSIDE
    if depth is None:
        depth = inside.astype(np.float32)
    else:
        depth = depth.astype(np.float32).copy()
        for person in range(1, people.max() + 1):
            body = (people == person) & inside
            depth[body] = np.median(depth[body])
    if focus.point:
        at = float(depth[focus.pixel(*alpha.shape)])
    elif focus.place == "subject":
        at = float(np.median(depth[inside])) if inside.any() else float(depth.max())
        if inside.any() and people.max() > 1:
            at = float(depth[(people == _largest(people)) & inside].max())
    else:
        at = float(depth.min() + (depth.max() - depth.min()) * float(focus.place))
    span = max(at - float(depth.min()), float(depth.max()) - at, 1e-6)
    radius = (largest * (depth - at) / span).astype(np.float32)
    sharp = np.abs(radius) <= 0.5
    in_focus = [person for person in range(1, people.max() + 1) if sharp[(people == person) & inside].all()]
    if in_focus and len(in_focus) < people.max():
        alpha = np.where(np.isin(people, in_focus) | (people == 0), alpha, 0)
    return alpha, radius


def _people(alpha: np.ndarray) -> np.ndarray:
    """Number of the person that each pixel belongs to, from 1; 0 where alpha is 0."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(np.uint8(alpha > INSIDE))
    sizes = stats[:, cv2.CC_STAT_AREA].copy()
    sizes[0] = 0
    kept = [part for part in range(1, len(sizes)) if sizes[part] >= CRUMB * sizes.sum()]
    if not kept:
        return np.zeros(alpha.shape, np.int32)
    seeds = np.zeros(alpha.shape, np.int32)
    for number, part in enumerate(kept, start=1):
        seeds[parts == part] = number
    # Soft edges and crumbs belong to the nearest person.
    _, labels = cv2.distanceTransformWithLabels(
        np.uint8(seeds == 0), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_label = np.zeros(labels.max() + 1, np.int32)
    of_label[labels[seeds > 0]] = seeds[seeds > 0]
    return np.where(alpha > 0, of_label[labels], 0)


def _largest(people: np.ndarray) -> int:
    return int(np.bincount(people.ravel())[1:].argmax()) + 1
