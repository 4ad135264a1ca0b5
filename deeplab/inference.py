"""Person masks for a dataroot or a folder of photos, and conventional background blurs behind them.

    python deeplab/inference.py --dataroot datasets/bokeh                      # masks of all phases, A and B
    python deeplab/inference.py --dataroot datasets/bokeh --segmenter selfie   # small and fast
    python deeplab/inference.py --input photos --output masks --soft --refine
    python deeplab/inference.py --input photos --output people --segmenter rvm --matting --cutout
    python deeplab/inference.py --input photos --output blurred --smooth disc --radius 6
    python deeplab/inference.py --input photos --output soft --smooth lens --soft --refine --lens 85mm_f1.8 --depth auto
    python deeplab/inference.py --dataroot datasets/bokeh --visualize figures  # look before you train

Stopped and started again it goes on where it was: files newer than their photo stay as they are.
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from deeplab.segmenters import CHOICES, is_segmenter
from util.domains import DOMAINS, PHASES
from util.errors import UserError, command_line
from util.files import is_inside
from util.optics.focus_options import add_focus_options
from util.optics.presets import add_camera_options
from util.ranges import RangedParser, count, non_negative, positive_int, share
from util.segmenter_options import add_segmenter_options, check_segmenter_options

# As `deeplab.smoothing` has them, and the lens.
SMOOTHINGS = ("mean", "gaussian", "disc", "lens")


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read and check the command line.

    Raises:
        UserError: options that don't go together.
    """
    parser = RangedParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--dataroot", type=Path, help="folder with trainA, trainB, ...; masks go to maskA, maskB"
    )
    source.add_argument("--input", type=Path, help="folder of photos")
    parser.add_argument("--output", type=Path, help="where masks of --input, or smoothed photos, go")
    parser.add_argument("--phase", nargs="+", choices=PHASES, default=PHASES, help="phases of --dataroot")
    parser.add_argument("--domain", nargs="+", choices=DOMAINS, default=DOMAINS, help="domains of --dataroot")

    model = parser.add_argument_group("segmenter")
    model.add_argument("--segmenter", default="deeplab", metavar="NAME", help=f"one of {CHOICES}")
    model.add_argument("--model", help="which published model: see deeplab/weights.py; default: the best one")
    model.add_argument("--weights", type=Path, help="a file of weights, in place of a download")
    add_segmenter_options(model)
    model.add_argument("--device", help="for torchvision: cpu, cuda, ...; default: a GPU if there is one")
    model.add_argument(
        "--batch_size", type=positive_int, default=8, help="photos that go through the model together"
    )

    _add_mask_options(parser)
    _add_picture_options(parser)
    parser.add_argument("--overwrite", action="store_true", help="make files anew that are up to date")
    parser.add_argument(
        "--num_workers", type=count, default=os.cpu_count(), help="processes that read and write"
    )
    args = parser.parse_args(argv)
    _check(args)
    return args


def _add_mask_options(parser: argparse.ArgumentParser) -> None:
    """What is made of a segmenter's answer."""
    masks = parser.add_argument_group("masks")
    masks.add_argument("--soft", action="store_true", help="write probabilities, not 0 and 255")
    masks.add_argument(
        "--threshold", type=share, default=0.5, help="probability from which a pixel is subject"
    )
    masks.add_argument(
        "--refine", action="store_true", help="matte along the photo's own edges, by a guided filter"
    )
    masks.add_argument(
        "--matting",
        action="store_true",
        help="write mattes: alpha around the mask's edge as the photo's colours mix, and no islands",
    )
    masks.add_argument(
        "--cutout",
        action="store_true",
        help="write the subject in its own colours, the mask as its alpha channel",
    )
    masks.add_argument(
        "--drop_empty", action="store_true", help="move photos without a person to trainA_empty, ..."
    )


def _add_picture_options(parser: argparse.ArgumentParser) -> None:
    """What is shown or made by means of masks."""
    more = parser.add_argument_group("pictures made with the masks")
    more.add_argument("--visualize", type=Path, metavar="DIR", help="a figure per photo: map and blurs")
    more.add_argument(
        "--smooth",
        choices=SMOOTHINGS,
        help="write photos with this blur behind the mask to --output",
    )
    more.add_argument(
        "--radius",
        type=non_negative,
        help="of --smooth, pixels; default: mean 2, gaussian 4, disc 4, lens a fiftieth of the shorter side",
    )
    add_camera_options(parser, "--smooth lens: the camera")
    add_focus_options(parser, "--smooth lens: depth and focus")
    parser.add_argument("--lens_light", choices=("linear", "srgb"), default="linear", help="what is blurred")


def _check(args: argparse.Namespace) -> None:
    if not is_segmenter(args.segmenter):
        raise UserError(f"--segmenter {args.segmenter}: unknown; choose one of {CHOICES}")
    if args.dataroot and args.output and not args.smooth:
        raise UserError("--output: masks of a --dataroot go to its maskA and maskB; leave it out")
    if args.smooth and not args.output:
        raise UserError("--smooth: say where the smoothed photos go with --output")
    if args.input and not args.output and not args.visualize:
        raise UserError("--input: say where the masks go with --output")
    if args.radius is not None and not args.smooth:
        raise UserError("--radius: needs --smooth")
    if args.threshold == 0:
        raise UserError(f"--threshold {args.threshold}: must be above 0 and at most 1")
    check_segmenter_options(args, "--segmenter", args.segmenter)
    if args.matting and (args.refine or args.soft):
        raise UserError("--matting gives soft masks along the photo's edges; leave out --refine and --soft")
    for name in ("output", "visualize"):
        folder = getattr(args, name)
        if folder and args.input and is_inside(folder, args.input):
            raise UserError(f"--{name} {folder}: lies inside --input; choose a folder outside")
        if folder and args.dataroot and _among_photos(folder, args.dataroot):
            raise UserError(
                f"--{name} {folder}: would mix with the photos of --dataroot; choose another folder"
            )


def _among_photos(folder: Path, dataroot: Path) -> bool:
    """Whether results in `folder/trainA`, ... would overwrite photos or masks, or be taken for some later."""
    kept = [f"{phase}{domain}" for phase in (*PHASES, "mask") for domain in DOMAINS]
    return folder.resolve() == dataroot.resolve() or any(is_inside(folder, dataroot / name) for name in kept)


@command_line
def main(argv: list[str] | None = None) -> None:
    """Make what the command line asks for, then say what was done."""
    args = parse(argv)
    # Here and not above: what it needs takes long to import.
    from deeplab.masking import make_files

    make_files(args)


if __name__ == "__main__":
    main()
