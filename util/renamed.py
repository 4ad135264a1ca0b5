"""Values of options by other names."""

from collections.abc import Callable


def renamed(**values: str) -> Callable[[str], str]:
    """A type for argparse: an old value becomes the one it is called today, all others stay."""
    return lambda value: values.get(value, value)
