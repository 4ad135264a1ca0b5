"""Make a small dataroot of portraits with exact masks and the exact answer, from photos on this machine.

    python datasets/make_demo.py --dataroot ./datasets/demo

Domain A (trainA, valA, testA) is sharp everywhere; in domain B (trainB, ...) the background is behind a lens of
varied blur. The two show different scenes, as unpaired photos do. maskA and maskB hold each photo's exact mask
under its name; truthA shows the scenes of valA and testA through the lens: what a perfect generator makes of
them. The same options give the same files; run again, it makes only what is missing.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from datasets.demo_scenes import make_scene, to_8_bit
from util.domains import DOMAINS, PHASES
from util.errors import UserError, command_line
from util.files import write_text
from util.images import write_image
from util.ranges import RangedParser, count, positive_int, seed

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RADII = (3.0, 6.0)  # px in an image of 256: the discs of domain B
TRUTH_RADIUS = 4.5  # px in an image of 256: their mean
SETTINGS_FILE = "demo.json"


@dataclass(frozen=True)
class DemoSettings:
    """What decides every byte of the dataset."""

    size: int
    n_train: int
    n_val: int
    n_test: int
    seed: int

    def radius(self, at_256: float) -> float:
        """A radius that is given for images of 256 pixels, in pixels of this size."""
        return at_256 * self.size / 256


@dataclass(frozen=True)
class DemoPhoto:
    """One photo of the dataset: `name` in the folder of its phase and domain, e.g. `train_003` in trainA."""

    domain: str
    phase: str
    index: int

    @property
    def name(self) -> str:
        return f"{self.phase}_{self.index:03d}.png"

    @property
    def places(self) -> dict[str, str]:
        """Its files below the dataroot: the photo, its mask and, where one is made, the truth."""
        places = {"photo": f"{self.phase}{self.domain}/{self.name}", "mask": f"mask{self.domain}/{self.name}"}
        if self.domain == "A" and self.phase != "train":
            places["truth"] = f"truthA/{self.name}"
        return places


def photos(settings: DemoSettings) -> Iterator[DemoPhoto]:
    """Every photo of the dataset."""
    counts = {"train": settings.n_train, "val": settings.n_val, "test": settings.n_test}
    for phase, length in counts.items():
        for domain in "AB":
            yield from (DemoPhoto(domain, phase, index) for index in range(length))


def render(photo: DemoPhoto, settings: DemoSettings) -> dict[str, np.ndarray]:
    """The images of `photo` by kind, uint8: 'photo' and 'truth' [S,S,3], 'mask' [S,S]."""
    # A stream of its own for each photo: scenes don't change when another count does.
    stream = (DOMAINS.index(photo.domain), PHASES.index(photo.phase), photo.index)
    rng = np.random.default_rng((settings.seed, *stream))
    scene = make_scene(rng, settings.size, margin=int(np.ceil(settings.radius(RADII[1]))))
    radius = settings.radius(rng.uniform(*RADII)) if photo.domain == "B" else 0.0
    images = {"photo": scene.render(radius), "mask": to_8_bit(scene.mask)}
    if "truth" in photo.places:
        images["truth"] = scene.render(settings.radius(TRUTH_RADIUS))
    return images


def claim(dataroot: Path, settings: "DataclassInstance", file: str = SETTINGS_FILE) -> None:
    """Note the settings in `dataroot/file`, so that another run can tell whether it may go on there.

    Raises:
        UserError: the folder holds something else, or the same kind of dataset with other settings.
    """
    note = dataroot / file
    wanted = json.dumps(asdict(settings))
    if note.exists() and note.read_text() == wanted:
        return
    if dataroot.exists() and any(dataroot.iterdir()):
        other = "the same kind of dataset with other settings" if note.exists() else "other files"
        raise UserError(f"{dataroot}: holds {other}; remove it or choose another --dataroot")
    write_text(note, wanted)


def make_demo(dataroot: Path, settings: DemoSettings) -> int:
    """Write what is missing below `dataroot`; returns the number of photos made."""
    claim(dataroot, settings)
    missing = [p for p in photos(settings) if not all((dataroot / f).exists() for f in p.places.values())]
    for photo in tqdm(missing, desc="demo portraits", unit="photo", disable=not missing):
        for kind, image in render(photo, settings).items():
            write_image(Image.fromarray(image), dataroot / photo.places[kind])
    return len(missing)


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = RangedParser(
        description="Make a small dataroot of portraits with exact masks and truth.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--dataroot", type=Path, default=Path("datasets/demo"), help="folder to make")
    parser.add_argument(
        "--size", type=positive_int, default=256, help="height and width in pixels, 64 to 512"
    )
    parser.add_argument("--n_train", type=count, default=60, help="training photos per domain")
    parser.add_argument("--n_val", type=count, default=6, help="validation photos per domain")
    parser.add_argument("--n_test", type=count, default=12, help="test photos per domain")
    parser.add_argument("--seed", type=seed, default=0, help="another seed gives other scenes")
    return parser.parse_args(argv)


@command_line
def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    if not 64 <= args.size <= 512:
        raise UserError(
            f"--size {args.size}: choose 64 to 512; the photos it is made of have about 500 pixels"
        )
    made = make_demo(args.dataroot, DemoSettings(args.size, args.n_train, args.n_val, args.n_test, args.seed))
    print(f"{args.dataroot}: {made} photos made" if made else f"{args.dataroot}: complete, nothing to make")


if __name__ == "__main__":
    main()
