"""How a segmenter sees photos, as the options of deeplab/inference.py and test.py say it."""

from argparse import ArgumentParser, _ArgumentGroup
from typing import Protocol

from util.errors import UserError
from util.ranges import finite, positive, positive_int

INPUT_SIZE = 513


class Stated(Protocol):
    """Options that `add_segmenter_options` declares."""

    input_size: int
    onnx_mean: list[float] | None
    onnx_std: list[float] | None


def add_segmenter_options(parser: ArgumentParser | _ArgumentGroup) -> None:
    """Declare them."""
    parser.add_argument(
        "--input_size",
        type=positive_int,
        default=INPUT_SIZE,
        help="for deeplab, and onnx:FILE of free size: longer side at which it sees photos, in pixels; 256 as in "
        "the published work",
    )
    for name in ("mean", "std"):
        parser.add_argument(
            f"--onnx_{name}",
            type=positive if name == "std" else finite,
            nargs=3,
            metavar=("R", "G", "B"),
            help=f"for onnx:FILE: {name} of photos in [0,1], where the file doesn't say; default: ImageNet's",
        )


def check_segmenter_options(options: Stated, flag: str, segmenter: str) -> None:
    """Raise a `UserError` for options that `segmenter`, chosen by `flag`, doesn't look at."""
    is_onnx = segmenter.startswith("onnx:")
    if options.input_size != INPUT_SIZE and segmenter != "deeplab" and not is_onnx:
        raise UserError(
            f"--input_size is for {flag} deeplab and onnx:FILE; {segmenter or 'none'} has a size of its own"
        )
    if (options.onnx_mean or options.onnx_std) and not is_onnx:
        raise UserError(f"--onnx_mean, --onnx_std: are for {flag} onnx:FILE, not {segmenter or 'none'}")
