"""Make groups of two to eight people whose mask is exact, to see how many of them a model finds.

    python datasets/make_groups.py --dataroot D --phase val --output groups     # people and places of valA and valB
    python test.py --input groups/testA --output soft --aperture 2
    python scripts/evaluate.py --dataroot groups --results soft                 # photos with a blurred subject

People are cut out of photos by their masks and put beside, before and behind those of a photo of A: about as large as
they are, heads about as high, each in a light of its own. The masks go to matteA and matteA_2, where
scripts/evaluate.py looks for two opinions.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data.augment import relight
from data.transforms import image_to_tensor, mask_to_tensor
from util.domains import DOMAINS
from util.errors import UserError, command_line
from util.images import read_image, read_mask, write_image
from util.measure.evaluation import ComparedPhoto, find_sources
from util.present import present
from util.ranges import RangedParser, positive_int, seed
from util.tensors import tensor_to_pixels

# People who stand together are at about one distance. How much larger one is than another, and how much lower the head,
# the latter in radii of the trunk.
SIZES = (0.8, 1.2)
HEADS = (-0.5, 1.0)
# How much people may be shrunk and enlarged for it: a face that fills the frame takes nobody out of a small photo.
SCALES = (0.2, 2.0)
MOST_ADDED = 7
TRIES = 40  # people who are looked at for a group, and places
LIGHT = 0.7  # strength of relighting: a network would learn that people of a group look alike


class Subject(NamedTuple):
    """The people of a photo: `photo` `[3,h,w] in [-1,1]` and their `mask` `[1,h,w] in [0,1]`."""

    photo: torch.Tensor
    mask: torch.Tensor

    @property
    def trunk(self) -> float:
        """Radius in pixels of the largest disc within them: trunks are wider than heads and limbs."""
        body = np.pad(np.uint8(self.mask[0].numpy() > 0.5), 1)
        return float(cv2.distanceTransform(body, cv2.DIST_L2, cv2.DIST_MASK_PRECISE).max())

    @property
    def top(self) -> int:
        """The first row of them."""
        return int((self.mask[0] > 0.5).any(1).nonzero()[0])

    @property
    def length(self) -> float:
        """Rows from the first one on; infinitely many for a whole body, which may end anywhere."""
        is_cut_off = bool((self.mask[0, -2:] > 0.5).any())
        return self.mask.shape[1] - self.top if is_cut_off else float("inf")


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


def read(files: ComparedPhoto, square: int | None = None) -> Subject:
    """A photo and its mask, of its upper square at that size if one is given."""
    photo = read_image(files.source)
    mask = read_mask(present(files.mask)).resize(photo.size)
    if square:
        photo, mask = (ImageOps.fit(x, (square, square), centering=(0.5, 0)) for x in (photo, mask))
    return Subject(image_to_tensor(np.asarray(photo)), mask_to_tensor(np.asarray(mask)))


def placed(subject: Subject, scale: float, row: float, column: float, size: int) -> Subject:
    """`subject` times `scale` in a black frame of `size`, their first row at `row` and their middle at `column`."""
    layer = torch.cat([subject.photo, subject.mask])[None]
    height, width = (max(1, round(side * scale)) for side in layer.shape[-2:])
    layer = F.interpolate(layer, (height, width), mode="bilinear", antialias=True, align_corners=False)[0]
    top = round(row - scale * subject.top)
    columns = (subject.mask[0] > 0.5).any(0).nonzero()
    left = round(column - scale * (float(columns.float().mean()) + 0.5))
    frame = torch.zeros(4, size, size)
    seen = [slice(max(0, at), min(size, at + side)) for at, side in ((top, height), (left, width))]
    own = [slice(s.start - at, s.stop - at) for s, at in zip(seen, (top, left), strict=True)]
    if all(s.start < s.stop for s in seen):
        frame[:, seen[0], seen[1]] = layer[:, own[0], own[1]]
    return Subject(frame[:3], frame[3:])


def make_group(
    rng: np.random.Generator, places: list[ComparedPhoto], people: list[ComparedPhoto], size: int
) -> Subject:
    """A photo of `places`, `size` high and wide, with one to seven of `people` added, and the mask of them all.

    Raises:
        UserError: of those looked at nobody is of a size that goes with anybody else's.
    """
    for _ in range(TRIES):
        together = place = read(places[int(rng.integers(len(places)))], size)
        wanted = int(rng.integers(1, MOST_ADDED + 1))
        for number in rng.permutation(len(people))[:TRIES]:
            other = read(people[number])
            if min(place.trunk, other.trunk) < 1:
                continue
            scale = place.trunk * float(rng.uniform(*SIZES)) / other.trunk
            row = place.top + place.trunk * float(rng.uniform(*HEADS))
            if not SCALES[0] <= scale <= SCALES[1] or row + scale * other.length < size:
                continue
            added = placed(other, scale, row, float(rng.uniform(0, size)), size)
            together = _added(together, added, rng)
            wanted -= 1
            if wanted == 0:
                break
        if together is not place:
            return together
    raise UserError("no group: nobody is of a size that goes with anybody else's; give more photos")


def _added(people: Subject, other: Subject, rng: np.random.Generator) -> Subject:
    """`other` before or behind `people`, mirrored at times."""
    if rng.random() < 0.5:
        other = Subject(other.photo.flip(-1), other.mask.flip(-1))
    m = other.mask * (1 - people.mask) if rng.random() < 0.5 else other.mask
    photo = m * relight(other.photo, LIGHT, rng) + (1 - m) * people.photo
    return Subject(photo, torch.maximum(m, people.mask))


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
        group = make_group(np.random.default_rng((args.seed, number)), places, people, args.size)
        name = f"group_{number:03d}.png"
        write_image(Image.fromarray(tensor_to_pixels(group.photo)), args.output / "testA" / name)
        levels = np.uint8(np.rint(255 * group.mask[0].numpy()))
        for folder in ("matteA", "matteA_2"):
            write_image(Image.fromarray(levels), args.output / folder / name)
    print(f"{args.output}: {args.n} groups")


if __name__ == "__main__":
    main()
