"""Make groups of two to eight people whose mask is exact, to see how many of them a model finds.

    python datasets/make_groups.py --dataroot D --phase val --output groups     # people and places of valA and valB
    python test.py --input groups/testA --output soft --aperture 2
    python scripts/evaluate.py --dataroot groups --results soft                 # photos with a blurred subject

People are cut out of photos by their masks and put before and behind those of a photo of A, as --augment_group does it
in training. The masks go to matteA and matteA_2, where scripts/evaluate.py looks for two opinions.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data.augment import group
from data.transforms import image_to_tensor, mask_to_tensor
from util.domains import DOMAINS
from util.errors import command_line
from util.images import read_image, read_mask, write_image
from util.measure.evaluation import ComparedPhoto, find_sources
from util.present import present
from util.ranges import RangedParser, positive_int, seed
from util.tensors import tensor_to_pixels

SUBJECTS = 8  # photos that the people of a group are taken from


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = RangedParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--dataroot", type=Path, required=True, help="folder with <phase>A, <phase>B, maskA, maskB")
    add("--phase", default="val", help="whose photos are taken")
    add("--output", type=Path, required=True, help="folder to make")
    add("--n", type=positive_int, default=100, help="groups")
    add("--size", type=positive_int, default=512, help="height and width in pixels")
    add("--seed", type=seed, default=0, help="another seed gives other groups")
    return parser.parse_args(argv)


def read(files: ComparedPhoto, size: int, whole: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Photo `[3,S,S] in [-1,1]` and mask `[1,S,S] in [0,1]`: all of it with nobody beside, or its upper square."""
    photo = read_image(files.source)
    mask = read_mask(present(files.mask)).resize(photo.size)
    if whole:
        photo, mask = (ImageOps.pad(x, (size, size), centering=(0.5, 1)) for x in (photo, mask))
    else:
        photo, mask = (ImageOps.fit(x, (size, size), centering=(0.5, 0)) for x in (photo, mask))
    return image_to_tensor(np.asarray(photo)), mask_to_tensor(np.asarray(mask))


def make_group(
    rng: np.random.Generator, places: list[ComparedPhoto], people: list[ComparedPhoto], size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """A photo `[3,S,S] in [-1,1]` of `places` with one to seven of `people` added, and the mask of them all."""
    photo, mask = read(places[int(rng.integers(len(places)))], size, whole=False)
    item = {"A": photo, "mask_A": mask}
    chosen = rng.choice(len(people), min(SUBJECTS, len(people)), replace=False)
    group(item, "A", [read(people[number], size, whole=True) for number in chosen], rng)
    return item["A"], item["mask_A"]


@command_line
def main(argv: list[str] | None = None) -> None:
    """Write the groups."""
    args = parse(argv)
    places, others = (
        find_sources(args.dataroot / f"{args.phase}{domain}", args.dataroot / f"mask{domain}")
        for domain in DOMAINS
    )
    people = places + others
    for number in tqdm(range(args.n), unit="group"):
        photo, mask = make_group(np.random.default_rng((args.seed, number)), places, people, args.size)
        name = f"group_{number:03d}.png"
        write_image(Image.fromarray(tensor_to_pixels(photo)), args.output / "testA" / name)
        for folder in ("matteA", "matteA_2"):
            levels = np.uint8(np.rint(255 * mask[0].numpy()))
            write_image(Image.fromarray(levels), args.output / folder / name)
    print(f"{args.output}: {args.n} groups")


if __name__ == "__main__":
    main()
