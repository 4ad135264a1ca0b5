"""Download one of the public unpaired sets of the CycleGAN authors (Zhu et al. 2017), ready to train on.

    python datasets/download_cyclegan.py iphone2dslr_flower      # their own shallow-focus set: flowers
    python datasets/download_cyclegan.py --list
    python train.py --dataroot ./datasets/iphone2dslr_flower --name flowers

The set becomes `datasets/NAME/{trainA,trainB,testA,testB}`. A download that was cut off goes on where it was.
"""

import argparse
import shutil
import stat
import sys
import zipfile
from pathlib import Path, PurePosixPath

from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from util.download import Fetcher
from util.errors import UserError, command_line
from util.images import is_image

URL = "http://efrosgans.eecs.berkeley.edu/cyclegan/datasets/"

# Sets by name: what domains A and B are. cityscapes is not among them: its licence forbids passing it on.
SETS = {
    "ae_photos": "test photos of the authors (A alone)",
    "apple2orange": "apples -> oranges (ImageNet)",
    "cezanne2photo": "paintings of Cezanne -> photos",
    "facades": "facades -> their drawn parts",
    "horse2zebra": "horses -> zebras (ImageNet)",
    "iphone2dslr_flower": "flowers by phones -> by cameras with a wide aperture (Flickr)",
    "maps": "aerial photos -> maps",
    "monet2photo": "paintings of Monet -> photos",
    "summer2winter_yosemite": "Yosemite in summer -> in winter (Flickr)",
    "ukiyoe2photo": "ukiyo-e prints -> photos",
    "vangogh2photo": "paintings of van Gogh -> photos",
}


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read and check the command line.

    Raises:
        UserError: an unknown set, or none.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="?", help="which set, see --list")
    parser.add_argument("--list", action="store_true", help="say which sets there are")
    parser.add_argument("--output", type=Path, default=Path("datasets"), help="where the set's folder goes")
    args = parser.parse_args(argv)
    if not args.list and args.name not in SETS:
        raise UserError(f"{args.name or 'no set named'}: choose one of {' '.join(SETS)}")
    return args


def download_set(name: str, output: Path, fetcher: Fetcher) -> Path:
    """Fetch and unpack the set into `output/name`, unless it is there; returns that folder.

    Raises:
        UserError: the server can't be reached, the archive is damaged or not what it should be, the disk is full.
    """
    folder = output / name
    if folder.is_dir():
        return folder
    archive = output / f"{name}.zip"
    if not archive.is_file():
        fetcher.download(f"{URL}{name}.zip", archive, check_zip)
    # Unpacked beside its place and then moved: the folder is whole or not there.
    part = output / f".{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    unzip_images(archive, part, name)
    part.replace(folder)
    archive.unlink()
    return folder


def check_zip(path: Path) -> None:
    """Raise ValueError unless `path` is a whole zip: it ends with its list of files."""
    if not zipfile.is_zipfile(path):
        raise ValueError("not a whole zip file")


def unzip_images(archive: Path, folder: Path, name: str) -> None:
    """Unpack the images of `archive` into `folder`, less the folder `name` that they are in.

    Raises:
        UserError: a damaged archive, a member that would lie outside `folder`, no images, too little disk space.
    """
    try:
        with zipfile.ZipFile(archive) as zipped:
            members = [(member, place_of(member, name, archive)) for member in zipped.infolist()]
            images = [(member, place) for member, place in members if is_image(place.name)]
            if not images:
                raise UserError(f"{archive}: holds no images; delete it and run the same command again")
            folder.mkdir(parents=True)
            needed, free = sum(member.file_size for member, _ in images), shutil.disk_usage(folder).free
            if needed > free:
                raise UserError(
                    f"{folder.parent}: {needed >> 20} MiB are needed and {free >> 20} are free; make room"
                )
            for member, place in tqdm(images, name, unit="photo"):
                path = folder / place
                path.parent.mkdir(parents=True, exist_ok=True)
                with zipped.open(member) as source, path.open("wb") as target:
                    shutil.copyfileobj(source, target)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise UserError(f"{archive}: damaged ({error}); delete it and run the same command again") from None


def place_of(member: zipfile.ZipInfo, name: str, archive: Path) -> PurePosixPath:
    """Where a member goes, relative to the set's folder.

    Raises:
        UserError: outside of it, by `..`, an absolute path or a link.
    """
    path = PurePosixPath(member.filename.replace("\\", "/"))
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    if is_link or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise UserError(
            f"{archive}: {member.filename} would lie outside the set's folder; nothing was unpacked"
        )
    return path.relative_to(name) if path.parts[0] == name else path


@command_line
def main(argv: list[str] | None = None) -> None:
    """Fetch the set, then say how many photos it has."""
    args = parse(argv)
    if args.list:
        print("\n".join(f"{name:<24}{domains}" for name, domains in SETS.items()))
        return
    with Fetcher() as fetcher:
        folder = download_set(args.name, args.output, fetcher)
    counts = [
        f"{sum(is_image(file.name) for file in phase.iterdir())} in {phase.name}"
        for phase in sorted(folder.iterdir())
        if phase.is_dir()
    ]
    print(f"{folder}: {', '.join(counts)} photos")


if __name__ == "__main__":
    main()
