"""Pack a dataroot into tar shards for training: large files side by side in place of many small ones.

    python datasets/make_shards.py --dataroot datasets/bokeh --output shards/bokeh
    python train.py --dataroot shards/bokeh --name bokeh                     # from this disk
    python train.py --dataroot https://data.example.org/bokeh --name bokeh   # from a web server, through a cache

`trainA-000000.tar` and the following hold the photos of `trainA`, each as `KEY.jpg` with `KEY.mask.png` and
`KEY.depth.png` behind it where there are such: what the library webdataset reads. `index.json` says where each photo
begins, so that training reads any of them directly. All files are checked first, as before a training. Photos for
training are dealt to shards at random, others in order. Stopped and started again, it goes on.
"""

import argparse
import hashlib
import io
import json
import sys
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PIL import Image
from tqdm import tqdm

from data.file_check import SUBJECT_FROM
from data.image_folder import PhotoFolder, scan_folders
from data.photos import Photo, Photos
from data.shards import INDEX, VERSION
from util.domains import PHASES
from util.errors import UserError, command_line
from util.files import atomic_path, is_inside, sha256_of, stamp, write_text
from util.images import read_mask, read_pixels
from util.member import Shard
from util.ranges import RangedParser, positive

SEED = 0

# What is noted of a shard that is done, until all are and the index says it.
PARTS = ".parts"


@dataclass(frozen=True)
class File:
    """A file to pack: what it is, the end of its name in the shard, and where it comes from."""

    kind: str
    suffix: str
    path: Path


@dataclass(frozen=True)
class Sample:
    """A photo with its key in the shard, its number in the order of names, and the files that make it."""

    key: str
    number: int
    size: tuple[int, int]
    files: tuple[File, ...]

    def bytes(self) -> int:
        """About what it takes in a shard: content in blocks of 512 bytes, behind a header of one."""
        return sum(512 + -(-file.path.stat().st_size // 512) * 512 for file in self.files)


def entries(photos: Photos) -> list[Sample]:
    """The photos of a set in the order of their names.

    Raises:
        UserError: two photos of one name, which would have one mask.
    """
    owners: dict[str, Path] = {}
    keys: set[str] = set()
    found = []
    for number, photo in enumerate(photos):
        path = Path(photo.path)
        if owners.setdefault(path.stem, path) != path:
            raise UserError(f"{owners[path.stem]} and {path}: both are called {path.stem}; rename one")
        # Readers take what follows the first dot of a name for its suffix.
        key = path.stem.replace(".", "_")
        while key in keys:
            key += "_"
        keys.add(key)
        found.append(Sample(key, number, photo.size, tuple(_files(photo))))
    return found


def _files(photo: Photo) -> Iterator[File]:
    path = Path(photo.path)
    yield File("photo", path.suffix.lower(), path)
    for kind, beside in (("mask", photo.mask), ("depth", photo.depth)):
        if beside is not None:
            yield File(kind, f".{kind}.png", Path(beside))


def content(file: File) -> bytes:
    """What goes into the shard: the file as it is; masks and depths that are no PNG, as one."""
    if file.kind == "photo" or file.path.suffix.lower() == ".png":
        return file.path.read_bytes()
    made = io.BytesIO()
    if file.kind == "mask":
        read_mask(file.path).save(made, "PNG")
    else:
        Image.fromarray(read_pixels(file.path, channels=1)[..., 0]).save(made, "PNG")
    return made.getvalue()


def deal(found: Sequence[Sample], shuffle: bool, shard_bytes: int) -> list[list[Sample]]:
    """The entries of each shard, of about `shard_bytes`."""
    order = np.random.default_rng(SEED).permutation(len(found)) if shuffle else np.arange(len(found))
    shards: list[list[Sample]] = [[]]
    room = shard_bytes
    for number in order.tolist():
        size = found[number].bytes()
        if shards[-1] and size > room:
            shards.append([])
            room = shard_bytes
        shards[-1].append(found[number])
        room -= size
    return shards


def write_shard(path: Path, of_shard: Sequence[Sample]) -> dict[str, Any]:
    """Write one shard; returns what the index says of it: itself, and of each photo its `columns`."""
    facts = {}
    with atomic_path(path) as temporary, tarfile.open(temporary, "w", format=tarfile.GNU_FORMAT) as tar:
        for entry in of_shard:
            for file in entry.files:
                packed = content(file)
                info = tarfile.TarInfo(entry.key + file.suffix)
                info.size = len(packed)
                tar.addfile(info, io.BytesIO(packed))
                fact = {"suffix": file.suffix, "crc32": zlib.crc32(packed)}
                if file.kind == "mask":
                    fact["empty"] = bool(np.asarray(read_mask(file.path)).max() < SUBJECT_FROM)
                facts[info.name] = fact
    with tarfile.open(path) as tar:
        for member in tar:
            facts[member.name] |= {"offset": member.offset_data, "bytes": member.size}
    shard = Shard(path.name, path.stat().st_size, sha256_of(path))
    photos = [
        {
            "number": entry.number,
            "key": entry.key,
            "size": entry.size,
            "files": {file.kind: facts[entry.key + file.suffix] for file in entry.files},
        }
        for entry in of_shard
    ]
    return {"shard": asdict(shard), "photos": photos}


def shard_once(output: Path, name: str, of_shard: Sequence[Sample]) -> dict[str, Any]:
    """As `write_shard`, unless an earlier run has written just this shard."""
    digest = hashlib.sha256(
        repr([(entry, [stamp(file.path) for file in entry.files]) for entry in of_shard]).encode()
    ).hexdigest()
    note = output / PARTS / f"{name}.json"
    if note.is_file():
        noted = json.loads(note.read_text())
        if noted["digest"] == digest and (output / name).is_file():
            return noted["made"]
    made = write_shard(output / name, of_shard)
    write_text(note, json.dumps({"digest": digest, "made": made}))
    return made


def columns(of_shards: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the index says of a set: see `data.shards`."""
    photos = [photo | {"shard": number} for number, made in enumerate(of_shards) for photo in made["photos"]]
    photos.sort(key=lambda photo: photo["number"])
    missing = {"offset": -1, "bytes": -1, "crc32": 0, "suffix": "", "empty": False}
    parts = {}
    for kind in ("photo", "mask", "depth"):
        files = [photo["files"].get(kind, missing) for photo in photos]
        fields = ("offset", "bytes", "crc32", "suffix", *(["empty"] if kind == "mask" else []))
        if any(file is not missing for file in files):
            parts[kind] = {field: [file[field] for file in files] for field in fields}
    return {
        "shards": [made["shard"] for made in of_shards],
        "keys": [photo["key"] for photo in photos],
        "width": [photo["size"][0] for photo in photos],
        "height": [photo["size"][1] for photo in photos],
        "shard": [photo["shard"] for photo in photos],
        "parts": parts,
    }


def folders_of(dataroot: Path) -> list[PhotoFolder]:
    """The sets of a dataroot that are there.

    Raises:
        UserError: none is.
    """
    found = []
    for phase in PHASES:
        for letter in "AB":
            photos = dataroot / f"{phase}{letter}"
            if photos.is_dir():
                masks, depths = dataroot / f"mask{letter}", dataroot / f"depth{letter}"
                found.append(PhotoFolder(photos, masks, masks_required=False, depths=depths))
    if not found:
        raise UserError(f"--dataroot {dataroot}: no trainA, trainB, valA, ... in there")
    return found


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = RangedParser(
        description=__doc__.split("\n\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--dataroot", type=Path, required=True, help="folder of trainA, trainB, maskA ...")
    parser.add_argument("--output", type=Path, required=True, help="folder for the shards and index.json")
    parser.add_argument("--size", type=positive, default=128.0, help="MB of a shard, about")
    return parser.parse_args(argv)


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run the program with the arguments `argv`, by default those of the command line."""
    args = parse(argv)
    if is_inside(args.output, args.dataroot):
        raise UserError(f"--output {args.output}: lies inside --dataroot; choose a folder outside")

    folders = folders_of(args.dataroot)
    plan: dict[str, list[list[Sample]]] = {}
    for folder, photos in zip(folders, scan_folders(args.dataroot, folders), strict=True):
        name = folder.photos.name
        plan[name] = deal(entries(photos), name.startswith("train"), int(args.size * 1e6))

    sets = {}
    total = sum(len(of_shard) for shards in plan.values() for of_shard in shards)
    with tqdm(total=total, unit="photo", disable=None) as bar:
        for name, shards in plan.items():
            of_shards = []
            for number, of_shard in enumerate(shards):
                of_shards.append(shard_once(args.output, f"{name}-{number:06d}.tar", of_shard))
                bar.update(len(of_shard))
            sets[name] = columns(of_shards)
    write_text(args.output / INDEX, json.dumps({"version": VERSION, "sets": sets}))
    _clean_up(args.output, {made["name"] for of_set in sets.values() for made in of_set["shards"]})
    made = ", ".join(f"{len(of_set['keys'])} of {name}" for name, of_set in sets.items())
    print(f"{args.output}: {made} in {sum(len(of_set['shards']) for of_set in sets.values())} shards")


def _clean_up(output: Path, kept: set[str]) -> None:
    """Remove notes, and shards of an earlier run that the index does not name any more."""
    for phase in PHASES:
        for path in output.glob(f"{phase}[AB]-[0-9][0-9][0-9][0-9][0-9][0-9].tar"):
            if path.name not in kept:
                path.unlink()
    for path in (output / PARTS).iterdir():
        path.unlink()
    (output / PARTS).rmdir()


if __name__ == "__main__":
    main()
