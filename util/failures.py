"""Photos of many that can't be done: each is listed at the end, the others are done, and the exit status is 1."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from util.errors import SomeFailed, is_of_the_disk, of_the_setup, say


@contextmanager
def listed_in(refused: list[str], path: Path) -> Iterator[None]:
    """What goes wrong with the photo at `path` in the block becomes a line of `refused`, and the work goes on.

    What would stop every photo, as a full disk or a missing compiler does, is raised all the same.
    """
    try:
        yield
    except Exception as error:
        if is_of_the_disk(error) or of_the_setup(error):
            raise
        reason = str(error) or type(error).__name__
        message = reason if str(path) in reason else f"{path}: {reason}"
        refused.append(message.splitlines()[0])
        say(f"skipped: {refused[-1]}")


def end_with(refused: list[str], count: int) -> None:
    """End the work on `count` photos, of which those in `refused` could not be done.

    Raises:
        SomeFailed: with all lines of `refused`, where there are any.
    """
    if refused:
        lines = "".join(f"\n  {message}" for message in refused)
        raise SomeFailed(f"{len(refused)} of {count} photos could not be done, the others are:{lines}")
