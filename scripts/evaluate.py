"""Measure results: what they keep of the subject, how soft the background is, how real they look.

    python scripts/evaluate.py --dataroot D --results results/NAME/test_latest  one result
    python scripts/evaluate.py --dataroot D --results mine=DIR theirs=DIR2 --baselines  several, compared
    ... --export_grid sheet.png --grid_photos a1 a7  a sheet for a paper

Inputs are `D/<phase>A`, masks `D/maskA`, real photos `D/<phase>B` with `D/maskB`. Writes `index.html` (a
comparison page), `figures.csv` and `figures.json` to --output, and prints the table.
"""

import argparse
import re
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from deeplab.smoothing import disc_blur, gaussian_blur, mean_blur
from util.errors import UserError, command_line
from util.images import find_by_stem, read_image, read_mask, write_image
from util.measure.distributions import blur_match, median_with_interval
from util.measure.evaluation import (
    Photo,
    as_array,
    find_outputs,
    find_sources,
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
from util.parallel import process_pool

if TYPE_CHECKING:
    from util.measure.perceptual import Inception, Lpips

NOT_IN_BROWSERS = (".tif", ".tiff", ".ppm")

Blur = Callable[[np.ndarray, np.ndarray], np.ndarray]


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--dataroot", type=Path, required=True, help="folder with <phase>A, <phase>B, maskA, maskB")
    add("--phase", default="test", help="which photos: test, val or train")
    add("--direction", default="AtoB", choices=("AtoB", "BtoA"), help="BtoA: inputs are B, real photos A")
    add("--results", nargs="*", default=[], metavar="[NAME=]DIR", help="folders of test.py, or of pictures")
    add("--baselines", action="store_true", help="compare with the input and with blurs behind the mask")
    add("--disc_radii", nargs="*", type=float, default=[6], help="discs among the baselines, pixels")
    add("--truth", type=Path, help="folder of true results by stem, for full-reference PSNR and SSIM")
    add("--output", type=Path, default=Path("results/comparison"), help="folder for the page and the figures")
    add("--lpips_weights", type=Path, help="torchvision's alexnet-owt-7be5be79.pth; without it no LPIPS")
    add("--inception_weights", type=Path, help="torch-fidelity's weights; without them no FID and KID")
    add("--export_grid", type=Path, metavar="FILE", help="write one contact sheet, photos by methods")
    add("--grid_photos", nargs="*", metavar="STEM", help="photos of the contact sheet; default: all")
    add("--num_threads", type=int, default=2, help="processes that measure photos")
    return parser.parse_args(argv)


@command_line
def main(argv: list[str] | None = None) -> None:
    """Measure, write, print."""
    args = parse(argv)
    with process_pool(args.num_threads) as pool:
        lpips, inception = load_networks(args)  # first: a wrong file must not cost the work before
        photos = collect(args, pool)
        on_sheet = chosen_for_grid(photos, args.grid_photos) if args.export_grid else []
        figures = in_parallel(pool, measure_photo, photos, "measuring")
        per_photo = {photo.stem: of_methods for photo, of_methods in zip(photos, figures, strict=True)}
        if lpips:
            add_lpips(per_photo, photos, lpips)
        evaluation = summarize(per_photo, photos, args, inception, pool)
    write_files(evaluation, args.output)
    page = write_page(evaluation, photos, args.output, f"Comparison on {args.dataroot.name}, {args.phase}")
    if args.export_grid:
        write_grid(on_sheet, args.export_grid)
    print(as_text(*table(evaluation)))
    print(
        real_photos_line(evaluation)
        or "No blur match, FID and KID: there are no real photos to compare with."
    )
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


def domains(direction: str) -> tuple[str, str]:
    """The domain of the inputs and that of the real photos."""
    return ("A", "B") if direction == "AtoB" else ("B", "A")


def collect(args: argparse.Namespace, pool: Executor | None) -> list[Photo]:
    """The photos that every method has, with each method's output copied (or made) below `args.output`."""
    domain = domains(args.direction)[0]
    photos = find_sources(args.dataroot / f"{args.phase}{domain}", args.dataroot / f"mask{domain}")
    folders = [named_folder(argument) for argument in args.results]
    blurs = baselines(args.disc_radii) if args.baselines else {}
    check_names([name for name, _ in folders] + (["input", *blurs] if blurs else []))
    methods = {name: find_outputs(folder) for name, folder in folders}
    if not methods and not blurs:
        raise UserError("nothing to measure; give --results DIR, or --baselines")
    common = [photo for photo in photos if all(photo.stem in files for files in methods.values())]
    if not common:
        raise UserError(f"--results: no file there is named like a photo in {photos[0].source.parent}")
    if len(common) < len(photos):
        print(f"{len(common)} of {len(photos)} photos have an output of every method; only they count")
    if args.truth:
        truths = find_truths(args.truth, common)
        common = [replace(photo, truth=truths.get(photo.stem)) for photo in common]
    images = args.output / "images"
    images.mkdir(parents=True, exist_ok=True)
    fill = partial(lay_out, images=images, methods=methods, blurs=blurs)
    return in_parallel(pool, fill, common, "copying and blurring")


def find_truths(folder: Path, photos: list[Photo]) -> dict[str, Path]:
    """Stem -> true result of the `photos` that have one; says so if not all do."""
    if not folder.is_dir():
        raise UserError(f"--truth {folder}: no such folder")
    files = find_by_stem(folder)
    truths = {photo.stem: files[photo.stem] for photo in photos if photo.stem in files}
    if not truths:
        raise UserError(f"--truth {folder}: no file there is named like a photo")
    if len(truths) < len(photos):
        print(f"{len(truths)} of {len(photos)} photos have a truth; PSNR and SSIM to it are of those")
    return truths


def named_folder(argument: str) -> tuple[str, Path]:
    """`NAME=DIR`, or `DIR` named after the experiment (`results/<name>/<phase>_<epoch>`)."""
    name, separator, folder = argument.partition("=")
    if separator:
        return name, Path(folder)
    path = Path(argument)
    return (path.parent.name if re.fullmatch(r"(train|val|test)_\w+", path.name) else path.name), path


def check_names(names: list[str]) -> None:
    """Raises UserError if two methods would share a row of the table or the files of their pictures."""
    by_file: dict[str, str] = {}
    for name in names:
        file = file_name(name).lower()  # some disks don't tell cases apart
        if file in by_file:
            raise UserError(
                f"--results: {by_file[file]} and {name} are too much alike; name them: --results one=DIR two=DIR"
            )
        by_file[file] = name


def file_name(method: str) -> str:
    """The method's name as a part of file names."""
    return re.sub(r"[^\w.-]+", "_", method)


def baselines(disc_radii: list[float]) -> dict[str, Blur]:
    """The conventional blurs behind the mask, by name."""
    discs = {f"disc {radius:g}": partial(disc_blur, radius=radius) for radius in disc_radii}
    return {"mean 5x5": mean_blur, "gaussian 9x9": gaussian_blur, **discs}


def lay_out(photo: Photo, images: Path, methods: dict[str, dict[str, Path]], blurs: dict[str, Blur]) -> Photo:
    """Put the photo's pictures of all methods into `images`; returns it with their paths as outputs."""

    def place(method: str, suffix: str) -> Path:
        return images / f"{photo.stem}_{file_name(method)}{suffix}"

    def copy(method: str, file: Path) -> Path:
        if file.suffix.lower() in NOT_IN_BROWSERS:
            copied = place(method, ".png")
            write_image(read_image(file), copied)  # the 8 bits that are measured
        else:
            copied = place(method, file.suffix)
            shutil.copyfile(file, copied)
        return copied

    outputs = {}
    if blurs:
        outputs["input"] = copy("input", photo.source)
        image, mask = np.asarray(read_image(photo.source)), read_mask(photo.mask)
        mask = np.asarray(mask.resize(image.shape[1::-1], Image.Resampling.BILINEAR), dtype=np.float32) / 255
        for method, blur in blurs.items():
            outputs[method] = place(method, ".png")
            write_image(Image.fromarray(blur(image, mask)), outputs[method])
    for method, files in methods.items():
        outputs[method] = copy(method, files[photo.stem])
    return replace(photo, outputs=outputs)


def add_lpips(per_photo: dict[str, dict[str, dict[str, float]]], photos: list[Photo], lpips: "Lpips") -> None:
    """Add `subject_lpips` to the figures of every photo and method."""
    for photo in tqdm(photos, "LPIPS", leave=False):
        for method, path in photo.outputs.items():
            output = read_image(path)
            source, regions = read_source(photo, output.size)
            figure = lpips.of_subject(as_array(output), source, regions.subject)
            per_photo[photo.stem][method]["subject_lpips"] = figure


def summarize(
    per_photo: dict[str, dict[str, dict[str, float]]],
    photos: list[Photo],
    args: argparse.Namespace,
    inception: "Inception | None",
    pool: Executor | None,
) -> Evaluation:
    """Medians over the photos, and the figures of each method's whole set."""
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
    domain = domains(args.direction)[1]
    folder = args.dataroot / f"{args.phase}{domain}"
    if not folder.is_dir():
        return Evaluation(per_photo, medians, of_sets, None)
    real = find_sources(folder, args.dataroot / f"mask{domain}")
    real_gradients = in_parallel(pool, measure_background, real, "real photos")
    for method in methods:
        of_sets[method]["blur_match"] = blur_match(values[method]["background_gradient"], real_gradients)
    if inception:
        add_inception(of_sets, photos, [photo.source for photo in real], inception)
    return Evaluation(per_photo, medians, of_sets, RealPhotos.of_gradients(real_gradients))


def add_inception(
    of_sets: dict[str, dict[str, float]], photos: list[Photo], real: list[Path], inception: "Inception"
) -> None:
    """Add `fid` and `kid` against the real photos to each method's figures."""
    from util.measure.perceptual import fid, kid

    real_features = inception.features(real, "Inception, real photos")
    for method, figures in of_sets.items():
        features = inception.features([photo.outputs[method] for photo in photos], f"Inception, {method}")
        figures |= {"fid": fid(features, real_features), "kid": kid(features, real_features)}


def chosen_for_grid(photos: list[Photo], stems: list[str] | None) -> list[Photo]:
    """The photos named, in that order; all if none is."""
    if not stems:
        return photos
    by_stem = {photo.stem: photo for photo in photos}
    unknown = [stem for stem in stems if stem not in by_stem]
    if unknown:
        raise UserError(f"--grid_photos: {', '.join(unknown)} is not among the photos")
    return [by_stem[stem] for stem in stems]


if __name__ == "__main__":
    main()
