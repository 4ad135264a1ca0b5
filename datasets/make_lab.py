"""Make the lab: scenes seen through a thin lens, with everything that is true of them.

    python datasets/make_lab.py --dataroot ./datasets/lab
    python datasets/make_lab.py --dataroot ./datasets/lab --people cutouts/   # RGBA cut-outs, not the demo's person

valA and testA hold the photos in which all is in focus; settings are chosen on val and reported on test. Under the same
names: maskA, the subject's exact alpha; hairA, the share of loose hair; depthA, inverse depth, near is bright;
truth/<lens>, the photo through each lens; radius/<lens>, its circles of confusion; scenes, cameras and lights as JSON.
The lenses: narrow and wide, focused on the subject, and far, as wide, focused on the backdrop. The same options give
the same files; run again, it makes only what is missing. docs/lab.md says how it is used.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from datasets.demo_scenes import to_8_bit
from datasets.lab_parts import Person, read_people
from datasets.lab_scenes import READ, SHOT, LabScene, make_scene
from datasets.make_demo import claim
from util.errors import UserError, command_line
from util.files import write_text
from util.images import write_image, write_pixels
from util.measure.lab import LENSES, encode_radius
from util.parallel import bounded_map, process_pool
from util.ranges import RangedParser, count, positive_int, seed


@dataclass(frozen=True)
class LabSettings:
    """What decides every byte of the lab."""

    size: int
    n_val: int
    n_test: int
    people: str
    seed: int


@dataclass(frozen=True)
class Place:
    """A scene's number and the phase that it belongs to."""

    phase: str
    index: int

    @property
    def name(self) -> str:
        return f"{self.phase}_{self.index:03d}"

    @property
    def done(self) -> str:
        """The file that is written last."""
        return f"scenes/{self.name}.json"


def places(settings: LabSettings) -> Iterator[Place]:
    """Every scene of the lab."""
    for phase, length in (("val", settings.n_val), ("test", settings.n_test)):
        yield from (Place(phase, index) for index in range(length))


def focused_point(scene: LabScene, lens: str, inverse_depth: np.ndarray) -> tuple[int, int]:
    """The pixel (x, y) that lies deepest within what this lens has in focus."""
    sharp = np.abs(scene.lenses[lens].radius(inverse_depth)) < 0.5
    distance = cv2.distanceTransform(np.uint8(sharp), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    y, x = np.unravel_index(np.argmax(distance), distance.shape)
    return int(x), int(y)


def description(scene: LabScene, inverse_depth: np.ndarray) -> dict:
    """Camera, lenses and lights of a scene. Lengths in the picture are pixels, inverse depths 1/m."""
    lenses = {
        name: asdict(scene.lenses[name]) | {"point": focused_point(scene, name, inverse_depth)}
        for name in LENSES
    }
    return {
        "kind": scene.kind,
        "size": scene.size,
        "horizon": scene.horizon,
        "depth_of_white": float(inverse_depth.max()),
        "noise": None if scene.noise is None else {"read": READ, "shot": SHOT},
        "lenses": lenses,
        "lights": [asdict(light) for light in scene.lights],
    }


def make(place: Place, dataroot: Path, settings: LabSettings, people: tuple[Person, ...]) -> None:
    """Render a scene and write its files."""
    cv2.setNumThreads(1)  # the processes are as many as the cores
    stream = (settings.seed, ("val", "test").index(place.phase), place.index)
    scene = make_scene(np.random.default_rng(stream), settings.size, place.index, people)
    file = f"{place.name}.png"
    write_image(Image.fromarray(to_8_bit(scene.photo("pinhole"))), dataroot / f"{place.phase}A" / file)
    write_image(Image.fromarray(to_8_bit(scene.alpha())), dataroot / "maskA" / file)
    write_image(Image.fromarray(to_8_bit(np.clip(scene.hair, 0, 1))), dataroot / "hairA" / file)
    depth = scene.inverse_depth()
    levels = np.round(65535 * depth / depth.max()).astype(np.uint16)
    write_pixels(levels[..., None], dataroot / "depthA" / file)
    for name in LENSES:
        write_image(Image.fromarray(to_8_bit(scene.photo(name))), dataroot / "truth" / name / file)
        radii = encode_radius(np.asarray(scene.lenses[name].radius(depth)))
        write_pixels(radii[..., None], dataroot / "radius" / name / file)
    write_text(dataroot / place.done, json.dumps(description(scene, depth), indent=1))


def make_lab(dataroot: Path, settings: LabSettings, workers: int) -> int:
    """Write what is missing below `dataroot`; returns the number of scenes made."""
    people = tuple(read_people(Path(settings.people))) if settings.people else ()
    claim(dataroot, settings, "lab.json")
    missing = [place for place in places(settings) if not (dataroot / place.done).exists()]
    work = partial(make, dataroot=dataroot, settings=settings, people=people)
    with process_pool(min(workers, len(missing))) as pool:
        done = bounded_map(pool, work, missing)
        for _ in tqdm(done, "scenes", len(missing), unit="scene", disable=not missing):
            pass
    return len(missing)


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = RangedParser(
        description="Make scenes seen through a thin lens, with everything that is true of them.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--dataroot", type=Path, default=Path("datasets/lab"), help="folder to make")
    add("--size", type=positive_int, default=512, help="height and width in pixels, 128 to 1024")
    add("--n_val", type=count, default=20, help="scenes to choose settings on")
    add("--n_test", type=count, default=40, help="scenes to report figures on")
    add(
        "--people",
        default="",
        help="folder of RGBA cut-outs to take subjects from; default: the demo's person",
    )
    add("--seed", type=seed, default=0, help="another seed gives other scenes")
    add("--num_workers", type=count, default=2, help="processes that render; 0 = in the main one")
    return parser.parse_args(argv)


@command_line
def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    if not 128 <= args.size <= 1024:
        raise UserError(f"--size {args.size}: choose 128 to 1024")
    settings = LabSettings(args.size, args.n_val, args.n_test, args.people, args.seed)
    made = make_lab(args.dataroot, settings, args.num_workers)
    print(f"{args.dataroot}: {made} scenes made" if made else f"{args.dataroot}: complete, nothing to make")


if __name__ == "__main__":
    main()
