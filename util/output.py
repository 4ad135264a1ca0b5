"""Standard output and error whose reader may go away: a closed terminal, or `| head`."""

import errno
import os
import select
import sys
from collections.abc import Callable
from typing import Any, TextIO


class Output:
    """Writes to `stream` until its reader has gone, says so once to `on_closed`, and writes to nowhere from then on."""

    def __init__(self, stream: TextIO, on_closed: Callable[[str], None]) -> None:
        self._stream = stream
        self._on_closed = on_closed

    def write(self, text: str) -> int:
        """As the stream."""
        try:
            return self._stream.write(text)
        except OSError as error:
            self._leave(error)
            return len(text)

    def flush(self) -> None:
        """As the stream."""
        try:
            self._stream.flush()
        except OSError as error:
            self._leave(error)

    def _leave(self, error: OSError) -> None:
        if not lead_nowhere(self._stream, error):
            raise error
        self._on_closed({1: "standard output", 2: "standard error"}[self._stream.fileno()])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def lead_nowhere(stream: TextIO, error: OSError) -> bool:
    """Point `stream` at the null device if `error` says that its reader, or its terminal, has gone.

    What the stream still holds goes there too, so that neither the next flush nor the end of Python fails.
    """
    if error.errno not in (errno.EPIPE, errno.EIO):
        return False
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    return True


def end_output(error: OSError) -> bool:
    """Whether the reader of standard output or error has gone, which `error` may come from.

    Nothing that is printed there later can fail then.
    """
    closed = [stream for stream in (sys.stdout, sys.stderr) if not _has_reader(stream)]
    return all(lead_nowhere(stream, error) for stream in closed) and bool(closed)


def _has_reader(stream: TextIO) -> bool:
    """False for a pipe that nobody reads any more; unknown, and so True, where the system can't tell."""
    if not hasattr(select, "poll"):
        return True
    poll = select.poll()
    poll.register(stream.fileno(), 0)
    return not any(event & select.POLLERR for _, event in poll.poll(0))
