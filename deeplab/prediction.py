"""Photos on disk -> subject probabilities, in batches: worker processes decode, this process predicts.

Memory stays the same however many photos there are; used by `deeplab/inference.py` and `datasets/prepare.py`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from deeplab.segmenter import InputSize, Segmenter, resize_photo
from util.images import ImageError, read_image
from util.parallel import bounded_map
from util.present import present


@dataclass
class Prediction:
    """What a segmenter says of one photo; `index` counts the photos asked for."""

    index: int
    size: tuple[int, int] = (0, 0)  # (width, height) of the photo
    probability: np.ndarray | None = None  # float32 [h,w] at the model's input size
    error: str | None = None  # why the photo can't be used


@dataclass
class _Decoded:
    prediction: Prediction
    image: np.ndarray | None = None  # uint8 [h,w,3] at the model's input size


def _decode(photo: tuple[int, Path], input_size: InputSize) -> _Decoded:
    index, path = photo
    try:
        image = read_image(path)
    except ImageError as error:
        return _Decoded(Prediction(index, error=str(error)))
    return _Decoded(Prediction(index, image.size), resize_photo(image, input_size.of(*image.size)))


def predict_photos(
    photos: Iterable[Path], segmenter: Segmenter, pool: Executor | None, batch_size: int
) -> Iterator[Prediction]:
    """Yield a `Prediction` for each of `photos`, unreadable ones included, not in order.

    Photos that have the same size for the model go through it together, up to `batch_size`.
    """
    groups: dict[tuple[int, ...], list[_Decoded]] = defaultdict(list)
    decode = partial(_decode, input_size=segmenter.input_size)
    for decoded in bounded_map(pool, decode, enumerate(photos)):
        if decoded.image is None:
            yield decoded.prediction
            continue
        group = groups[decoded.image.shape]
        group.append(decoded)
        if len(group) == batch_size:
            yield from _predict(groups.pop(decoded.image.shape), segmenter)
        elif sum(map(len, groups.values())) >= 4 * batch_size:  # many shapes: don't hoard
            yield from _predict(groups.pop(max(groups, key=lambda shape: len(groups[shape]))), segmenter)
    for group in groups.values():
        yield from _predict(group, segmenter)


def _predict(group: list[_Decoded], segmenter: Segmenter) -> Iterator[Prediction]:
    probabilities = segmenter.predict(np.stack([present(decoded.image) for decoded in group]))
    for decoded, probability in zip(group, probabilities, strict=True):
        decoded.prediction.probability = probability
        yield decoded.prediction
