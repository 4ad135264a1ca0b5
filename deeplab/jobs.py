"""Which files are wanted of which photos, and which of them are there already."""

import filecmp
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from deeplab.products import Job
from util.errors import UserError
from util.files import is_up_to_date
from util.images import list_images, require_unique, writable


def dataroot_jobs(
    dataroot: Path, phases: Sequence[str], domains: Sequence[str], smoothed: Path | None, figures: Path | None
) -> list[Job]:
    """Jobs for the photos of a dataroot, masks going to its maskA and maskB by the photo's stem.

    Smoothed photos and figures go to a folder per phase and domain below `smoothed` and `figures`.

    Raises:
        UserError: no photos; different photos of a domain with one stem, whose masks would be one file.
    """
    if not dataroot.is_dir():
        raise UserError(f"--dataroot {dataroot}: no such folder")
    jobs: list[Job] = []
    for domain in domains:
        by_stem: dict[str, Job] = {}
        for folder in (dataroot / f"{phase}{domain}" for phase in phases):
            for photo in list_images(folder) if folder.is_dir() else []:
                job = Job(
                    photo,
                    dataroot / f"mask{domain}" / f"{photo.stem}.png",
                    smoothed and writable(smoothed / folder.name / photo.relative_to(folder)),
                    figures and figures / folder.name / f"{photo.stem}.png",
                )
                first = by_stem.get(photo.stem)
                by_stem[photo.stem] = _join(first, job) if first else job
        jobs += by_stem.values()
    if not jobs:
        folders = " ".join(f"{phase}{domain}" for domain in domains for phase in phases)
        raise UserError(f"--dataroot {dataroot}: no photos in {folders}")
    return jobs


def _join(first: Job, second: Job) -> Job:
    """One job for two copies of a photo."""
    if not filecmp.cmp(first.photo, second.photo, shallow=False):
        raise UserError(
            f"{first.photo} and {second.photo}: both would have the mask {first.mask}; rename one"
        )
    return replace(first, copies=(*first.copies, second.photo))


def folder_jobs(source: Path, masks: Path | None, smoothed: Path | None, figures: Path | None) -> list[Job]:
    """Jobs for all photos below `source`, with the same folders below each of the outputs.

    Raises:
        UserError: no photos; two photos whose masks would be one file.
    """
    jobs = []
    for photo in list_images(source):
        name = photo.relative_to(source)
        png = name.with_suffix(".png")
        jobs.append(
            Job(
                photo,
                masks and masks / png,
                smoothed and writable(smoothed / name),
                figures and figures / png,
            )
        )
    if not jobs:
        raise UserError(f"--input {source}: no photos in there")
    for made in ("mask", "smoothed", "figure"):
        require_unique((job.photo, getattr(job, made)) for job in jobs)
    return jobs


def remaining(jobs: list[Job], overwrite: bool, keep_ready: bool) -> Iterator[tuple[Job, bool]]:
    """Yield (job, needs a new mask) for each job with something left to do, less what is up to date.

    A file is up to date if it is not older than its photo and, but for masks, its mask. With `keep_ready`
    jobs that have a mask and nothing left to do are kept: their masks are looked at all the same.
    """
    for job in jobs:
        new_mask = overwrite or (job.mask is not None and not is_up_to_date(job.mask, job.photo))
        sources = [job.photo] if job.mask is None else [job.photo, job.mask]
        smoothed, figure = (
            None if path and not new_mask and is_up_to_date(path, *sources) else path
            for path in (job.smoothed, job.figure)
        )
        job = replace(job, smoothed=smoothed, figure=figure)
        wanted = job.smoothed is not None or job.figure is not None
        if new_mask or wanted or keep_ready:
            yield job, new_mask or job.mask is None
