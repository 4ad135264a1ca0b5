"""Types of numeric options, with the range that makes sense: `type=positive_int`. What they refuse is told by `check`.

A type and not a check beside it: an option's range stands where the option does, and no parser forgets to look.
"""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from util.errors import UserError


@dataclass(frozen=True)
class Range:
    """The type of an option for argparse: a number of one `kind`, which `check` refuses outside of its range.

    Args:
        kind: int or float.
        words: what a value must be, for the message.
        least, most: the bounds, both allowed.
        above, below: the bounds, both refused.
        all_is: a value that stands for "all", and becomes infinite.
    """

    kind: type
    words: str
    least: float = -math.inf
    most: float = math.inf
    above: float = -math.inf
    below: float = math.inf
    all_is: int | None = None

    @property
    def __name__(self) -> str:
        """What argparse calls a word that is no number."""
        return self.kind.__name__

    def __call__(self, text: str) -> float:
        """The number that `text` is.

        Raises:
            ValueError: it is none.
        """
        value = self.kind(text)
        return math.inf if self.all_is is not None and value == self.all_is else value

    def fits(self, value: float) -> bool:
        """Whether `value` is in range; infinity only where it means all."""
        if value == math.inf:
            return self.all_is is not None
        return self.least <= value <= self.most and self.above < value < self.below


integer = Range(int, "must be a whole number")
positive_int = Range(int, "must be at least 1", least=1)
count = Range(int, "must be at least 0", least=0)
count_or_all = Range(int, "must be at least 1, or -1 for all", least=1, all_is=-1)
seed = Range(int, "must be between 0 and 2^32 - 1", least=0, most=2**32 - 1)
port = Range(int, "must be between 1 and 65535", least=1, most=65535)
port_or_any = Range(int, "must be between 1 and 65535, or 0 for any that is free", least=0, most=65535)
positive = Range(float, "must be above 0, and a finite number", above=0)
non_negative = Range(float, "must not be negative, and a finite number", least=0)
finite = Range(float, "must be a finite number", above=-math.inf)
share = Range(float, "must be between 0 and 1", least=0, most=1)
decay = Range(float, "must be at least 0 and below 1", least=0, below=1)


def check_ranges(parser: argparse.ArgumentParser, values: dict[str, Any]) -> None:
    """Look at all parsed `values` of options whose type is a `Range`.

    Raises:
        UserError: a value outside its range; the line names the option.
    """
    for action in parser._actions:
        given = values.get(action.dest)
        if not isinstance(action.type, Range) or given is None:
            continue
        for value in given if isinstance(given, (list, tuple)) else [given]:
            if isinstance(value, (int, float)) and not action.type.fits(value):
                raise UserError(f"{action.option_strings[0]} {value}: {action.type.words}")


class RangedParser(argparse.ArgumentParser):
    """A parser that looks at the ranges of what it has parsed."""

    # Its overloads tell kinds of namespaces apart, this one hands on any.
    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        """Parse; raises `UserError` for a value outside the range of its option."""
        parsed = super().parse_args(args, namespace)
        check_ranges(self, vars(parsed))
        return parsed
