"""Measure results: what they keep of the subject, how soft the background is, how real they look.

    python scripts/evaluate.py --dataroot D --results results/NAME/test_latest  one result
    python scripts/evaluate.py --dataroot D --results mine=DIR theirs=DIR2 --baselines  several, compared
    python scripts/evaluate.py --dataroot D --results DIR own=DIR:fake_B_noMask  pictures of another label
    ... --export_grid sheet.png --grid_photos a1 a7  a sheet for a paper
    ... --blind page  a page on which people say which of two results is better, without names
    python scripts/evaluate.py --votes anna.csv ben.csv --blind page  what they prefer

Inputs are `D/<phase>A`, masks `D/maskA`, real photos `D/<phase>B` with `D/maskB`; two independent mattes of every
subject, `D/matteA` and `D/matteA_2`, tell what was blurred and left sharp by mistake. Writes `index.html` (a
comparison page), `figures.csv` and `figures.json` to --output, and prints the table.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models.options.defocus import WEIGHTS
from util.errors import UserError, command_line
from util.measure.better import CHOSEN_BY
from util.ranges import RangedParser, count, non_negative

AGAINST = ("photo", "truth", "mattes")


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = RangedParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    args = parser.parse_args(argv)
    if args.votes:
        if args.blind is None:
            raise UserError(
                "--votes: give the folder of the page too, --blind DIR; its key names the methods"
            )
        return args
    if (args.dataroot is None) == (args.pairs is None):
        raise UserError("give either --dataroot or --pairs")
    for option in ("baselines", "blur_weights", "lpips_weights"):
        if getattr(args, option) and "photo" not in args.against:
            raise UserError(f"--{option}: needs the photo and its mask; add photo to --against")
    return args


def add_options(parser: argparse.ArgumentParser) -> None:
    """What is compared, with what, and what is written."""
    add = parser.add_argument
    add("--dataroot", type=Path, help="folder with <phase>A, <phase>B, maskA, maskB")
    add(
        "--pairs",
        type=Path,
        metavar="DIR",
        help="instead of --dataroot: NAME_allinfocus and NAME_near, its truth",
    )
    add("--phase", default="test", help="which photos: test, val or train")
    add("--direction", default="AtoB", choices=("AtoB", "BtoA"), help="BtoA: inputs are B, real photos A")
    add(
        "--results",
        nargs="*",
        default=[],
        metavar="[NAME=]DIR[:LABEL]",
        help="folders of test.py, or of pictures; NAME@1=DIR NAME@2=DIR2: one method at several strengths",
    )
    add(
        "--best_of",
        choices=CHOSEN_BY,
        help="of a method at several strengths take, for each photo, the best by this figure",
    )
    add(
        "--alphas", nargs="*", default=[], metavar="NAME=DIR", help="in-focus weights of a method, on the lab"
    )
    add(
        "--against",
        nargs="+",
        choices=AGAINST,
        default=AGAINST,
        help="what outputs are held against, as far as it is there: the input photo behind its mask, the truth, two "
        "mattes; less of it takes less time",
    )
    add("--baselines", action="store_true", help="compare with the input and with blurs behind the mask")
    add("--disc_radii", nargs="*", type=non_negative, default=[6], help="discs among the baselines, pixels")
    add("--truth", type=Path, help="folder of true results by stem, for full-reference PSNR and SSIM")
    add("--output", type=Path, default=Path("results/comparison"), help="folder for the page and the figures")
    add("--lpips_weights", type=Path, help="torchvision's alexnet-owt-7be5be79.pth; without it no LPIPS")
    add("--inception_weights", type=Path, help="torch-fidelity's weights; without them no FID and KID")
    add(
        "--blur_weights",
        nargs="?",
        const=WEIGHTS,
        type=Path,
        metavar="FILE",
        help="the blur that a network sees, beside real B: latest_net_E.pth of --model defocus; without a file the "
        "network that comes with the code",
    )
    add("--export_grid", type=Path, metavar="FILE", help="write one contact sheet, photos by methods")
    add("--grid_photos", nargs="*", metavar="STEM", help="photos of the contact sheet; default: all")
    add("--blind", type=Path, metavar="DIR", help="write a page to compare results without their names")
    add("--votes", type=Path, nargs="+", metavar="CSV", help="what raters saved from the page in --blind")
    add("--num_threads", type=count, default=2, help="processes that measure photos")


@command_line
def main(argv: list[str] | None = None) -> None:
    """Measure, write, print."""
    args = parse(argv)
    # Here and not above: what it needs takes seconds to import.
    from scripts.evaluating import evaluate

    evaluate(args)


if __name__ == "__main__":
    main()
