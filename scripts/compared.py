"""What evaluate.py compares: the photos that every method has, with the pictures of all methods in one folder."""

import argparse
import shlex
import shutil
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from deeplab.smoothing import disc_blur, gaussian_blur, mean_blur
from util.domains import domains
from util.errors import UserError
from util.images import NOT_IN_BROWSERS, find_by_stem, image_size, read_image, read_mask, write_image
from util.measure.evaluation import (
    ComparedPhoto,
    find_mattes,
    find_outputs,
    find_pairs,
    find_sources,
    in_parallel,
)
from util.measure.lab import LENSES, is_lab
from util.measure.results import check_names, file_name, parse_result
from util.present import present

Blur = Callable[[np.ndarray, np.ndarray], np.ndarray]


def sources(args: argparse.Namespace) -> list[ComparedPhoto]:
    """The input photos, each with what belongs to it: mask or truth, mattes where there are two."""
    if args.pairs:
        if args.baselines:
            raise UserError(
                "--baselines: --pairs have no masks to blur behind; give --results of the same photos"
            )
        return find_pairs(args.pairs)
    domain = domains(args.direction)[0]
    mattes = args.dataroot / f"matte{domain}"
    masks = args.dataroot / f"mask{domain}"
    photos = find_sources(args.dataroot / f"{args.phase}{domain}", masks if masks.is_dir() else mattes)
    if "mattes" in args.against:
        photos = find_mattes(photos, mattes, args.dataroot / f"matte{domain}_2")
    if "photo" not in args.against:
        photos = [replace(photo, mask=None) for photo in photos]
    if not args.truth or "truth" not in args.against:
        return photos
    truths = find_truths(args.truth, photos)
    lens = args.truth.name if is_lab(args.dataroot) and args.truth.name in LENSES else None
    return [
        replace(photo, truth=truths[photo.stem], lens=lens) if photo.stem in truths else photo
        for photo in photos
    ]


def collect(args: argparse.Namespace, pool: Executor | None) -> list[ComparedPhoto]:
    """The photos that every method has, with each method's output copied (or made) below `args.output`."""
    photos = sources(args)
    results = [parse_result(argument) for argument in args.results]
    blurs = baselines(args.disc_radii) if args.baselines else {}
    check_names([result.title for result in results] + (["input", *blurs] if blurs else []))
    methods = {result.title: find_outputs(result.folder, result.label) for result in results}
    if not methods and not blurs:
        raise UserError("nothing to measure; give --results DIR, or --baselines")
    common = [photo for photo in photos if all(photo.stem in files for files in methods.values())]
    if not common:
        raise UserError(f"--results: no file there is named like a photo in {photos[0].source.parent}")
    if len(common) < len(photos):
        print(f"{len(common)} of {len(photos)} photos have an output of every method; only they count")
    note_sizes(common, methods)
    common = with_alphas(common, args.alphas, list(methods))
    images = args.output / "images"
    images.mkdir(parents=True, exist_ok=True)
    fill = partial(lay_out, images=images, methods=methods, blurs=blurs)
    return in_parallel(pool, fill, common, "copying and blurring")


def real_photos(args: argparse.Namespace) -> list[ComparedPhoto]:
    """The photos of the other domain with their masks, or, as a line says, without; none where there is no folder."""
    domain = domains(args.direction)[1]
    folder = args.dataroot / f"{args.phase}{domain}" if args.dataroot else None
    files = find_by_stem(folder) if folder and folder.is_dir() else {}
    if not folder or not files:
        return []
    masks = args.dataroot / f"mask{domain}"
    missing = files.keys() - (find_by_stem(masks).keys() if masks.is_dir() else set())
    if not missing:
        return find_sources(folder, masks)
    make = shlex.join(["python", "deeplab/inference.py", "--dataroot", str(args.dataroot)])
    print(
        f"No blur match: {masks} lacks {len(missing)} of {len(files)} masks of {folder}; make them with: {make}"
    )
    return [ComparedPhoto(stem, path, None) for stem, path in sorted(files.items())]


def has_masks(photos: list[ComparedPhoto]) -> bool:
    """Whether there are `photos`, each with its mask."""
    return bool(photos) and all(photo.mask for photo in photos)


def note_sizes(photos: list[ComparedPhoto], methods: dict[str, dict[str, Path]]) -> None:
    """Say of which methods results have another size than their photos, which then are scaled."""
    for method, files in methods.items():
        sizes = [(photo, image_size(files[photo.stem]), image_size(photo.source)) for photo in photos]
        other = [line for line in sizes if line[1] != line[2]]
        if other:
            photo, (width, height), (wide, high) = other[0]
            print(
                f"{method}: {len(other)} of {len(photos)} results have another size than their photos ({photo.stem}: "
                f"{width} x {height}, not {wide} x {high}); photos are scaled to it, and so figures differ somewhat"
            )


def with_alphas(photos: list[ComparedPhoto], arguments: list[str], methods: list[str]) -> list[ComparedPhoto]:
    """The photos with the in-focus weights that `--alphas NAME=DIR` name.

    Raises:
        UserError: a name is none of the methods, or a photo has no file in the folder.
    """
    for result in map(parse_result, arguments):
        if result.title not in methods:
            raise UserError(f"--alphas {result.title}: no --results of this name")
        files = find_outputs(result.folder, result.label)
        missing = [photo.stem for photo in photos if photo.stem not in files]
        if missing:
            raise UserError(f"--alphas {result.folder}: no file for {', '.join(missing[:5])}")
        photos = [
            replace(photo, alphas={**photo.alphas, result.title: files[photo.stem]}) for photo in photos
        ]
    return photos


def strengths(args: argparse.Namespace) -> dict[str, dict[float, str]]:
    """Method -> strength -> title, of the methods that come at several strengths; discs among them."""
    found: dict[str, dict[float, str]] = {}
    for result in map(parse_result, args.results):
        if result.strength is not None:
            found.setdefault(result.name, {})[result.strength] = result.title
    if args.baselines:
        found["disc"] = {radius: f"disc {radius:g}" for radius in args.disc_radii}
    return {name: titles for name, titles in found.items() if len(titles) > 1}


def find_truths(folder: Path, photos: list[ComparedPhoto]) -> dict[str, Path]:
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


def baselines(disc_radii: list[float]) -> dict[str, Blur]:
    """The conventional blurs behind the mask, by name."""
    discs = {f"disc {radius:g}": partial(disc_blur, radius=radius) for radius in disc_radii}
    return {"mean 5x5": mean_blur, "gaussian 9x9": gaussian_blur, **discs}


def lay_out(
    photo: ComparedPhoto, images: Path, methods: dict[str, dict[str, Path]], blurs: dict[str, Blur]
) -> ComparedPhoto:
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
        image = np.asarray(read_image(photo.source))
        scaled = read_mask(present(photo.mask)).resize(image.shape[1::-1], Image.Resampling.BILINEAR)
        mask = np.asarray(scaled, dtype=np.float32) / 255
        for method, blur in blurs.items():
            outputs[method] = place(method, ".png")
            write_image(Image.fromarray(blur(image, mask)), outputs[method])
    for method, files in methods.items():
        outputs[method] = copy(method, files[photo.stem])
    return replace(photo, outputs=outputs)


def chosen_for_grid(photos: list[ComparedPhoto], stems: list[str] | None) -> list[ComparedPhoto]:
    """The photos named, in that order; all if none is."""
    if not stems:
        return photos
    by_stem = {photo.stem: photo for photo in photos}
    unknown = [stem for stem in stems if stem not in by_stem]
    if unknown:
        raise UserError(f"--grid_photos: {', '.join(unknown)} is not among the photos")
    return [by_stem[stem] for stem in stems]
