"""What is in focus, as options say it. Needs no PyTorch, for a quick start."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from util.errors import PhotoError, UserError
from util.present import present


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


class FocusOptions(Protocol):
    """What `add_focus_options` declares, as parsed."""

    depth: str
    depth_far_bright: bool
    depth_weights: Path | None
    focus: str
