"""SIGINT and SIGTERM as a request that a loop can answer between two steps."""

import signal
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import TypeVar

T = TypeVar("T")


class StopRequest:
    """Within the block the first SIGINT or SIGTERM only sets `signal_name`; the next one acts as it always does.

    With `only_note` the next ones do nothing either: a scheduler and torchrun both pass on the same request.

    >>> with StopRequest() as stop:
    ...     for step in steps:
    ...         step()
    ...         if stop.signal_name:
    ...             break
    """

    def __init__(self, only_note: bool = False) -> None:
        self.only_note = only_note
        self.signal_name = ""
        self._before: dict[int, object] = {}

    def __enter__(self) -> "StopRequest":
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._note)
        return self

    def until(self, items: Iterable[T]) -> Iterator[T]:
        """`items`, which may end early once a signal has come, since that may have ended the workers they come from."""
        try:
            yield from items
        except (RuntimeError, EOFError, OSError):  # as the loader finds its workers or their pipes gone
            if not self.signal_name:
                raise

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal_name = signal.Signals(number).name
        if hasattr(signal, "SIGCHLD"):
            # Who ends a program by its name ends its workers too, and some of them late: the loader must raise that
            # neither amid a step nor after the block.
            signal.signal(signal.SIGCHLD, lambda *_: None)
        if not self.only_note:
            self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
