"""Measure how blurred each place of photos is, with a network trained by `--model defocus`.

    python scripts/measure_blur.py --dataroot datasets/bokeh                          # maps to blurA and blurB
    python scripts/measure_blur.py --input photos --output maps --visualize previews  # look at them
    python scripts/measure_blur.py --input photos --report blur.csv                   # which photos are shallow?
    python scripts/measure_blur.py --input sharp --check                              # error behind known blurs

A map is a 16-bit PNG (see util/blur_maps.py). Stopped and started again it goes on where it was: maps newer than their
photo stay. The report has a line per photo; radii are in pixels where its shorter side is 256.
"""

import argparse
import csv
import io
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from data.known_blur import with_known_blur
from data.transforms import image_to_tensor
from models.inference.blur_meter import SIDE, BlurMeter, colored, load_blur_meter
from models.inference.folder import read_ahead, same_size
from models.options.defocus import WEIGHTS
from util.blur_maps import BlurMap, read_blur_map, write_blur_map
from util.domains import DOMAINS, PHASES
from util.errors import UserError, command_line
from util.failures import end_with
from util.files import is_inside, is_up_to_date, write_text
from util.images import find_by_stem, list_images, read_mask, write_image
from util.optics.levels import level_of_radius, radius_of_level
from util.ranges import RangedParser, positive_int

# Share of a photo's places, the least sure ones, that have no part in a report: sky, walls, water. A bound for the
# certainty itself would not do: it is lower at every place that is out of focus.
UNSURE = 0.25

# Radii, pixels at a shorter side of 256, below which a place counts as sharp, and above which as out of focus.
SHARP, SOFT = 0.5, 1.0

COLUMNS = ("photo", "kind", "sharpest", "median", "softest", "subject", "background", "sure")


class BlurJob(NamedTuple):
    """A photo, where its map and its preview go, and its mask, if any; None where one is not wanted."""

    photo: Path
    map: Path | None
    preview: Path | None
    mask: Path | None


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read and check the command line.

    Raises:
        UserError: options that don't go together.
    """
    parser = RangedParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--dataroot", type=Path, help="folder with trainA, trainB, ...; maps go to blurA and blurB"
    )
    source.add_argument("--input", type=Path, help="folder of photos")
    add = parser.add_argument
    add("--output", type=Path, help="where the maps of --input go")
    add("--visualize", type=Path, metavar="DIR", help="a colour preview per photo, beside the photo")
    add("--report", type=Path, metavar="CSV", help="a line per photo: which are sharp, which are shallow")
    add(
        "--check",
        action="store_true",
        help="blur the photos, which must be sharp, by known radii; print the error",
    )
    add(
        "--weights",
        type=Path,
        default=WEIGHTS,
        help="latest_net_E.pth of a training; default: what comes along",
    )
    add("--device", default="cpu", help="cpu or cuda")
    add("--batch_size", type=positive_int, default=8, help="photos of one size that are measured together")
    add("--overwrite", action="store_true", help="measure again what is up to date")
    args = parser.parse_args(argv)
    if args.dataroot and args.output:
        raise UserError("--output: maps of a --dataroot go to its blurA and blurB; leave it out")
    if args.input and not (args.output or args.visualize or args.report or args.check):
        raise UserError("--input: say what you want with --output, --visualize, --report or --check")
    for name in ("output", "visualize"):
        folder = getattr(args, name)
        if folder and args.input and is_inside(folder, args.input):
            raise UserError(f"--{name} {folder}: lies inside --input; choose a folder outside")
    return args


def find_jobs(args: argparse.Namespace) -> list[BlurJob]:
    """What is to be done, photo by photo.

    Raises:
        UserError: no photos.
    """
    if args.input:
        if not args.input.exists():
            raise UserError(f"--input {args.input}: no such folder")
        photos = list_images(args.input) if args.input.is_dir() else [args.input]
        root = args.input if args.input.is_dir() else args.input.parent
        names = [photo.relative_to(root).with_suffix(".png") for photo in photos]
        jobs = [
            BlurJob(photo, args.output and args.output / name, args.visualize and args.visualize / name, None)
            for photo, name in zip(photos, names, strict=True)
        ]
    else:
        jobs = [job for domain in DOMAINS for job in _jobs_of_domain(args, domain)]
    if not jobs:
        raise UserError(f"{args.input or args.dataroot}: no photos in there")
    return jobs


def _jobs_of_domain(args: argparse.Namespace, domain: str) -> list[BlurJob]:
    masks = args.dataroot / f"mask{domain}"
    by_stem = find_by_stem(masks) if masks.is_dir() else {}
    folders = [args.dataroot / f"{phase}{domain}" for phase in PHASES]
    return [
        BlurJob(
            photo,
            args.dataroot / f"blur{domain}" / f"{photo.stem}.png",
            args.visualize and args.visualize / folder.name / f"{photo.stem}.png",
            by_stem.get(photo.stem),
        )
        for folder in folders
        if folder.is_dir()
        for photo in list_images(folder)
    ]


def report_line(job: BlurJob, blur: BlurMap) -> dict[str, str]:
    """The line of a photo. Kinds: sharp everywhere, shallow (sharp here, soft there), soft everywhere, or between."""
    sure = blur.certainty >= np.quantile(blur.certainty, UNSURE)
    sharpest, median, softest = np.quantile(blur.radius[sure], (0.1, 0.5, 0.9))
    kind = "between"
    if softest < SHARP:
        kind = "sharp"
    elif sharpest > SOFT:
        kind = "soft"
    elif sharpest < SHARP and softest > SOFT:
        kind = "shallow"
    line = {"photo": str(job.photo), "kind": kind, "sure": f"{np.median(blur.certainty):.2f}"}
    line |= {"sharpest": f"{sharpest:.2f}", "median": f"{median:.2f}", "softest": f"{softest:.2f}"}
    if job.mask:
        size = blur.radius.shape[::-1]
        mask = np.asarray(read_mask(job.mask).resize(size, Image.Resampling.BOX), np.float32) / 255
        for name, place in (("subject", mask > 0.95), ("background", mask < 0.05)):
            chosen = blur.radius[place & sure]
            line[name] = f"{np.median(chosen):.2f}" if chosen.size else ""
    return line


def write_preview(photo: np.ndarray, blur: BlurMap, path: Path) -> None:
    """The photo and its map side by side, at most 768 pixels high."""
    image = Image.fromarray(photo if photo.dtype == np.uint8 else (photo // 257).astype(np.uint8))
    image.thumbnail((1024, 768))
    both = np.concatenate([np.asarray(image), colored(blur, image.size)], axis=1)
    write_image(Image.fromarray(both), path)


def measure_all(
    meter: BlurMeter, jobs: list[BlurJob], args: argparse.Namespace
) -> tuple[list[dict[str, str]], list[str]]:
    """Measure what is not up to date; returns the report's lines, and messages on photos that can't be read."""
    lines: dict[Path, dict[str, str]] = {}
    refused: list[str] = []
    small = 0
    by_photo = {job.photo: job for job in jobs}
    kept = [] if args.overwrite else [job for job in jobs if _is_done(job, args.weights)]
    for job in kept:
        if args.report and job.map:
            lines[job.photo] = report_line(job, read_blur_map(job.map))
    todo = [job.photo for job in jobs if job not in kept]
    with ThreadPoolExecutor(max_workers=2) as pool, tqdm(total=len(todo), unit="photo") as bar:
        for batch in same_size(read_ahead(pool, todo, 2 * args.batch_size, refused), args.batch_size):
            for photo, blur in zip(batch, meter.batch([photo.pixels for photo in batch]), strict=True):
                job = by_photo[photo.path]
                small += min(photo.pixels.shape[:2]) < SIDE
                if job.map:
                    write_blur_map(blur, job.map)
                if job.preview:
                    write_preview(photo.pixels, blur, job.preview)
                lines[photo.path] = report_line(job, blur)
            bar.update(len(batch))
    print(f"{len(todo) - len(refused)} measured, {len(kept)} up to date, {len(refused)} refused")
    if small:
        # Of a blur of less than a pixel nothing is left to see.
        print(
            f"{small} have fewer than {SIDE} pixels along their shorter side: their blur is seen as less than it is; "
            "measure photos before they are made smaller"
        )
    return [lines[job.photo] for job in jobs if job.photo in lines], refused


def _is_done(job: BlurJob, weights: Path) -> bool:
    """Whether all that is wanted of a photo is there, newer than photo and weights."""
    wanted = [path for path in (job.map, job.preview) if path]
    return (
        bool(wanted)
        and job.map is not None
        and all(is_up_to_date(path, job.photo, weights) for path in wanted)
    )


def check(meter: BlurMeter, jobs: list[BlurJob], seed: int = 0) -> dict[str, float]:
    """Mean error of log2(1 + radius) on the photos behind known blurs: of all places, and of the surer half."""
    errors, expected = [], []
    for number, job in enumerate(tqdm(jobs, unit="photo")):
        photo = Image.open(job.photo).convert("RGB")
        photo.thumbnail((384, 384))
        blurred, level = with_known_blur(
            image_to_tensor(np.asarray(photo)), None, np.random.default_rng([seed, number])
        )
        with torch.inference_mode():
            found, log_scale = meter.measure(blurred[None].clamp(-1, 1).to(meter.device))
        size = (found.shape[-2], found.shape[-1])
        truth = torch.nn.functional.adaptive_avg_pool2d(level[None], size)
        found = level_of_radius(radius_of_level(found.cpu()))
        errors.append((found - truth).abs().flatten())
        expected.append(log_scale.cpu().flatten())
    error, order = torch.cat(errors), torch.cat(expected)
    sure = error[order <= order.median()]
    return {"error": float(error.mean()), "error of the surer half": float(sure.mean())}


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Measure what the command line asks for, then say what was done."""
    args = parse(argv)
    meter = load_blur_meter(args.weights, args.device)
    jobs = find_jobs(args)
    if args.check:
        for name, value in check(meter, jobs).items():
            print(f"{name} of log2(1 + radius): {value:.3f} ({len(jobs)} photos)")
        return
    lines, refused = measure_all(meter, jobs, args)
    if args.report:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
        write_text(args.report, text.getvalue())
        kinds = [line["kind"] for line in lines]
        counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("sharp", "shallow", "soft", "between"))
        print(f"{counts}; see {args.report}")
    end_with(refused, len(jobs))


if __name__ == "__main__":
    main()
