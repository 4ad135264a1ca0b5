"""onnxruntime-web, which runs networks in a browser: fetched from npm once, pinned and checked.

python scripts/studio_runtime.py    # have it in the cache, for later or for the tests
"""

import hashlib
import sys
import tarfile
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from deeplab.weights import cached
from util.errors import UserError, command_line
from util.files import write_bytes

VERSION = "1.30.0"
URL = f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
SHA512 = (
    "ab4cbe26baedba45d2cec05610c71c55fa97db92d19a8b171c5f8269126683ca"
    "590a5cdc57bb2f35ce2b298de32f4d956fb42644c0ecd528a0a91e025c07ca61"
)
# For any browser, and for one with WebGPU. The `.mjs` without `wasm` in its name is what a page imports.
FILES = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
    "ort.webgpu.min.mjs",
    "ort-wasm-simd-threaded.asyncify.mjs",
    "ort-wasm-simd-threaded.asyncify.wasm",
)


def fetched() -> Path:
    """npm's archive of the runtime, fetched into the cache, 33 MB, if it isn't there.

    Raises:
        UserError: npm can't be reached.
    """
    return cached(URL, _check, option="--runtime")


def write_runtime(folder: Path, package: Path | None = None) -> None:
    """Put the files of the runtime into `folder`.

    Args:
        folder: where they go; what is there already is left.
        package: npm's archive of that version; default: the one in the cache, else from npm.

    Raises:
        UserError: the archive can't be fetched, or is not the one that is expected.
    """
    if all((folder / name).is_file() for name in FILES) and (folder / VERSION).is_file():
        return
    if package is None:
        package = fetched()
    elif not package.is_file():
        raise UserError(f"--runtime {package}: no such file; it is the archive {URL}")
    try:
        _check(package, package.name)
        with tarfile.open(package, "r:gz") as archive:
            # npm's archives hold everything in one folder that is called package.
            contents = {name: _read(archive, f"package/dist/{name}") for name in FILES}
    except (ValueError, KeyError, OSError, tarfile.TarError, EOFError, zlib.error) as error:
        raise UserError(f"--runtime {package}: {error}; it should be the archive {URL}") from None
    for name, content in contents.items():
        write_bytes(folder / name, content)
    # Written last: the folder is whole.
    write_bytes(folder / VERSION, b"")


def _read(archive: tarfile.TarFile, member: str) -> bytes:
    file = archive.extractfile(member)
    if file is None:
        raise ValueError(f"{member} in it is no file")
    return file.read()


def _check(part: Path, name: str) -> None:
    digest = hashlib.sha512(part.read_bytes()).hexdigest()
    if digest != SHA512:
        raise ValueError(f"{name}: its SHA-512 is {digest[:16]}..., not {SHA512[:16]}...")


@command_line
def main() -> None:
    """Fetch it."""
    fetched()


if __name__ == "__main__":
    main()
