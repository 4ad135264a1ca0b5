"""From batches of a dataroot's phase to a result page of everything that a model shows of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image

from util.distributed import gathered
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
    """Pictures of all photos of a phase, once each, in `images/` of `folder`, and their page.

    Args:
        folder: of the results.
        visuals_of: the batch's key of the photos' paths -> the visuals that show these photos.
        aspect_ratio: width of pictures relative to their height.
    """

    def __init__(
        self, folder: Path, visuals_of: Mapping[str, Sequence[str]], aspect_ratio: float = 1.0
    ) -> None:
        self.folder, self.visuals_of, self.aspect_ratio = folder, visuals_of, aspect_ratio
        self._rows: dict[str, PhotoRow] = {}

    def add(self, batch: Mapping[str, Any], visuals: Mapping[str, torch.Tensor], at_most: int) -> None:
        """Keep the `visuals` (label -> `[B,C,H,W] in [-1,1]`) of the first `at_most` photos of each domain in `batch`.

        Photos that are there already are passed over: the smaller domain comes round again until the larger one is
        through.
        """
        for paths_key, labels in self.visuals_of.items():
            new = [(i, Path(path)) for i, path in enumerate(batch[paths_key]) if path not in self._rows]
            for index, path in new[:at_most]:
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
