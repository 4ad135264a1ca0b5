"""Files inside of tar shards, which stand where else the path of a file does."""

import os
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from util.errors import UserError


@dataclass(frozen=True)
class Shard:
    """A tar file: its name, its length in bytes, and its SHA-256."""

    name: str
    size: int
    sha256: str


class Store(Protocol):
    """Where shards are; `place` is the folder or address, for messages."""

    @property
    def place(self) -> str: ...

    def read(self, shard: Shard, offset: int, count: int) -> bytes:
        """`count` bytes of `shard` from `offset` on, fewer where it ends before."""
        ...


@dataclass(frozen=True)
class Member(os.PathLike[str]):
    """A file in a shard: its name there, where its content begins, its length in bytes, and its CRC-32.

    As a path it is what it would be if the shard were a folder. `read_bytes` and `util.images` read it.
    """

    store: Store
    shard: Shard
    name: str
    offset: int
    size: int
    crc32: int

    def __fspath__(self) -> str:
        return f"{self.store.place}/{self.shard.name}/{self.name}"

    __str__ = __fspath__

    @property
    def stem(self) -> str:
        """The name without its suffix, as that of a path."""
        return PurePosixPath(self.name).stem

    def read_bytes(self) -> bytes:
        """The content.

        Raises:
            UserError: it is not what the index says.
        """
        content = self.store.read(self.shard, self.offset, self.size)
        if len(content) < self.size or zlib.crc32(content) != self.crc32:
            raise UserError(
                f"{self}: not what index.json says; the shard has changed or is damaged: copy it again, or make "
                "shards again with datasets/make_shards.py"
            )
        return content
