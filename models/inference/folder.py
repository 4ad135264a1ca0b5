"""From a folder of photos to a folder of results: reads ahead, translates side by side, writes behind."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from models.inference.side_by_side import side_by_side, threads_for
from models.inference.translator import NOWHERE, Sources, Told, Translator
from models.inference.write_behind import WriteBehind
from util.distributed import gathered, rank, world_size
from util.errors import PhotoError, UserError, say
from util.failures import end_with, listed_in
from util.files import is_inside, is_up_to_date
from util.images import (
    Metadata,
    find_images,
    is_image,
    left_out,
    read_photo,
    require_unique,
    writable,
)

# A mask that nowhere reaches this has no subject.
FOUND = 0.5


class DecodedPhoto(NamedTuple):
    """A decoded photo: its file, `[H,W,3]` uint8 or uint16, what its result takes over besides, its mask and depth, and
    a factor of the radii of its blur."""

    path: Path
    pixels: np.ndarray
    metadata: Metadata
    mask: np.ndarray | None = None
    depth: np.ndarray | None = None
    aperture: float | None = None


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
        (photos, others), root = find_images(source), source
        if others:
            say(left_out(others))
    if not photos:
        raise UserError(f"{source}: no images in it (--input)")
    if is_inside(target, root) and (target.resolve() == root.resolve() or source.is_dir()):
        raise UserError(f"{target}: lies in the folder of the photos (--output); choose another one")
    pairs = [(photo, writable(target / photo.relative_to(root))) for photo in photos]
    require_unique(pairs)
    return pairs


def _only_photo(source: Path, target: Path) -> Path:
    """`source`, if it is one photo, so that its result can be the file `target`."""
    if not (source.is_file() and is_image(source)):
        raise UserError(f"--output {target}: a file, but --input {source} is not one photo; give a folder")
    if target.resolve() == source.resolve():
        raise UserError(f"--output {target}: is the photo itself (--input); choose another name")
    return source


def translate_folder(
    translator: Translator,
    weights: Path,
    source: Path,
    target: Path,
    batch_size: int = 1,
    overwrite: bool = False,
    sources: Sources = NOWHERE,
) -> None:
    """Translate the photo or all photos at `source` into `target`.

    Results have the photo's size, name, depth, colour profile and EXIF. Those newer than photo and `weights` are left,
    so an interrupted call goes on where it stopped; `overwrite` makes them again. A photo in whose mask, of `sources`,
    nobody is found is left as it is, and listed at the end. Started by torchrun, each rank takes its share.

    Raises:
        UserError: nothing to read, or a bad `target`; a full disk.
        SomeFailed: photos that could not be done, listed, after all others are done.
    """
    pairs = plan(source, target)[rank() :: world_size()]
    todo = dict(pair for pair in pairs if overwrite or not is_up_to_date(pair[1], pair[0], weights))
    if len(todo) < len(pairs):
        print(
            f"{len(pairs) - len(todo)} of {len(pairs)} results are there already (--overwrite makes them again)"
        )
    refused: list[str] = []
    nobody: list[Path] = []
    at_once = max(1, min(translator.at_once, len(todo)))
    # A network that can be run beside itself is so small that PyTorch's threads would wait more than compute.
    one_each = translator.at_once > 1
    with (
        threads_for(at_once, one_each) as photo_pool,
        ThreadPoolExecutor(max_workers=2) as pool,
        tqdm(total=len(todo), unit="photo") as bar,
    ):
        photos = read_ahead(pool, todo, 2 * batch_size, refused)
        photos = with_sources(photos, sources, refused)
        writer = WriteBehind(pool, 2 * batch_size, refused)
        batches = side_by_side(
            photo_pool, at_once, partial(together, translator), same_size(photos, batch_size), pixels_of
        )
        for batch, run in batches:
            for photo, result in translated(translator, batch, run, refused):
                if photo.mask is not None and photo.mask.max() < FOUND and result.shape == photo.pixels.shape:
                    nobody.append(photo.path)
                    result = photo.pixels
                writer.write(photo.path, result, todo[photo.path], photo.metadata)
            bar.update(len(batch))
        writer.finish()
    # On the first rank, when all are done.
    of_ranks = gathered((len(todo), refused, nobody)) or []
    refused = [message for _, messages, _ in of_ranks for message in messages]
    total = sum(number for number, _, _ in of_ranks)
    empty = sorted(path for _, _, paths in of_ranks for path in paths)
    for path in empty:
        print(f"nobody found, left as it is: {path}")
    if empty and total > 1:
        print(f"nobody found in {len(empty)} of {total} photos")
    end_with(refused, total)


def read_ahead(
    pool: ThreadPoolExecutor, paths: Iterable[Path], ahead: int, refused: list[str]
) -> Iterator[DecodedPhoto]:
    """Decode `paths` in order, `ahead` at a time; messages on those that can't be read go to `refused`."""
    waiting = iter(paths)
    running = [(path, pool.submit(read_photo, path)) for path in islice(waiting, ahead)]
    while running:
        path, future = running.pop(0)
        running += [(path, pool.submit(read_photo, path)) for path in islice(waiting, 1)]
        photo = None
        with listed_in(refused, path):
            photo = DecodedPhoto(path, *future.result())
        if photo:
            yield photo


def with_sources(
    photos: Iterable[DecodedPhoto], sources: Sources, refused: list[str]
) -> Iterator[DecodedPhoto]:
    """`photos` with what `sources` know of them."""
    mask_of, depth_of, aperture_of = sources
    for photo in photos:
        complete = None
        with listed_in(refused, photo.path):
            complete = photo._replace(
                mask=mask_of(photo.path, photo.pixels) if mask_of else None,
                depth=depth_of(photo.path, photo.pixels) if depth_of else None,
                aperture=aperture_of(photo.path) if aperture_of else None,
            )
        if complete:
            yield complete


def together(translator: Translator, batch: list[DecodedPhoto]) -> list[np.ndarray]:
    """Results of photos of one size."""
    masks = [photo.mask for photo in batch if photo.mask is not None] or None
    depths = [photo.depth for photo in batch if photo.depth is not None] or None
    apertures = [photo.aperture for photo in batch if photo.aperture is not None] or None
    return translator.batch([photo.pixels for photo in batch], Told(masks, depths, apertures))


def translated(
    translator: Translator,
    batch: list[DecodedPhoto],
    run: Callable[[], list[np.ndarray]],
    refused: list[str],
) -> Iterator[tuple[DecodedPhoto, np.ndarray]]:
    """Photos of one size and the results that `run` gives; when they can't be done together, each by itself."""
    try:
        done = list(zip(batch, run(), strict=True))
    except Exception as error:
        if isinstance(error, UserError) and not isinstance(error, PhotoError):
            # Of the options, which are the same for every photo.
            raise
        done = []
        for photo in batch:
            with listed_in(refused, photo.path):
                done += zip([photo], together(translator, [photo]), strict=True)
    yield from done


def pixels_of(batch: list[DecodedPhoto]) -> int:
    """Of all its photos."""
    return sum(photo.pixels.shape[0] * photo.pixels.shape[1] for photo in batch)


def same_size(photos: Iterable[DecodedPhoto], batch_size: int) -> Iterator[list[DecodedPhoto]]:
    """Group neighbours of one size, at most `batch_size` together."""
    batch: list[DecodedPhoto] = []
    for photo in photos:
        if batch and (len(batch) == batch_size or photo.pixels.shape != batch[0].pixels.shape):
            yield batch
            batch = []
        batch.append(photo)
    if batch:
        yield batch
