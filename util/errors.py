"""Errors that a user can cause and mend: shown as one line, without a traceback."""

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class UserError(Exception):
    """Something the user can mend. The message is one line that names the file or option and the mend."""


def command_line(main: Callable[P, R]) -> Callable[P, R]:
    """Decorate a program's `main`: a `UserError` ends it with `error: ...` on stderr and exit status 2."""

    @functools.wraps(main)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return main(*args, **kwargs)
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            raise SystemExit(2) from None

    return wrapper
