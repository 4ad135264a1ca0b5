"""What one would write without this project: a mask by a segmenter, and a blur of the whole photo behind it.

    python scripts/peer_blur.py --segmenter selfie --blur disc --input photos --output soft
    python scripts/peer_blur.py --segmenter rembg:u2netp --blur gaussian --input photos --output soft
    python scripts/peer_blur.py --masks masks --blur lens_disc --input photos --output soft

For comparisons by `scripts/benchmark.py`, `scripts/ablation.py` and by eye. `--segmenter none` only reads and writes;
`--masks` takes masks of an earlier run of deeplab/inference.py. The blur `lens_disc` is this project's own: of linear
light, and of the background alone.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import cv2
import numpy as np
from PIL import Image

from deeplab.segmenters import create_segmenter
from util.errors import UserError, command_line
from util.images import find_by_stem, list_images, read_mask, read_photo, write_pixels
from util.ranges import RangedParser, positive

# Radius of the disc at a shorter side of 256 pixels; a Gaussian of half of it has the same variance.
RADIUS = 5.2
BLURS = ("disc", "gaussian", "lens_disc", "none")


def soft_behind(photo: np.ndarray, mask: np.ndarray, blur: str, radius: float) -> np.ndarray:
    """`m*photo + (1-m)*K*photo` of a photo uint8 `[H,W,3]` and a mask `[H,W] in [0,1]`, by OpenCV.

    Args:
        blur: `disc`, `gaussian` or `lens_disc`.
        radius: of the disc, pixels.
    """
    if blur == "lens_disc":
        # It brings PyTorch, whose import would count among what OpenCV's blurs take.
        from deeplab.smoothing import disc_blur

        return disc_blur(photo, mask, radius)
    if blur == "gaussian":
        blurred = cv2.GaussianBlur(photo, (0, 0), radius / 2)
    else:
        side = 2 * round(radius) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)).astype(np.float32)
        blurred = cv2.filter2D(photo, -1, kernel / kernel.sum())
    return cv2.blendLinear(photo, blurred, mask, 1 - mask)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = RangedParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--input", type=Path, required=True, help="folder of photos")
    add("--output", type=Path, required=True, help="folder for results")
    add("--segmenter", default="selfie", help="see deeplab/inference.py; none = only read and write")
    add("--masks", type=Path, help="folder of masks by the photos' stems, in place of a segmenter")
    add("--blur", choices=BLURS, default="disc", help="what lies behind the mask")
    add("--radius", type=positive, default=RADIUS, help="of the blur where the shorter side is 256 pixels")
    return parser.parse_args(argv)


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Blur all photos of a folder."""
    args = parse(argv)
    masks = find_by_stem(args.masks) if args.masks else {}
    segmenter = None if args.masks or args.segmenter == "none" else create_segmenter(args.segmenter)
    for path in list_images(args.input):
        photo, metadata = read_photo(path)
        if args.masks or segmenter:
            mask = segmenter(photo[None])[0] if segmenter else mask_of(path, masks, photo.shape[1::-1])
            radius = args.radius * min(photo.shape[:2]) / 256
            photo = soft_behind(photo, mask, args.blur, radius)
        write_pixels(photo, args.output / path.name, metadata)


def mask_of(photo: Path, masks: dict[str, Path], size: tuple[int, int]) -> np.ndarray:
    """The photo's mask `[H,W] in [0,1]`, of this size (width, height).

    Raises:
        UserError: there is none.
    """
    if photo.stem not in masks:
        raise UserError(f"--masks: no mask for {photo.name}")
    mask = read_mask(masks[photo.stem]).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(mask, np.float32) / 255


if __name__ == "__main__":
    main()
