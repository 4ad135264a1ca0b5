"""What is made of one photo and its subject probability: mask, cut-out, smoothed photo, comparison figure."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

from deeplab.figure import comparison_figure
from deeplab.prediction import Prediction
from deeplab.refine import refine_mask
from deeplab.segmenter import resize_probability
from deeplab.smoothing import Smoothing, smooth
from util.errors import UserError
from util.images import Metadata, read_image, read_mask, write_image, write_pixels
from util.matting import alpha_of, subject_colors
from util.present import present

if TYPE_CHECKING:
    # Needs PyTorch, which workers that make masks do without.
    from deeplab.lens import LensBlur


@dataclass(frozen=True)
class Recipe:
    """How masks are made of probabilities, and what else is made with them."""

    soft: bool = False
    threshold: float = 0.5
    cutout: bool = False
    refine: bool = False
    matting: bool = False
    smoothing: Smoothing | Literal["lens"] | None = None
    radius: float | None = None
    drop_empty: bool = False
    lens: "LensBlur | None" = None


@dataclass(frozen=True)
class Job:
    """One photo and the files wanted of it; None where one is not wanted."""

    photo: Path
    mask: Path | None = None
    smoothed: Path | None = None
    figure: Path | None = None
    copies: tuple[Path, ...] = ()  # the same bytes in other phases, sharing the mask


@dataclass
class Outcome:
    """What became of one photo."""

    photo: Path
    empty: bool = False
    error: str | None = None


@dataclass
class _Subject:
    """A photo, read when first needed, and its mask."""

    path: Path
    mask: np.ndarray = field(init=False)  # float32 [H,W] in [0,1]

    @cached_property
    def photo(self) -> Image.Image:
        return read_image(self.path)

    @cached_property
    def pixels(self) -> np.ndarray:
        return np.asarray(self.photo)


def make_products(task: tuple[Job, Prediction | None], recipe: Recipe) -> Outcome:
    """Write the files that a job asks for. Without a prediction its mask on disk is taken as it is.

    A worker's function: errors that the user can fix come back in the outcome.
    """
    job, prediction = task
    outcome = Outcome(job.photo)
    if prediction is not None and prediction.error:
        outcome.error = prediction.error
        return outcome
    try:
        subject = _Subject(job.photo)
        if prediction is None:
            subject.mask = np.asarray(read_mask(present(job.mask)), dtype=np.float32) / 255
        else:
            subject.mask = _make_mask(subject, prediction, recipe)
        outcome.empty = not (subject.mask >= recipe.threshold).any()
        if outcome.empty and recipe.drop_empty:
            _set_aside(job)
        else:
            _write(job, subject, recipe, new_mask=prediction is not None)
    except UserError as error:
        outcome.error = str(error)
    return outcome


def _make_mask(subject: _Subject, prediction: Prediction, recipe: Recipe) -> np.ndarray:
    """float32 [H,W] in [0,1] at the photo's size; all zero if nothing reaches the threshold."""
    mask = resize_probability(present(prediction.probability), prediction.size)
    if recipe.matting:
        alpha = alpha_of(subject.pixels, mask)
        return alpha if (alpha >= recipe.threshold).any() else np.zeros_like(alpha)
    if recipe.refine:
        mask = refine_mask(subject.pixels, mask >= recipe.threshold)
    hard = mask >= recipe.threshold
    return mask if recipe.soft and hard.any() else hard.astype(np.float32)


def _write(job: Job, subject: _Subject, recipe: Recipe, new_mask: bool) -> None:
    if job.mask is not None and new_mask:
        image = Image.fromarray((subject.mask * 255 + 0.5).astype(np.uint8))
        if recipe.cutout:
            alpha = np.asarray(image, np.float32) / 255
            cut = Image.fromarray(subject_colors(subject.pixels, alpha))
            cut.putalpha(image)
            cut.info = subject.photo.info
            image = cut
        write_image(image, job.mask)
    if job.smoothed is None and job.figure is None:
        return
    if subject.mask.shape != subject.pixels.shape[:2]:
        raise UserError(f"{job.mask}: not of the size of {job.photo}; make it anew with --overwrite")
    if job.smoothed is not None:
        if recipe.smoothing == "lens":
            result = present(recipe.lens)(job.photo, subject.pixels, subject.mask)
        else:
            result = smooth(subject.pixels, subject.mask, present(recipe.smoothing), recipe.radius)
        info = subject.photo.info
        write_pixels(result, job.smoothed, Metadata(info.get("icc_profile"), info.get("exif")))
    if job.figure is not None:
        write_image(comparison_figure(subject.photo, subject.mask), job.figure)


def _set_aside(job: Job) -> None:
    """Move the photo from `.../trainA` to `.../trainA_empty` and drop its mask."""
    for photo in (job.photo, *job.copies):
        folder = photo.parent.with_name(f"{photo.parent.name}_empty")
        if (folder / photo.name).exists():
            raise UserError(f"{photo}: can't be set aside, {folder / photo.name} is there already")
        folder.mkdir(exist_ok=True)
        photo.rename(folder / photo.name)
    if job.mask is not None:
        job.mask.unlink(missing_ok=True)
