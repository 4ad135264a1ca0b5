"""What scripts/evaluate.py does once it knows what is wanted: measures, writes, prints."""

import argparse
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from scripts.compared import chosen_for_grid, collect, has_masks, real_photos, strengths
from scripts.seen_blur import add_real_row, add_seen_blur, radius_map
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
from util.measure.strengths import best_of, controllabilities
from util.measure.votes import KEY_FILE, preference_rows, preferences, read_votes
from util.parallel import process_pool

if TYPE_CHECKING:
    from util.measure.perceptual import Inception, Lpips


def evaluate(args: argparse.Namespace) -> None:
    """Measure, write, print what the command line asks for."""
    if args.votes:
        print(as_text(*preference_rows(preferences(read_votes(args.votes, args.blind)))))
        return
    with process_pool(args.num_threads) as pool:
        # First: a wrong file must not cost the work before.
        lpips, inception = load_networks(args)
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
    # Here and not above: torch and torchvision take seconds to import.
    from util.measure.perceptual import Inception, Lpips

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
