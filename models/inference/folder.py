"""From a folder of photos to a folder of results: reads ahead, translates in batches, writes behind."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from tqdm import tqdm

from util.distributed import gathered, rank, world_size
from util.errors import UserError
from util.files import is_inside
from util.images import ImageError, Metadata, is_image, list_images, read_photo, write_pixels

FOUND = 0.5  # a mask that nowhere reaches it has no subject


class Translator(Protocol):
    """What turns photos of one size into results, in one go or in parts: `Generator`, `Tiled`, `FullResolution`."""

    def batch(self, photos: list[np.ndarray], masks: list[np.ndarray] | None = None) -> list[np.ndarray]:
        """As `Generator.batch`."""
        ...


class Photo(NamedTuple):
    """A decoded photo: its file, `[H,W,3]` uint8 or uint16, and what its result takes over besides."""

    path: Path
    pixels: np.ndarray
    metadata: Metadata


def plan(source: Path, target: Path) -> list[tuple[Path, Path]]:
    """Pairs of photo and result: the same name, below `target` in the same subfolder as below `source`.

    A `target` that is named like an image is the result of the one photo `source`.

    Raises:
        UserError: nothing to read, or results would lie among the photos.
    """
    if is_image(target) and not target.is_dir():
        return [(_only_photo(source, target), target)]
    if source.is_file():
        if not is_image(source):
            raise UserError(f"{source}: not an image by its name (--input)")
        photos, root = [source], source.parent
    else:
        photos, root = list_images(source), source
    if not photos:
        raise UserError(f"{source}: no images in it (--input)")
    if is_inside(target, root) and (target.resolve() == root.resolve() or source.is_dir()):
        raise UserError(f"{target}: lies in the folder of the photos (--output); choose another one")
    return [(photo, target / photo.relative_to(root)) for photo in photos]


def _only_photo(source: Path, target: Path) -> Path:
    """`source`, if it is one photo, so that its result can be the file `target`."""
    if not (source.is_file() and is_image(source)):
        raise UserError(f"--output {target}: a file, but --input {source} is not one photo; give a folder")
    if target.resolve() == source.resolve():
        raise UserError(f"--output {target}: is the photo itself (--input); choose another name")
    return source


def is_current(result: Path, *sources: Path) -> bool:
    """Whether `result` is there and newer than everything that it was made from."""
    return result.exists() and all(result.stat().st_mtime > source.stat().st_mtime for source in sources)


def translate_folder(
    translator: Translator,
    weights: Path,
    source: Path,
    target: Path,
    batch_size: int = 1,
    overwrite: bool = False,
    mask_of: Callable[[Path, np.ndarray], np.ndarray] | None = None,
) -> None:
    """Translate the photo or all photos at `source` into `target`.

    Results have the photo's size, name, depth, colour profile and EXIF. Those newer than photo and `weights` are left,
    so an interrupted call goes on where it stopped; `overwrite` makes them again. `mask_of` gives the mask `[H,W] in
    [0,1]` of a photo, for a generator that takes one; a photo in which it finds nobody is left as it is, and listed at
    the end. Started by torchrun, each rank takes its share.

    Raises:
        UserError: nothing to read, a bad `target`, or, after all others are done, photos that can't be read.
    """
    pairs = plan(source, target)[rank() :: world_size()]
    todo = dict(pair for pair in pairs if overwrite or not is_current(pair[1], pair[0], weights))
    if len(todo) < len(pairs):
        print(
            f"{len(pairs) - len(todo)} of {len(pairs)} results are there already (--overwrite makes them again)"
        )
    refused: list[str] = []
    nobody: list[Path] = []
    with ThreadPoolExecutor(max_workers=2) as pool, tqdm(total=len(todo), unit="photo") as bar:
        photos = read_ahead(pool, todo, 2 * batch_size, refused)
        for batch in same_size(photos, batch_size):
            masks = [mask_of(photo.path, photo.pixels) for photo in batch] if mask_of else None
            results = translator.batch([photo.pixels for photo in batch], masks)
            for i, (photo, result) in enumerate(zip(batch, results, strict=True)):
                if masks and masks[i].max() < FOUND and result.shape == photo.pixels.shape:
                    nobody.append(photo.path)
                    result = photo.pixels
                write_pixels(result, todo[photo.path], photo.metadata)
            bar.update(len(batch))
    of_ranks = gathered((len(todo), refused, nobody)) or []  # on the first rank, when all are done
    refused = [message for _, messages, _ in of_ranks for message in messages]
    for path in sorted(path for _, _, paths in of_ranks for path in paths):
        print(f"nobody found, left as it is: {path}")
    if refused:
        count = sum(number for number, _, _ in of_ranks)
        raise UserError(
            f"{len(refused)} of {count} photos could not be read, the others are done: {refused[0]}"
        )


def read_ahead(
    pool: ThreadPoolExecutor, paths: Iterable[Path], ahead: int, refused: list[str]
) -> Iterator[Photo]:
    """Decode `paths` in order, `ahead` at a time; messages on those that can't be read go to `refused`."""
    waiting = iter(paths)
    running = [(path, pool.submit(read_photo, path)) for path in islice(waiting, ahead)]
    while running:
        path, future = running.pop(0)
        running += [(path, pool.submit(read_photo, path)) for path in islice(waiting, 1)]
        try:
            yield Photo(path, *future.result())
        except ImageError as error:
            refused.append(str(error))
            tqdm.write(f"skipped: {error}")


def same_size(photos: Iterable[Photo], batch_size: int) -> Iterator[list[Photo]]:
    """Group neighbours of one size, at most `batch_size` together."""
    batch: list[Photo] = []
    for photo in photos:
        if batch and (len(batch) == batch_size or photo.pixels.shape != batch[0].pixels.shape):
            yield batch
            batch = []
        batch.append(photo)
    if batch:
        yield batch
