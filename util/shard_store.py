"""Shards in a folder, or behind a web address and then in a cache on the disk that has a limit."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from util.errors import UserError
from util.files import cache_folder, sha256_of
from util.member import Shard

if TYPE_CHECKING:
    from util.download import Fetcher


@dataclass(frozen=True)
class FolderStore:
    """Shards in `folder`."""

    folder: Path

    @property
    def place(self) -> str:
        return str(self.folder)

    def read(self, shard: Shard, offset: int, count: int) -> bytes:
        """As `Store.read`.

        Raises:
            UserError: no such shard.
        """
        try:
            return read_part(self.folder / shard.name, offset, count)
        except FileNotFoundError:
            raise UserError(f"{self.folder / shard.name}: no such file; copy it again") from None

    def check(self, shard: Shard) -> None:
        """See that `shard` is there and as long as it was made.

        Raises:
            UserError: it is not.
        """
        path = self.folder / shard.name
        try:
            found = path.stat().st_size
        except FileNotFoundError:
            raise UserError(f"{path}: no such file; copy it again") from None
        if found != shard.size:
            what = "is cut short" if found < shard.size else "has changed"
            raise UserError(
                f"{path}: {what}, it has {found} bytes and not the {shard.size} that index.json says; copy it again, "
                "or make shards again with datasets/make_shards.py"
            )


@dataclass(frozen=True)
class WebStore:
    """Shards at `url`, copied into `<cache>/shards` as they are asked for; who was read longest ago makes room.

    Several processes may share the cache. `limit` is in bytes.
    """

    url: str
    limit: int

    @property
    def place(self) -> str:
        return self.url

    @property
    def folder(self) -> Path:
        """The cache of this address."""
        return cache_folder() / "shards" / hashlib.sha256(self.url.encode()).hexdigest()[:16]

    def read(self, shard: Shard, offset: int, count: int) -> bytes:
        """As `Store.read`.

        Raises:
            UserError: it can't be fetched, or what came is not what the index says.
        """
        while True:
            path = self.fetched(shard)
            # Another process may just have made room.
            with suppress(FileNotFoundError):
                os.utime(path)
                return read_part(path, offset, count)

    def fetched(self, shard: Shard) -> Path:
        """The file of `shard`, which is fetched if it is not there yet."""
        path = self.folder / shard.name
        if _has_size(path, shard.size):
            return path
        self.folder.mkdir(parents=True, exist_ok=True)
        with _locked(self.folder / f".{shard.name}.lock"):
            if not _has_size(path, shard.size):
                self._make_room(shard.size)
                self._fetch(shard, path)
        return path

    def fetch_index(self, name: str) -> bytes:
        """The content of the file that says what is in the shards; always anew, as it may have changed.

        Raises:
            UserError: it can't be fetched.
        """
        return _fetcher(os.getpid()).fetch(f"{self.url}/{name}")

    def _fetch(self, shard: Shard, path: Path) -> None:
        def check(part: Path) -> None:
            if part.stat().st_size != shard.size or sha256_of(part) != shard.sha256:
                raise ValueError("not what index.json says")

        _fetcher(os.getpid()).download(f"{self.url}/{shard.name}", path, check, show=False)

    def _make_room(self, wanted: int) -> None:
        """Remove shards until `wanted` bytes more are within the limit."""
        kept = []
        for path in self.folder.glob("*.tar"):
            with suppress(FileNotFoundError):
                status = path.stat()
                kept.append((status.st_mtime_ns, status.st_size, path))
        room = self.limit - sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept):
            if room >= wanted:
                return
            path.unlink(missing_ok=True)
            room += size


@cache
def _fetcher(process: int) -> "Fetcher":
    """One for each process: connections can't be shared with those that are forked."""
    # Here, as httpx takes a quarter of a second that folders save.
    from util.download import Fetcher

    return Fetcher()


def read_part(path: Path, offset: int, count: int) -> bytes:
    """`count` bytes of a file from `offset` on, fewer where it ends before."""
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        return file.read(count) or b""


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process at a time in; on systems without such locks all of them."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
