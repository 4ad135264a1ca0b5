"""A picture of an aperture's discs: what points of light become, over the whole photo and behind and before the focus.

python scripts/lens_chart.py chart.png --lens 85mm_f1.4
python scripts/lens_chart.py chart.png --blades 6 --blade_rotation 15 --cat_eye 0.7 --bokeh bubble
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from util.errors import command_line
from util.images import write_pixels
from util.optics.camera import Camera
from util.optics.light import linear_to_srgb
from util.optics.presets import add_camera_options, camera_of_options
from util.optics.pupil import pupil_kernel
from util.ranges import RangedParser

ROWS, COLUMNS = 5, 7  # of discs, placed as over a photo of 3:2
RADIUS = 36  # pixels
CELL = 96  # pixels


def chart(camera: Camera) -> np.ndarray:
    """uint8 `[H,W,3]`: to the left discs behind the focus, to the right those before it, each at its place."""
    sides = []
    for radius in (-RADIUS, RADIUS):
        picture = torch.zeros(ROWS * CELL, COLUMNS * CELL)
        corner = np.hypot(picture.shape[0], picture.shape[1]) / 2
        for row in range(ROWS):
            for column in range(COLUMNS):
                y, x = (row + 0.5) * CELL, (column + 0.5) * CELL
                field = ((x - picture.shape[1] / 2) / corner, (y - picture.shape[0] / 2) / corner)
                kernel = pupil_kernel(radius, camera.aperture, field)
                half = kernel.shape[0] // 2
                top, left = int(y) - half, int(x) - half
                picture[top : top + 2 * half + 1, left : left + 2 * half + 1] += kernel
        sides.append(picture / picture.max())
    gray = (linear_to_srgb(torch.cat(sides, dim=1)) * 255).round().byte().numpy()
    return np.repeat(gray[..., None], 3, axis=2)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = RangedParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="the picture to write")
    add_camera_options(parser, auto="")
    return parser.parse_args(argv)


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Write the chart that the command line asks for."""
    args = parse(argv)
    write_pixels(chart(camera_of_options(args)), args.output)


if __name__ == "__main__":
    main()
