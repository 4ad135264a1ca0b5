"""SIGINT, SIGTERM, a closed terminal or a closed pipe as a request that a loop can answer between two steps."""

import signal
import sys
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any, TextIO, TypeVar

from util.distributed import any_rank, world_size
from util.output import Output

T = TypeVar("T")


class StopRequest:
    """Within the block the first SIGINT or SIGTERM only sets `signal_name`; the next one acts as it always does.

    So does SIGHUP, that of a closed terminal, unless it is ignored, as under nohup. A standard output or error that
    can't be written any more, as in `train.py | head`, counts as a signal too; what is printed from then on is dropped.
    Of several ranks the next ones do nothing either: a scheduler and torchrun both pass on the same request.

    >>> with StopRequest() as stop:
    ...     for step in steps:
    ...         step()
    ...         if stop.asked():
    ...             break
    """

    def __init__(self) -> None:
        self.signal_name = ""
        self._before: dict[int, Any] = {}
        self._streams: tuple[TextIO, TextIO] = (sys.stdout, sys.stderr)

    def __enter__(self) -> "StopRequest":
        for number in _stopping_signals():
            self._before[number] = signal.signal(number, self._note)
        self._streams = (sys.stdout, sys.stderr)
        sys.stdout, sys.stderr = (Output(stream, self._note_closed) for stream in self._streams)
        return self

    def asked(self) -> bool:
        """Whether some rank was asked to stop; all ranks get the same answer, and so stop after the same step."""
        if any_rank(bool(self.signal_name)):
            self.signal_name = self.signal_name or "a signal to another rank"
            return True
        return False

    def until(self, items: Iterable[T]) -> Iterator[T]:
        """`items`, which may end early once a signal has come, since that may have ended the workers they come from."""
        try:
            yield from items
        except (RuntimeError, EOFError, OSError):
            # As the loader finds its workers or their pipes gone.
            if not self.signal_name:
                raise

    def __exit__(self, *_: object) -> None:
        for output in (sys.stdout, sys.stderr):
            output.flush()
        sys.stdout, sys.stderr = self._streams
        self._restore()

    def _note_closed(self, name: str) -> None:
        self.signal_name = self.signal_name or f"a closed {name}"

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal_name = signal.Signals(number).name
        if hasattr(signal, "SIGCHLD"):
            # Who ends a program by its name ends its workers too, and some of them late: the loader must raise that
            # neither amid a step nor after the block.
            signal.signal(signal.SIGCHLD, lambda *_: None)
        if world_size() == 1:
            self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _stopping_signals() -> list[signal.Signals]:
    """The signals that ask for a stop here."""
    found = [signal.SIGINT, signal.SIGTERM]
    # Not on Windows; what nohup ignores stays ignored.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        found.append(signal.SIGHUP)
    return found
