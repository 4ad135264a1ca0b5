"""TensorFlow as `tf`, imported without the notes about CPU features that it writes on standard error."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@contextmanager
def _without_standard_error() -> Iterator[None]:
    """That of the process: what its libraries in C write before they read their settings."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


with _without_standard_error():
    import tensorflow as tf

__all__ = ["tf"]
