"""Measure the camera on the lab, where what a lens sees is known, beside the blurs that it replaces.

    python datasets/make_lab.py --dataroot LAB --seed 21 --n_val 0 --n_test 16
    python scripts/measure_camera.py --dataroot LAB                         # print the table
    python scripts/measure_camera.py --dataroot LAB --write docs/camera.md  # and put it there, between its marks

All get the photo in which all is in focus, the true alpha and the true radii through the lens `wide`; for the focus, a
depth map and a point in focus, of the lenses `wide` and `far`; for the control, radii of five strengths.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from datasets.lab_lens import render as see
from datasets.lab_parts import read_people
from datasets.lab_scenes import make_scene
from util.errors import UserError, command_line
from util.images import list_images, read_image
from util.marked import write_between
from util.measure.against_truth import figures_against_truth, figures_of_lights, focus_error
from util.measure.lab import Truth, is_lab, read_truth
from util.measure.metrics import Regions
from util.measure.radius import Ladder, controllability
from util.optics import blur
from util.optics.arrays import linear_to_srgb, srgb_to_linear
from util.optics.camera import Camera, render
from util.optics.focus import Focus, plan_blur
from util.optics.highlights import compress, expand
from util.optics.presets import DEFAULT_HIGHLIGHTS
from util.ranges import RangedParser, positive_int

# photo [1,3,H,W] in [-1,1], alpha and signed radius [1,1,H,W] -> the photo through a lens.
Method = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]

STRENGTHS = (0.25, 0.5, 1.0, 1.5, 2.0)
THIRDS = (1 / 3, 2 / 3, 1.0)
MARKS = ("<!-- measured -->", "<!-- /measured -->")

# Names of figures, titles of columns, decimals.
COLUMNS = {
    "psnr": ("PSNR, dB", 1),
    "psnr_edge": ("edge", 1),
    "psnr_hair": ("hair", 1),
    "light_shape": ("light disc IoU", 2),
    "light_energy": ("light energy error", 2),
    "light_told": ("the same, height told", 3),
    "grain": ("grain", 2),
    "focus": ("in focus", 2),
    "control": ("control", 3),
}


def three_discs(photo: torch.Tensor, alpha: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
    """`util.optics.blur.render`: a mixture of three blurred copies, by where the radius lies between theirs."""
    size = radius.abs() * (alpha < 0.5)
    steps = [0.0, *(share * float(size.max()) for share in THIRDS)]
    reached = [((size - low) / max(high - low, 1e-6)).clamp(0, 1) for low, high in pairwise(steps)]
    out_of_focus = torch.cat([(1 - alpha) * share for share in reached], dim=1)
    weights = torch.cat([torch.ones_like(alpha), out_of_focus], dim=1)
    # How much has reached a radius, less how much has reached the next.
    weights[:, :-1] -= out_of_focus
    return blur.render(photo, weights, steps[1:])


def one_disc(photo: torch.Tensor, alpha: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
    """One disc of the background's median radius behind the alpha."""
    median = float(radius[alpha == 0].abs().median()) if bool((alpha == 0).any()) else 0.0
    return blur.render(photo, torch.cat([alpha, 1 - alpha], dim=1), [median])


def methods() -> dict[str, Method]:
    """What is compared, by the names of the table's rows."""
    camera = Camera(highlights=DEFAULT_HIGHLIGHTS, grain=1.0)
    return {
        "camera": partial(render, camera=camera),
        "camera, no grain": partial(render, camera=replace(camera, grain=0.0)),
        "three discs mixed by radius": three_discs,
        "one disc of the median radius behind the alpha": one_disc,
    }


def tensor(array: np.ndarray) -> torch.Tensor:
    """`[H,W]` or a photo `[H,W,3]` in [0,1] as `[1,1,H,W]`, or `[1,3,H,W] in [-1,1]`."""
    x = torch.from_numpy(np.ascontiguousarray(array, np.float32))
    return x[None, None] if x.ndim == 2 else 2 * x.permute(2, 0, 1)[None] - 1


def picture(x: torch.Tensor) -> np.ndarray:
    """`[1,3,H,W] in [-1,1]` as a file of 8 bits holds it, `[H,W,3]` in [0,1]."""
    values = (x[0].permute(1, 2, 0) + 1) / 2
    return ((255 * values.clamp(0, 1)).round() / 255).numpy()


def with_true_radii(method: Method, source: np.ndarray, truth: Truth) -> dict[str, float]:
    """Figures of the lens `wide`; `control`: correlation of five strengths and the radii measured on the background."""
    x, alpha, radius = tensor(source), tensor(truth.alpha), tensor(truth.radius)
    outputs = [picture(method(x, alpha, strength * radius)) for strength in STRENGTHS]
    figures = figures_against_truth(outputs[STRENGTHS.index(1.0)], source, truth)
    # By true radii there is nothing to focus on; see `hits_focus`.
    del figures["focus"]
    ladder = Ladder.of_photo(source, Regions.of_mask(truth.alpha).background)
    figures["control"] = controllability(list(STRENGTHS), [ladder.radius_of(output) for output in outputs])
    return figures


def hits_focus(method: Method, source: np.ndarray, truth: Truth) -> float:
    """Whether, with depth and a point to focus on, the sharpest place is less than half a pixel out of focus: 1 or 0.

    NaN where by this measure the truth is not in focus either: the scene's texture doesn't tell.
    """
    if focus_error(truth.photo, source, truth) > 0:
        return float("nan")
    depth = truth.inverse_depth
    depth = (depth - depth.min()) / np.ptp(depth)
    x, y = truth.lens.point
    largest = float(np.abs(truth.radius).max())
    alpha, radius = plan_blur(truth.alpha, depth, largest, Focus(point=(float(x), float(y))))
    output = picture(method(tensor(source), tensor(alpha), tensor(radius)))
    return float(focus_error(output, source, truth) == 0)


def light_when_told(method: Method, light: np.ndarray, truth: Truth) -> float:
    """Error of the energy of the lights' discs where the photo tells their height.

    Args:
        light: what the photo's camera saw, `[H,W,3]` linear, as bright as it is. Its shoulder made it fit into the
            photo; the camera that renders undoes a shoulder of this height, others take the photo as it is.
    """
    linear = torch.from_numpy(light).permute(2, 0, 1)[None].float().clamp(min=0)
    peak = float(linear.max())
    photo = torch.from_numpy(linear_to_srgb(compress(linear, peak).numpy())) * 2 - 1
    if isinstance(method, partial):
        method = partial(render, camera=replace(method.keywords["camera"], highlights=peak))
    output = method(photo, tensor(truth.alpha), tensor(truth.radius))
    seen = torch.from_numpy(srgb_to_linear(((output + 1) / 2).numpy()))
    seen = expand(seen, peak).clamp(0, 1) if isinstance(method, partial) else seen.clamp(0, 1)
    return figures_of_lights(linear_to_srgb(seen[0].permute(1, 2, 0).numpy()), truth)[0]


def unclipped(dataroot: Path, stem: str) -> np.ndarray:
    """Linear light `[H,W,3]` of a scene that is all in focus, before the photo clips it. Makes the scene again."""
    settings = json.loads((dataroot / "lab.json").read_text(encoding="utf-8"))
    people = tuple(read_people(Path(settings["people"]))) if settings["people"] else ()
    phase, index = stem.split("_")
    stream = (settings["seed"], ("val", "test").index(phase), int(index))
    scene = make_scene(np.random.default_rng(stream), settings["size"], int(index), people)
    return see(scene.layers, scene.size, scene.lenses["pinhole"])


def measure(dataroot: Path, phase: str, limit: int | None) -> dict[str, dict[str, list[float]]]:
    """Method -> figure -> its value on each scene."""
    photos = list_images(dataroot / f"{phase}A")[:limit]
    found: dict[str, dict[str, list[float]]] = {name: {} for name in methods()}
    for path in tqdm(photos, unit="scene"):
        source = np.asarray(read_image(path), np.float32) / 255
        truths = {lens: read_truth(dataroot, path.stem, lens) for lens in ("wide", "far")}
        has_lights = any(light.clear for light in truths["wide"].lights)
        light = unclipped(dataroot, path.stem) if has_lights else None
        for name, method in methods().items():
            with torch.inference_mode():
                figures = with_true_radii(method, source, truths["wide"])
                hits = [hits_focus(method, source, truth) for truth in truths.values()]
                found[name].setdefault("focus", []).extend(hits)
                if light is not None:
                    figures["light_told"] = light_when_told(method, light, truths["wide"])
            for figure, value in figures.items():
                found[name].setdefault(figure, []).append(float(value))
    return found


def table(found: dict[str, dict[str, list[float]]]) -> str:
    """Medians, of the focus the share, as a Markdown table."""
    lines = [
        "| | " + " | ".join(title for title, _ in COLUMNS.values()) + " |",
        "|---" * (len(COLUMNS) + 1) + "|",
    ]
    for name, figures in found.items():
        cells = []
        for figure, (_, decimals) in COLUMNS.items():
            values = np.array(figures.get(figure, []))
            values = values[~np.isnan(values)]
            middle = np.mean if figure == "focus" else np.median
            cells.append(f"{middle(values):.{decimals}f}" if values.size else "-")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = RangedParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataroot", type=Path, required=True, help="made by datasets/make_lab.py")
    parser.add_argument("--phase", default="test", choices=("val", "test"), help="which scenes")
    parser.add_argument("--num_test", type=positive_int, help="at most so many scenes; default: all")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="put the table between the marks of this file"
    )
    return parser.parse_args(argv)


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print, and write where the command line says."""
    args = parse(argv)
    if not is_lab(args.dataroot):
        raise UserError(f"--dataroot {args.dataroot}: not a lab; make one with datasets/make_lab.py")
    found = measure(args.dataroot, args.phase, args.num_test)
    scenes = len(next(iter(found.values()))["psnr"])
    settings = json.loads((args.dataroot / "lab.json").read_text(encoding="utf-8"))
    text = (
        f"{scenes} scenes (`make_lab.py --seed {settings['seed']}`, {args.phase}), medians:\n\n{table(found)}"
    )
    print(text)
    if args.write:
        write_between(args.write, *MARKS, text)


if __name__ == "__main__":
    main()
