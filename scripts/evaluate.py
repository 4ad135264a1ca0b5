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
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models.inference.blur_meter import WEIGHTS
from scripts.compared import AGAINST, chosen_for_grid, collect, has_masks, real_photos, strengths
from scripts.seen_blur import add_real_row, add_seen_blur, radius_map
from util.errors import UserError, command_line
from util.images import read_image
from util.measure.blind import write_blind_page
from util.measure.distributions import blur_match, median_with_interval
from util.measure.evaluation import (
    ComparedPhoto,
    as_array,
    in_parallel,
    measure_background,
    measure_photo,
    read_source,
)
from util.measure.report import (
    TITLES,
    Evaluation,
    RealPhotos,
    as_text,
    real_photos_line,
    table,
    write_files,
    write_grid,
    write_page,
)
from util.measure.strengths import CHOSEN_BY, best_of, controllabilities
from util.measure.votes import KEY_FILE, preference_rows, preferences, read_votes
from util.parallel import process_pool
from util.ranges import RangedParser, count, non_negative

if TYPE_CHECKING:
    from util.measure.perceptual import Inception, Lpips


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = RangedParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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


@command_line
def main(argv: list[str] | None = None) -> None:
    """Measure, write, print."""
    args = parse(argv)
    if args.votes:
        print(as_text(*preference_rows(preferences(read_votes(args.votes, args.blind)))))
        return
    with process_pool(args.num_threads) as pool:
        lpips, inception = load_networks(args)  # first: a wrong file must not cost the work before
        see = radius_map(args.blur_weights) if args.blur_weights else None
        real = real_photos(args)
        photos = collect(args, pool)
        on_sheet = chosen_for_grid(photos, args.grid_photos) if args.export_grid else []
        figures = in_parallel(pool, measure_photo, photos, "measuring")
        per_photo = {photo.stem: of_methods for photo, of_methods in zip(photos, figures, strict=True)}
        if lpips:
            add_lpips(per_photo, photos, lpips)
        if see:
            add_seen_blur(per_photo, photos, see)
        control = controllabilities(per_photo, strengths(args))
        if args.best_of:
            per_photo, photos = best_of(per_photo, photos, strengths(args), args.best_of)
            on_sheet = chosen_for_grid(photos, args.grid_photos) if args.export_grid else []
        evaluation = summarize(per_photo, photos, real, inception, pool)
        if see and has_masks(real):
            add_real_row(evaluation, real, see)
        for name, figure in control.items():
            for title in {name, *strengths(args)[name].values()} & set(evaluation.of_sets):
                evaluation.of_sets[title]["controllability"] = figure
    write_files(evaluation, args.output)
    place = f"{args.dataroot.name}, {args.phase}" if args.dataroot else args.pairs.name
    page = write_page(evaluation, photos, args.output, f"Comparison on {place}")
    if args.export_grid:
        write_grid(on_sheet, args.export_grid)
    if args.blind:
        print(f"To be judged: {write_blind_page(photos, args.blind)}; {KEY_FILE} beside it is not for raters")
    print(as_text(*table(evaluation)))
    if evaluation.real:
        print(real_photos_line(evaluation))
    if not real:
        print("No blur match, FID and KID: there are no real photos to compare with.")
    for name, option in (("LPIPS", "lpips_weights"), ("FID and KID", "inception_weights")):
        if getattr(args, option) is None:
            print(f"No {name}: --{option} FILE was not given.")
    print(f"{len(photos)} photos; open {page}")


def load_networks(args: argparse.Namespace) -> tuple["Lpips | None", "Inception | None"]:
    """The networks whose weights are given."""
    if not (args.lpips_weights or args.inception_weights):
        return None, None
    from util.measure.perceptual import Inception, Lpips  # torch and torchvision take seconds to import

    lpips = Lpips(args.lpips_weights) if args.lpips_weights else None
    return lpips, Inception(args.inception_weights) if args.inception_weights else None


def add_lpips(
    per_photo: dict[str, dict[str, dict[str, float]]], photos: list[ComparedPhoto], lpips: "Lpips"
) -> None:
    """Add `subject_lpips` to the figures of every photo and method."""
    for photo in tqdm(photos, "LPIPS", leave=False):
        for method, path in photo.outputs.items():
            output = read_image(path)
            source, regions = read_source(photo, output.size)
            figure = lpips.of_subject(as_array(output), source, regions.subject)
            per_photo[photo.stem][method]["subject_lpips"] = figure


def summarize(
    per_photo: dict[str, dict[str, dict[str, float]]],
    photos: list[ComparedPhoto],
    real: list[ComparedPhoto],
    inception: "Inception | None",
    pool: Executor | None,
) -> Evaluation:
    """Medians over the photos, and the figures of each method's whole set against the `real` photos."""
    methods = list(photos[0].outputs)
    values = {
        method: {
            name: [figures[method].get(name, float("nan")) for figures in per_photo.values()]
            for name in dict.fromkeys(name for of_photo in per_photo.values() for name in of_photo[method])
        }
        for method in methods
    }
    medians = {
        method: {name: median_with_interval(known) for name, known in of_method.items() if name in TITLES}
        for method, of_method in values.items()
    }
    of_sets: dict[str, dict[str, float]] = {method: {} for method in methods}
    if inception and real:
        add_inception(of_sets, photos, [photo.source for photo in real], inception)
    if not has_masks(real) or not has_masks(photos):
        return Evaluation(per_photo, medians, of_sets, None)
    real_gradients = in_parallel(pool, measure_background, real, "real photos")
    for method in methods:
        of_sets[method]["blur_match"] = blur_match(values[method]["background_gradient"], real_gradients)
    return Evaluation(per_photo, medians, of_sets, RealPhotos.of_gradients(real_gradients))


def add_inception(
    of_sets: dict[str, dict[str, float]],
    photos: list[ComparedPhoto],
    real: list[Path],
    inception: "Inception",
) -> None:
    """Add `fid` and `kid` against the real photos to each method's figures."""
    from util.measure.perceptual import fid, kid

    real_features = inception.features(real, "Inception, real photos")
    for method, figures in of_sets.items():
        features = inception.features([photo.outputs[method] for photo in photos], f"Inception, {method}")
        figures |= {"fid": fid(features, real_features), "kid": kid(features, real_features)}


if __name__ == "__main__":
    main()
