"""Put photos of two folders side by side, A left and B right, for `--dataset_mode aligned`.

    python datasets/combine_A_and_B.py --fold_A D/trainA --fold_B D/trainB --fold_AB D/train

Photos belong together when they have the same path below their folders, up to the suffix; subfolders are kept.
Pairs are PNGs, of 16 bits if one of the two is. Pairs that are there and newer than their photos stay.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from tqdm import tqdm

from util.errors import UserError, command_line
from util.files import is_inside, is_up_to_date
from util.images import image_size, list_images, read_pixels, write_pixels
from util.parallel import bounded_map, process_pool
from util.ranges import RangedParser, count, positive_int

SHOWN = 10  # names in an error

Pair = tuple[Path, Path, Path]  # A, B, both side by side


def find_pairs(fold_A: Path, fold_B: Path, fold_AB: Path, use_AB: bool = False) -> list[Pair]:
    """All pairs, in order of A's paths. With `use_AB`, `1_A.jpg` and `1_B.jpg` make `1_AB.png`.

    Raises:
        UserError: no photos, photos without a partner, or of another size than theirs.
    """
    photos_A = _by_name(fold_A, "_A" if use_AB else "")
    photos_B = _by_name(fold_B, "_B" if use_AB else "")
    if not photos_A and not photos_B:
        ending = " whose names end in _A" if use_AB else ""
        raise UserError(f"{fold_A}: no photos in there{ending}; check --fold_A")
    alone = [str(photos_A.get(name) or photos_B[name]) for name in sorted(photos_A.keys() ^ photos_B.keys())]
    if alone:
        raise UserError(f"{len(alone)} photos have no partner; add it or remove them: {_some(alone)}")
    pairs = [
        (path, photos_B[name], fold_AB / f"{name}{'_AB' if use_AB else ''}.png")
        for name, path in photos_A.items()
    ]
    unequal = [
        f"{path_A} and {path_B}" for path_A, path_B, _ in pairs if image_size(path_A) != image_size(path_B)
    ]
    if unequal:
        raise UserError(f"{len(unequal)} pairs differ in size; scale one to the other: {_some(unequal)}")
    return pairs


def _by_name(folder: Path, ending: str) -> dict[str, Path]:
    """Photos of `folder` by their path below it, without suffix and `ending`."""
    found: dict[str, Path] = {}
    for path in list_images(folder):
        name = str(path.relative_to(folder).with_suffix(""))
        if name.removesuffix(ending) in found:
            raise UserError(f"{path}: another photo differs by the suffix alone; rename or remove one")
        if name.endswith(ending):
            found[name.removesuffix(ending)] = path
    return found


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (" and others" if len(names) > SHOWN else "")


def combine(pair: Pair) -> None:
    """Write one pair."""
    halves = [read_pixels(path) for path in pair[:2]]
    if len({half.dtype for half in halves}) > 1:
        # 65535 / 255 = 257: white stays white.
        halves = [half if half.dtype == np.uint16 else half.astype(np.uint16) * 257 for half in halves]
    write_pixels(np.concatenate(halves, axis=1), pair[2])


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read and check the command line.

    Raises:
        UserError: pairs would be taken for photos by the next run.
    """
    parser = RangedParser(
        description=__doc__.split("\n\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--fold_A", type=Path, required=True, help="photos of the left halves")
    parser.add_argument("--fold_B", type=Path, required=True, help="photos of the right halves")
    parser.add_argument("--fold_AB", type=Path, required=True, help="where the pairs go")
    parser.add_argument(
        "--num_imgs", type=positive_int, default=None, help="make the first so many pairs only"
    )
    parser.add_argument("--use_AB", action="store_true", help="names end in _A and _B: 1_A.jpg, 1_B.jpg")
    parser.add_argument(
        "--num_threads", type=count, default=os.cpu_count(), help="processes; 0 = this one only"
    )
    args = parser.parse_args(argv)
    for source in (args.fold_A, args.fold_B):
        if is_inside(args.fold_AB, source):
            raise UserError(f"--fold_AB {args.fold_AB}: lies inside {source}; choose a folder outside")
    return args


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Make the pairs that are not there yet."""
    args = parse(argv)
    pairs = find_pairs(args.fold_A, args.fold_B, args.fold_AB, args.use_AB)[: args.num_imgs]
    todo = [pair for pair in pairs if not is_up_to_date(pair[2], pair[0], pair[1])]
    with process_pool(args.num_threads if todo else 0) as pool:
        for _ in tqdm(bounded_map(pool, combine, todo), total=len(todo), unit="pair", disable=None):
            pass
    print(f"{args.fold_AB}: {len(pairs)} pairs, {len(pairs) - len(todo)} of them there already")


if __name__ == "__main__":
    main()
