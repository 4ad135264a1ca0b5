"""From batches of a dataroot's phase to a result page of everything that a model shows of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image
from tqdm import tqdm

from util.distributed import gathered, is_first, rank, world_size
from util.html import ResultPage
from util.images import write_image
from util.measure.evaluation import measure_visuals
from util.measure.report import titled
from util.tensors import tensor_to_image


class PhotoRow(NamedTuple):
    """What the page says of a photo: its name, label -> picture's file, title -> figure, and its section."""

    name: str
    files: dict[str, str]
    figures: dict[str, float]
    section: str


class PhaseResults:
    """Pictures of the photos of a phase, once each, in `images/` of `folder`, and their page.

    Args:
        folder: of the results.
        visuals_of: the batch's key of the photos' paths -> the visuals that show these photos.
        photos: how many to test, of all ranks together.
        aspect_ratio: width of pictures relative to their height.
    """

    def __init__(
        self, folder: Path, visuals_of: Mapping[str, Sequence[str]], photos: int, aspect_ratio: float = 1.0
    ) -> None:
        self.folder, self.visuals_of, self.aspect_ratio = folder, visuals_of, aspect_ratio
        # Those of this rank that are still to be done.
        self._left = len(range(photos)[rank() :: world_size()])
        self._rows: dict[str, PhotoRow] = {}

    def batches(self, dataset: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The batches of `dataset` until this rank's share of the photos is done, with a bar."""
        with tqdm(total=self._left, unit="photo", disable=not is_first()) as bar:
            for batch in dataset:
                yield batch
                done = min(len(batch["A_paths"]), self._left)
                bar.update(done)
                self._left -= done
                if not self._left:
                    return

    def add(self, batch: Mapping[str, Any], visuals: Mapping[str, torch.Tensor]) -> None:
        """Keep the `visuals` (label -> `[B,C,H,W] in [-1,1]`) of photos in `batch`, as many as are still to be done.

        Photos that are there already are passed over: the smaller domain comes round again until the larger one is
        through.
        """
        for paths_key, labels in self.visuals_of.items():
            new = [(i, Path(path)) for i, path in enumerate(batch[paths_key]) if path not in self._rows]
            for index, path in new[: self._left]:
                images = {
                    label: tensor_to_image(visuals[label][index]) for label in labels if label in visuals
                }
                # Photos of both domains may have one name; their folder tells them apart.
                *_, domain, name = path.parts
                section = f"Photos of {domain}" if len(self.visuals_of) > 1 else ""
                figures = titled(measure_visuals(images))
                self._rows[str(path)] = PhotoRow(
                    f"{domain}/{name}", self._save(path.stem, images), figures, section
                )

    def write_page(self, title: str) -> Path | None:
        """Write `index.html` with the photos of all ranks, on the first of them; returns it there."""
        of_ranks = gathered(self._rows)
        if of_ranks is None:
            return None
        page = ResultPage(self.folder, title)
        for row in {path: row for rows in of_ranks for path, row in rows.items()}.values():
            page.add(row.name, row.files, row.figures, None, row.section)
        page.save()
        return self.folder / "index.html"

    def _save(self, stem: str, images: Mapping[str, Image.Image]) -> dict[str, str]:
        """Write `images/<stem>_<label>.png`; returns the file of each label."""
        files = {}
        for label, image in images.items():
            if self.aspect_ratio != 1:
                size = round(image.width * self.aspect_ratio), image.height
                image = image.resize(size, Image.Resampling.BICUBIC)
            files[label] = f"images/{stem}_{label}.png"
            write_image(image, self.folder / files[label])
        return files
