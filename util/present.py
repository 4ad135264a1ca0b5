"""Values that may be None by their type, and are there by the options."""

from typing import TypeVar

T = TypeVar("T")


def present(value: T | None) -> T:
    """`value`, of which the caller knows that it is there: masks where the options need them, a path once found."""
    assert value is not None
    return value
