"""The table on top of docs/ablation.md: published results, segmenters with a blur behind their masks, our generators.

Protocol. Each method has one setting, its strength. It is chosen on the lab's `val` scenes (the best median PSNR to the
true photo) and never again: what is reported is of the lab's `test` scenes, of portraits and of photos, none of which
were chosen on. Strengths are radii in pixels of a photo whose shorter side is 256, or apertures.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from util.measure.keeping import FAILS
from util.present import present

CHOSEN_ON, REPORTED_ON = "val", "test"
# The published results that there are show portraits of this phase.
PUBLISHED_ON = "train"
LENS = "wide"
SELFIE = ("--segmenter", "selfie", "--soft", "--refine")
# Its mattes are of the photo's size.
RVM = ("--segmenter", "rvm", "--soft")

Run = Callable[[list[str]], None]


@dataclass(frozen=True)
class Folder:
    """A set of photos: `role` is what is measured on it, `scale` how large it is, in photos of 256 pixels."""

    role: str
    dataroot: Path
    scale: float


@dataclass(frozen=True)
class Method:
    """A row: `command` makes its results from (strength, scale); `results` are there instead, of portraits alone."""

    title: str
    strengths: tuple[float, ...] = ()
    command: Callable[[float, float], tuple[str, ...]] | None = None
    results: str = ""
    seeds: tuple[str, ...] = field(
        default=("",)
    )  # names of checkpoints; a row per method, whatever their number


def disc(segmenter: tuple[str, ...], strength: float, scale: float) -> tuple[str, ...]:
    """A disc of this radius behind the mask."""
    return ("deeplab/inference.py", *segmenter, "--smooth", "disc", "--radius", f"{strength * scale:g}")


def gaussian(segmenter: tuple[str, ...], strength: float, scale: float) -> tuple[str, ...]:
    """A Gaussian that spreads as the disc does: sigma = radius / 2, from OpenCV's 0.3 * (half window - 1) + 0.8."""
    window = max(1, round((strength * scale / 2 - 0.8) / 0.3 + 1))
    return ("deeplab/inference.py", *segmenter, "--smooth", "gaussian", "--radius", str(window))


def ours(flags: tuple[str, ...], strength: float, _scale: float) -> tuple[str, ...]:
    """A generator of ours at this aperture."""
    return ("test.py", *flags, "--aperture", f"{strength:g}")


RADII, APERTURES = (2, 4, 6), (1, 2, 4)
SHIPPED = ("--checkpoints_dir", "pretrained", "--name")
METHODS = (
    Method("published CycleGAN", results="cyclegan"),
    Method("published overlay, the paper's method", results="overlay"),
    Method("selfie segmenter, Gaussian behind its mask", RADII, partial(gaussian, SELFIE)),
    Method("selfie segmenter, disc behind its mask", RADII, partial(disc, SELFIE)),
    Method("RVM, Gaussian behind its matte", RADII, partial(gaussian, RVM)),
    Method("RVM, disc behind its matte", RADII, partial(disc, RVM)),
    Method("ours, told RVM's matte", APERTURES, partial(ours, (*SHIPPED, "portrait_mask", "--masks", "rvm"))),
    Method("ours alone", APERTURES, partial(ours, (*SHIPPED, "portrait"))),
    Method(
        "ours alone, seeds 2 and 3", APERTURES, partial(ours, ()), seeds=("portrait_seed2", "portrait_seed3")
    ),
)


class ShortTable:
    """Runs and measures the methods; results that are there already are not made again.

    Args:
        folders: those of 'lab', 'photos' and 'portraits' that are given.
        published: folder of the published models' results, or None.
        output: where results and figures go.
        run: runs a command of this repository.
    """

    def __init__(self, folders: list[Folder], published: Path | None, output: Path, run: Run) -> None:
        self.folders = {folder.role: folder for folder in folders}
        self.published, self.output, self.run = published, output, run

    def rows(self) -> list[list[str]]:
        """A row of cells for each method; '-' where a set was not given, or what it needs is not there."""
        entries = [
            (method, seed)
            for method in METHODS
            for seed in method.seeds
            if method.command and (not seed or (Path("checkpoints") / seed).is_dir())
        ]
        strengths = self._choose(entries)
        reported = {role: self._report(role, entries, strengths) for role in self.folders}
        return [self._row(method, strengths, reported) for method in METHODS]

    def _row(
        self, method: Method, strengths: dict[str, float], reported: dict[str, dict[str, dict]]
    ) -> list[str]:
        names = [name for name in (file_of(method, seed) for seed in method.seeds) if name in strengths]
        if method.command and not names:
            return [method.title, "not trained here", *cells([])]
        chosen = ", ".join(sorted({f"{strengths[name]:g}" for name in names})) or "as published"
        of_seeds = [
            {role: found[name] for role, found in reported.items() if name in found}
            for name in names or [file_of(method, "")]
        ]
        return [method.title, chosen, *cells(of_seeds)]

    def _choose(self, entries: list[tuple[Method, str]]) -> dict[str, float]:
        """The strength with the best median PSNR on the scenes to choose on; the middle one without a lab."""
        lab = self.folders.get("lab")
        if lab is None:
            return {
                file_of(method, seed): method.strengths[len(method.strengths) // 2]
                for method, seed in entries
            }
        results = {
            f"{file_of(method, seed)}@{strength:g}": self._made(method, seed, strength, lab, CHOSEN_ON)
            for method, seed in entries
            for strength in method.strengths
        }
        found = self._measured(results, lab, CHOSEN_ON)

        def psnr(name: str, strength: float) -> float:
            return float(found[f"{name}@{strength:g}"]["median"]["psnr"]["median"])

        return {
            name: max(method.strengths, key=partial(psnr, name))
            for method, name in ((method, file_of(method, seed)) for method, seed in entries)
        }

    def _report(
        self, role: str, entries: list[tuple[Method, str]], strengths: dict[str, float]
    ) -> dict[str, dict]:
        """Figures by name, of all methods on the same photos but for the published ones, which have their own."""
        folder = self.folders[role]
        results = {}
        for method, seed in entries:
            name = file_of(method, seed)
            results[name] = self._made(method, seed, strengths[name], folder, REPORTED_ON)
        figures = self._measured(results, folder, REPORTED_ON)
        if self.published and role == "portraits":
            published = [method for method in METHODS if method.results]
            theirs = {file_of(method, ""): self.published / method.results for method in published}
            figures |= self._measured(theirs, folder, PUBLISHED_ON)
        return figures

    def _made(self, method: Method, seed: str, strength: float, folder: Folder, phase: str) -> Path:
        """Make the results on a phase of a folder; returns where they are."""
        results = self.output / folder.role / phase / f"{file_of(method, seed)}_{strength:g}"
        program, *flags = present(method.command)(strength, folder.scale)
        name = ["--name", seed] if seed else []
        place = ["--input", str(folder.dataroot / f"{phase}A"), "--output", str(results)]
        self.run([sys.executable, program, *place, *name, *flags])
        return results

    def _measured(self, results: dict[str, Path], folder: Folder, phase: str) -> dict[str, dict]:
        """The figures of these results, by their names."""
        figures = self.output / "figures" / folder.role / phase
        truth = ["--truth", str(folder.dataroot / "truth" / LENS)] if folder.role == "lab" else []
        place = ["--dataroot", str(folder.dataroot), "--phase", phase, "--output", str(figures)]
        named = [f"{name}={made}" for name, made in results.items()]
        self.run([sys.executable, "scripts/evaluate.py", *place, "--results", *named, *truth])
        return json.loads((figures / "figures.json").read_text(encoding="utf-8"))["methods"]


def file_of(method: Method, seed: str) -> str:
    """A method's title, and the seed's checkpoint, as a name of files."""
    words = [word for word in method.title.lower().replace(",", "").split() if word.isalpha()]
    return "_".join([*words, *filter(None, [seed])])


HEADERS = (
    "method",
    "strength, chosen on val",
    "lab: PSNR, dB",
    "lab: edge, dB",
    "photos: subject blurred",
    "photos: background sharp",
    "portraits: subject, dB",
    "portraits: gradient left",
    "portraits: blur match",
)


def cells(of_seeds: list[dict[str, dict]]) -> list[str]:
    """The figures of a row, from figures of each set for each seed; several seeds are told apart by a slash."""

    def each(role: str, cell: Callable[[dict], str]) -> str:
        known = [cell(seed[role]) for seed in of_seeds if role in seed]
        return " / ".join(known) or "-"

    return [
        each("lab", lambda found: median(found, "psnr", 1)),
        each("lab", lambda found: median(found, "psnr_edge", 1)),
        each("photos", lambda found: failing(found, "subject_blurred")),
        each("photos", lambda found: failing(found, "background_sharp")),
        each("portraits", lambda found: median(found, "subject_psnr", 1)),
        each("portraits", lambda found: median(found, "gradient_left", 2)),
        each("portraits", lambda found: f"{found['set'].get('blur_match', float('nan')):.2f}"),
    ]


def median(found: dict, name: str, decimals: int) -> str:
    """A median and its 95% interval."""
    # JSON has no infinity: the file says "Infinity" where nothing was changed.
    values = [float(found["median"][name][bound]) for bound in ("median", "low", "high")]
    middle, low, high = ("exact" if value == float("inf") else f"{value:.{decimals}f}" for value in values)
    return f"{middle} [{low}, {high}]"


def failing(found: dict, name: str) -> str:
    """How many photos fail, and how many badly, of those that the figure tells about."""
    failures = found["failures"][name]
    counts = [f"{failures[f'above_{limit:g}']} > {limit:.0%}" for limit in FAILS[name]]
    return f"{', '.join(counts)}, of {failures['photos']}"


def section(rows: list[list[str]], photos: str) -> list[str]:
    """The lines of the page."""
    return [
        "## In short",
        "",
        "Strengths (radius at 256 pixels, or aperture) were chosen on the lab's `val` scenes; all figures are of "
        f"photos on which no strength was chosen: {photos}. Medians with 95% intervals; photos that fail are counted. "
        "Published results are there of other portraits alone, some of `trainA`, and are measured on those. "
        "What the figures mean: [lab.md](lab.md).",
        "",
        f"| {' | '.join(HEADERS)} |",
        "|---" * len(HEADERS) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]
