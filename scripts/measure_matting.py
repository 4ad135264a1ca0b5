"""Measure mattes of people with loose hair, on composites whose alpha is known.

    python scripts/measure_matting.py                                            # 100 of the demo's person
    python scripts/measure_matting.py --people cutouts/ --backgrounds places/    # RGBA cut-outs before other photos
    python scripts/measure_matting.py --masks selfie rvm --seed 1 --n 20         # to choose settings on

For each segmenter of --masks: its mask with the guided filter (deeplab/inference.py --refine), as it is, and with
matting (util/matting). Figures are means over the composites, and their ratios to the first row: `SAD, hair` of alpha
within two pixels of loose hair, in thousands; `halo`, the mean difference, in the ring outside the subject's edge,
of what the same lens makes of the photo with that matte and with the true one. The last rows say what is in reach.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data.transforms import image_to_tensor
from datasets.composites import Composite, make_composite
from datasets.lab_parts import read_people
from deeplab.refine import refine_mask
from deeplab.segmenters import CHOICES, create_segmenter, is_segmenter
from util.errors import UserError, command_line
from util.images import list_images, read_image
from util.matting import alpha_of, colors_behind
from util.measure.matting import hair_band, sad
from util.optics.blur import render
from util.ranges import RangedParser, positive, positive_int, seed

RING = 1 / 32  # width of the ring, as a share of the side


class Answer(NamedTuple):
    """What a method makes of a photo: alpha float32 `[H,W]`, and uint8 `[H,W,3]`, what lies behind the subject."""

    alpha: np.ndarray
    behind: np.ndarray


def answers(photo: np.ndarray, mask: np.ndarray) -> dict[str, Answer]:
    """The methods by name, for a photo uint8 `[H,W,3]` and the segmenter's mask float32 `[H,W]` in [0,1]."""
    alpha = alpha_of(photo, mask)
    return {
        "guided filter": Answer(refine_mask(photo, mask >= 0.5), photo),
        "as it is": Answer(mask, photo),
        "matting": Answer(alpha, colors_behind(photo, alpha)),
    }


def ideals(composite: Composite) -> dict[str, Answer]:
    """What a method could reach at best: the true alpha, with and without loose hair, and colours found by it."""
    alphas = {"true alpha": composite.alpha, "true alpha but no loose hair": composite.alpha - composite.hair}
    return {name: Answer(alpha, colors_behind(composite.photo, alpha)) for name, alpha in alphas.items()}


def through_lens(photo: np.ndarray, answer: Answer, radius: float) -> np.ndarray:
    """What a lens makes of a photo uint8 `[H,W,3]` whose subject is told, sRGB float32 `[H,W,3]` in [0,1]."""
    x, behind = (image_to_tensor(pixels)[None] for pixels in (photo, answer.behind))
    in_focus = torch.from_numpy(answer.alpha)[None, None]
    result = render(x, torch.cat([in_focus, 1 - in_focus], dim=1), [radius], behind=behind)
    return (result[0].permute(1, 2, 0).numpy() + 1) / 2


def ring(alpha: np.ndarray) -> np.ndarray:
    """Bool `[H,W]`: outside the subject, near its edge."""
    outside = np.uint8(alpha < 0.5)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return (distance > 0) & (distance <= RING * max(alpha.shape))


def figures(composite: Composite, answer: Answer, radius: float) -> tuple[float, float]:
    """SAD in the hair band, and the halo."""
    results = (
        through_lens(composite.photo, known, radius)
        for known in (answer, Answer(composite.alpha, composite.behind))
    )
    error = np.abs(np.subtract(*results))
    return sad(answer.alpha, composite.alpha, hair_band(composite.hair)), float(
        error[ring(composite.alpha)].mean()
    )


def measure(
    masks: Sequence[str], composites: Sequence[Composite], radius: float
) -> dict[str, list[tuple[float, float]]]:
    """Figures of each composite, by segmenter and method."""
    found: dict[str, list[tuple[float, float]]] = {}
    for name in masks:
        segmenter = create_segmenter(name)
        for composite in tqdm(composites, name, leave=False):
            mask = segmenter(composite.photo[None])[0]
            for method, answer in answers(composite.photo, mask).items():
                found.setdefault(f"{name}, {method}", []).append(figures(composite, answer, radius))
    for composite in tqdm(composites, "ideals", leave=False):
        for method, answer in ideals(composite).items():
            found.setdefault(method, []).append(figures(composite, answer, radius))
    return found


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read and check the command line."""
    parser = RangedParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--masks", nargs="+", default=["selfie", "rvm"], metavar="NAME", help=f"of {CHOICES}")
    add("--n", type=positive_int, default=100, help="composites")
    add("--size", type=positive_int, default=640, help="height and width in pixels")
    add("--radius", type=positive, default=10.0, help="of the disc, pixels")
    add("--people", type=Path, help="folder of RGBA cut-outs; default: the demo's person")
    add("--backgrounds", type=Path, help="folder of photos without people; default: those of scikit-image")
    add("--seed", type=seed, default=0, help="another seed gives other composites")
    args = parser.parse_args(argv)
    for name in args.masks:
        if not is_segmenter(name):
            raise UserError(f"--masks {name}: unknown; choose of {CHOICES}")
    return args


@command_line
def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    args = parse(argv)
    people = read_people(args.people) if args.people else []
    places = (
        [np.asarray(read_image(path)) for path in list_images(args.backgrounds)] if args.backgrounds else []
    )
    composites = [
        make_composite(np.random.default_rng((args.seed, number)), args.size, people, places)
        for number in range(args.n)
    ]
    means = {name: np.mean(of, axis=0) for name, of in measure(args.masks, composites, args.radius).items()}
    first = next(iter(means.values()))
    print("| method | SAD, hair | ratio | halo | ratio |\n|---|---|---|---|---|")
    for name, (error, halo) in means.items():
        print(f"| {name} | {error:.3f} | {error / first[0]:.3f} | {halo:.4f} | {halo / first[1]:.3f} |")


if __name__ == "__main__":
    main()
