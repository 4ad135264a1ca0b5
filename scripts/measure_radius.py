"""Measure how well a network of `--model radius` tells the blur of photos of domain B that it never saw.

    python scripts/measure_radius.py --dataroot datasets/bokeh --phase val --weights checkpoints/radius/latest_net_P.pth
    python scripts/measure_radius.py --dataroot datasets/bokeh --outputs maps_of_results --masks datasets/bokeh/maskA

The first needs `blurB` (scripts/measure_blur.py). Figures are medians over photos, at the surer half of backgrounds:
rank correlation of predicted and measured blur, beside that of the height in the picture, and the mean error of
log2(1 + radius). The second takes maps that measure_blur.py made of results, and compares their blur with that of real
photos at the subject's feet, beside it and far from it.
"""

import csv
import io
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data.transforms import image_to_tensor, mask_to_tensor
from models.inference.generator import averaged_file
from models.lens.radius import RadiusNet, load_radius_net, settled
from util.blur_maps import read_blur_map
from util.errors import UserError, command_line
from util.files import write_text
from util.images import find_by_stem, list_images, read_image, read_mask
from util.measure.blur_prediction import VARYING, agreement, distance_and_floor, regions

COLUMNS = ("photo", "rank", "rank_of_height", "error", "spread")


def parse(argv: Sequence[str] | None = None) -> Namespace:
    """Read and check the command line.

    Raises:
        UserError: options that don't go together.
    """
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--dataroot", type=Path, required=True, help="folder with valB, maskB and blurB")
    parser.add_argument("--phase", default="val", help="whose photos of B are measured")
    parser.add_argument(
        "--only", default="*", metavar="PATTERN", help="photos of such names alone, such as w*"
    )
    parser.add_argument("--weights", type=Path, help="latest_net_P.pth of a training")
    parser.add_argument("--report", type=Path, metavar="CSV", help="the figures of each photo")
    parser.add_argument(
        "--outputs", type=Path, metavar="DIR", help="blur maps of results, in place of --weights"
    )
    parser.add_argument("--masks", type=Path, metavar="DIR", help="masks of those results' photos")
    args = parser.parse_args(argv)
    if bool(args.weights) == bool(args.outputs) or bool(args.outputs) != bool(args.masks):
        raise UserError("give --weights, or --outputs together with --masks")
    return args


def find_photos(args: Namespace) -> list[Path]:
    """Photos of the phase's domain B with the names that are asked for.

    Raises:
        UserError: none, or one without mask or map.
    """
    photos = [path for path in list_images(args.dataroot / f"{args.phase}B") if path.match(args.only)]
    if not photos:
        raise UserError(f"{args.dataroot / f'{args.phase}B'}: no photos called {args.only}")
    return photos


def small_mask(path: Path, size: tuple[int, int]) -> np.ndarray:
    """The mask at `size` (width, height), float32 in [0,1]."""
    return np.asarray(read_mask(path).resize(size, Image.Resampling.BOX), dtype=np.float32) / 255


def mask_of(photo: Path, folder: Path, masks: dict[str, Path]) -> Path:
    """The mask of `photo` among `masks` by stem, from `folder`.

    Raises:
        UserError: there is none.
    """
    if photo.stem not in masks:
        raise UserError(f"{folder}: no mask for {photo}; make it with deeplab/inference.py")
    return masks[photo.stem]


@torch.inference_mode()
def predicted_level(net: RadiusNet, photo: Path, mask: Path) -> np.ndarray:
    """Levels `[h,w]` as a lens generator takes them."""
    image = read_image(photo)
    pixels = np.asarray(read_mask(mask).resize(image.size, Image.Resampling.BOX))
    x, m = image_to_tensor(np.asarray(image))[None], mask_to_tensor(pixels)[None]
    blur = net.ask(x, m)
    small = torch.nn.functional.interpolate(m, blur.level.shape[-2:], mode="area")
    return settled(blur, small)[0, 0].numpy()


def figures_of_prediction(args: Namespace) -> dict[Path, dict[str, float]]:
    """Figures of each photo whose background can be judged."""
    net = load_radius_net(averaged_file(args.weights))
    masks = find_by_stem(args.dataroot / "maskB")
    found: dict[Path, dict[str, float]] = {}
    for photo in tqdm(find_photos(args), unit="photo"):
        mask = mask_of(photo, args.dataroot / "maskB", masks)
        level = predicted_level(net, photo, mask)
        size = level.shape[::-1]
        blur = read_blur_map(args.dataroot / "blurB" / f"{photo.stem}.png")
        measured, certainty = (
            cv2.resize(x, size, interpolation=cv2.INTER_AREA) for x in (blur.level, blur.certainty)
        )
        if figures := agreement(level, measured, certainty, small_mask(mask, size)):
            found[photo] = figures
    return found


def levels_by_region(maps: list[Path], folder: Path) -> dict[str, list[np.ndarray]]:
    """Levels of each of `maps` at the feet, beside the subject and far from it, photos without such places left out."""
    found: dict[str, list[np.ndarray]] = {}
    masks = find_by_stem(folder)
    for path in maps:
        blur = read_blur_map(path)
        mask = small_mask(mask_of(path, folder, masks), blur.radius.shape[::-1])
        for name, region in regions(mask).items():
            if region.sum() >= 10:
                found.setdefault(name, []).append(blur.level[region])
    return found


def print_distances(args: Namespace) -> None:
    """By region: the distance of results from real photos, and of halves of the real photos from each other."""
    real = levels_by_region(
        [args.dataroot / "blurB" / f"{p.stem}.png" for p in find_photos(args)], args.dataroot / "maskB"
    )
    ours = levels_by_region(list_images(args.outputs), args.masks)
    for name in sorted(real.keys() & ours.keys()):
        distance, floor = distance_and_floor(ours[name], real[name], np.random.default_rng(0))
        medians = [np.median([np.median(x) for x in group[name]]) for group in (ours, real)]
        print(
            f"{name}: distance {distance:.3f}, {distance / floor:.1f} times that of random halves of B ({floor:.3f}); "
            f"median level {medians[0]:.2f}, of B {medians[1]:.2f}"
        )


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Print what the command line asks for."""
    args = parse(argv)
    if args.outputs:
        print_distances(args)
        return
    found = figures_of_prediction(args)
    every = list(found.values())
    varying = [figures for figures in every if figures["spread"] > VARYING]
    for title, chosen in ((f"{len(every)} photos", every), (f"{len(varying)} whose blur varies", varying)):
        if chosen:
            medians = {name: np.median([figures[name] for figures in chosen]) for name in COLUMNS[1:]}
            print(f"{title}: " + ", ".join(f"{name} {value:.3f}" for name, value in medians.items()))
    if args.report:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({"photo": str(photo)} | figures for photo, figures in found.items())
        write_text(args.report, text.getvalue())


if __name__ == "__main__":
    main()
