"""What deeplab/inference.py does once it knows what is wanted: masks and pictures of many photos."""

from argparse import Namespace
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from deeplab.jobs import dataroot_jobs, folder_jobs, remaining
from deeplab.prediction import Prediction, predict_photos
from deeplab.products import Job, Outcome, Recipe, make_products
from deeplab.segmenters import create_segmenter
from util.failures import end_with
from util.parallel import bounded_map, process_pool

if TYPE_CHECKING:
    from deeplab.lens import LensBlur


@dataclass
class Tally:
    """What became of all photos."""

    skipped: int = 0
    done: int = 0
    empty: list[Path] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count one photo."""
        if outcome.error:
            self.refused.append(outcome.error)
            return
        self.done += 1
        if outcome.empty:
            self.empty.append(outcome.photo)

    def text(self, dropped: bool) -> str:
        """Counts, and the photos that need a look, one a line."""
        where = ", set aside" if dropped else ""
        lines = [f"no person found{where}: {path}" for path in sorted(self.empty)]
        lines.append(
            f"{self.done} done, {self.skipped} up to date, {len(self.empty)} without a person{where}, "
            f"{len(self.refused)} refused"
        )
        return "\n".join(lines)


def _tasks(
    todo: list[tuple[Job, bool]], args: Namespace, pool: Executor | None
) -> Iterator[tuple[Job, Prediction | None]]:
    """Yield each job with its prediction, or with None where its mask on disk serves."""
    yield from ((job, None) for job, new_mask in todo if not new_mask)
    jobs = [job for job, new_mask in todo if new_mask]
    if jobs:
        segmenter = create_segmenter(
            args.segmenter,
            args.weights,
            args.model,
            args.device,
            args.input_size,
            args.onnx_mean,
            args.onnx_std,
        )
        for prediction in predict_photos([job.photo for job in jobs], segmenter, pool, args.batch_size):
            yield jobs[prediction.index], prediction


def _lens_of(args: Namespace) -> "LensBlur":
    """What `--smooth lens` makes of photos; only that needs PyTorch, which takes long to import."""
    from deeplab.lens import LensBlur

    return LensBlur.of_options(args)


def make_files(args: Namespace) -> None:
    """Make what the command line asks for, then say what was done."""
    smoothed = args.output if args.smooth else None
    if args.dataroot:
        jobs = dataroot_jobs(args.dataroot, args.phase, args.domain, smoothed, args.visualize)
    else:
        jobs = folder_jobs(args.input, None if args.smooth else args.output, smoothed, args.visualize)
    todo = list(remaining(jobs, args.overwrite, keep_ready=args.drop_empty))
    recipe = Recipe(
        args.soft,
        args.threshold,
        args.cutout,
        args.refine,
        args.matting,
        args.smooth,
        args.radius,
        args.drop_empty,
        _lens_of(args) if args.smooth == "lens" else None,
    )
    if recipe.lens and recipe.lens.depth:
        recipe.lens.depth.prepare(job.photo for job, _ in todo)
    summary = Tally(skipped=len(jobs) - len(todo))
    with process_pool(min(args.num_workers, len(todo))) as pool:
        make = partial(make_products, recipe=recipe)
        outcomes = bounded_map(pool, make, _tasks(todo, args, pool))
        for outcome in tqdm(outcomes, total=len(todo), unit="photo", disable=not todo):
            summary.add(outcome)
    print(summary.text(args.drop_empty))
    end_with(summary.refused, len(jobs))
