"""Runs and measures the methods of the tables on top of docs/ablation.md.

Protocol. Each method has one setting, its strength. It is chosen on the lab's `val` scenes (the best median PSNR to the
true photo, of the first seed where there are several) and never again: what is reported is of the lab's `test` scenes,
of portraits and of photos, none of which were chosen on. Pairs are the exception: their lenses differ, so that of each
photo the best strength counts, for every method alike. Photos that lie in the folders that our generators are trained
on, too, are left out.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from tqdm import tqdm

from datasets.photo_check import Notebook, examine
from scripts.short_methods import (
    METHODS,
    Maker,
    Method,
    PhotoSet,
    Published,
    Run,
    entries_of,
    name_of,
)
from util.errors import UserError
from util.files import is_up_to_date, write_text
from util.images import find_by_stem, list_images, read_image
from util.measure.evaluation import PAIR, as_array
from util.measure.metrics import psnr

LENS = "wide"
RADII = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
# Without a lab to choose on.
USUAL = 4.0
# Real photos get more blur too: what is taken for background by mistake loses more then, and what stays sharp is less.
TIMES = (1, 2)
# Bits of 64 in which the hashes of one photo's copies may differ.
SAME_PHOTO = 6

Measure = Callable[[list[str]], None]
# Role of a set of photos -> figures of evaluate.py, of each entry of a method.
Found = dict[str, list[dict]]


@dataclass(frozen=True)
class Row:
    """A method with its strength (radius at 256 pixels, None as published) and its figures of each set."""

    method: Method
    radius: float | None
    found: Found


@dataclass(frozen=True)
class Sources:
    """Folders of the command line; None where one was not given.

    Attributes:
        dataroot: portraits: testA that no generator of ours learned from, trainA and trainB that they did.
        lab: made by datasets/make_lab.py.
        photos: testA, matteA, matteA_2.
        published: results of the published models, of photos in trainA.
        pairs: NAME_allinfocus and NAME_near.
    """

    dataroot: Path
    lab: Path | None = None
    photos: Path | None = None
    published: Path | None = None
    pairs: Path | None = None


class ShortTable:
    """Runs and measures the methods; what is there already is not made again.

    Args:
        work: where results and figures go.
        run: runs a command of this repository.
        measure: evaluate.py's main.
        only_known: run and measure nothing: rows have the figures that are there.
    """

    def __init__(
        self, sources: Sources, work: Path, run: Run, measure: Measure, only_known: bool = False
    ) -> None:
        self._sources, self._work, self._measure, self._only_known = sources, work, measure, only_known
        self._maker = Maker(work, sources.published, run)

    def rows(self) -> list[Row]:
        """A row for each method, with the figures of each set that was given and that it has results of."""
        radii = [self._radius(method) for method in METHODS]
        rows = [Row(method, radius, {}) for method, radius in zip(METHODS, radii, strict=True)]
        for photos in self._sets():
            for row in rows:
                if isinstance(row.method, Published) and photos.role != "published":
                    continue
                figures = [
                    self._figures(row.method, entry, row.radius, photos) for entry in entries_of(row.method)
                ]
                if known := [found for found in figures if found]:
                    row.found[photos.measured] = known
        return rows

    def _sets(self) -> Iterable[PhotoSet]:
        """What is reported on."""
        given = self._sources
        if given.lab:
            truth = ("--truth", str(given.lab / "truth" / LENS))
            scenes = ("--dataroot", str(given.lab), "--against", "truth")
            yield PhotoSet("lab", given.lab / "testA", (*scenes, *truth))
        if given.published:
            dataroot = self._of_published(given.published)
            yield PhotoSet("published", dataroot / "testA", ("--dataroot", str(dataroot)))
        held_out = ("--dataroot", str(given.dataroot), "--blur_weights")
        yield PhotoSet("portraits", given.dataroot / "testA", held_out)
        if given.pairs:
            inputs = [path for path in list_images(given.pairs) if path.stem.endswith(PAIR[0])]
            pairs = linked(inputs, self._work / "inputs" / "pairs")
            yield PhotoSet("pairs", pairs, ("--pairs", str(given.pairs)))
        if given.photos:
            photos = self._unseen(given.photos)
            of_mattes = ("--dataroot", str(given.photos), "--against", "mattes")
            for times in TIMES:
                yield PhotoSet("photos", photos, of_mattes, times)

    def _unseen(self, photos: Path) -> Path:
        """A folder of the photos that no generator of ours was trained on; says how many were left out."""
        files = list_images(photos / "testA")
        trained_on = [
            path for domain in "AB" for path in list_images(self._sources.dataroot / f"train{domain}")
        ]
        notes = Notebook(self._work / "hashes.txt")
        kept = linked(unseen(files, trained_on, notes), self._work / "inputs" / "photos")
        left_out = len(files) - len(list_images(kept))
        print(f"{left_out} of {len(files)} photos are among those trained on; they are left out")
        return kept

    def _of_published(self, published: Path) -> Path:
        """A dataroot whose testA are the portraits that there are published results of."""
        dataroot = self._work / "inputs" / "published"
        shown = set.intersection(
            *(set(find_by_stem(published / x.folder)) for x in METHODS if isinstance(x, Published))
        )
        photos = find_by_stem(self._sources.dataroot / "trainA")
        if not shown <= photos.keys():
            raise UserError(f"--published {published}: its photos are not in {self._sources.dataroot}/trainA")
        linked([photos[stem] for stem in sorted(shown)], dataroot / "testA")
        for name in ("maskA", "testB", "maskB"):
            linked(list_images(self._sources.dataroot / name), dataroot / name)
        return dataroot

    def _radius(self, method: Method) -> float | None:
        """The method's strength, chosen on the scenes to choose on."""
        lab = self._sources.lab
        entries = entries_of(method)
        if isinstance(method, Published) or not entries:
            return None
        if lab is None:
            return USUAL
        chosen = self._work / "strengths" / f"{name_of(method, '')}.json"
        if self._only_known:
            return float(json.loads(chosen.read_text())) if chosen.is_file() else None
        scenes = PhotoSet("lab_val", lab / "valA")
        truths = find_by_stem(lab / "truth" / LENS)

        @cache
        def median_psnr(radius: float) -> float:
            results = find_by_stem(self._maker.results(method, entries[0], radius, scenes))
            pictures = ((read_image(path), read_image(truths[stem])) for stem, path in results.items())
            return float(np.median([psnr(as_array(result), as_array(truth)) for result, truth in pictures]))

        best = peak(median_psnr, RADII, USUAL)
        write_text(chosen, json.dumps(best))
        return best

    def _figures(self, method: Method, entry: str, radius: float | None, photos: PhotoSet) -> dict | None:
        """What evaluate.py finds; of pairs at the best strength of each photo. None where nothing may be run."""
        name = name_of(method, entry)
        radii = {"": (radius or USUAL) * photos.times}
        if photos.role == "pairs":
            radii = {f"@{x:g}": x for x in RADII}
        folder = (
            self._work / "figures" / photos.measured / "_".join([name, *(f"{x:g}" for x in radii.values())])
        )
        figures = folder / "figures.json"
        if not self._only_known:
            made = {
                f"{name}{ending}": self._maker.results(method, entry, x, photos)
                for ending, x in radii.items()
            }
            results = [path for of_strength in made.values() for path in list_images(of_strength)]
            if not is_up_to_date(figures, *results):
                options = [*photos.figures, "--output", str(folder)]
                options += ["--results", *(f"{title}={path}" for title, path in made.items())]
                options += ["--best_of", "psnr"] if photos.role == "pairs" else []
                if photos.role == "lab" and not isinstance(method, Published):
                    options += ["--alphas", f"{name}={self._maker.alphas(method, entry, photos)}"]
                self._measure(options)
        return json.loads(figures.read_text(encoding="utf-8")) if figures.is_file() else None


def peak(value: Callable[[float], float], places: Sequence[float], start: float) -> float:
    """The place with the largest value, where values only rise up to it and only fall from it on.

    Asks for the start and its neighbours, and goes on in the direction in which it gets better.
    """
    at = places.index(start)
    while True:
        best = max(range(max(0, at - 1), min(len(places), at + 2)), key=lambda index: value(places[index]))
        if best == at:
            return places[at]
        at = best


def unseen(photos: Sequence[Path], trained_on: Sequence[Path], notes: Notebook) -> list[Path]:
    """Those of the photos that are not copies, of whatever size, of one that was trained on."""

    def phash(path: Path) -> int:
        known = notes.read("phash", str(path), path)
        if known is None:
            known = examine(path).phash
            notes.write("phash", str(path), path, known)
        return known

    known = np.array([phash(path) for path in tqdm(trained_on, "photos trained on", leave=False)], np.uint64)
    return [path for path in photos if (np.bitwise_count(known ^ np.uint64(phash(path))) > SAME_PHOTO).all()]


def linked(files: Sequence[Path], folder: Path) -> Path:
    """`folder`, made of links to these files and of nothing else."""
    if folder.is_dir():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for path in files:
        (folder / path.name).symlink_to(path.resolve())
    return folder
