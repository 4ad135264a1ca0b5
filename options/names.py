"""Old and other names and values of options, and what they mean here."""

import string
from argparse import Action, ArgumentError, ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Any

from util.errors import UserError
from util.ranges import count


class LoadIter(Action):
    """`--load_iter N` is `--epoch iter_N`; 0 leaves --epoch as it is."""

    def __call__(
        self,
        parser: ArgumentParser,
        namespace: Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if not count.fits(values):
            raise ArgumentError(self, f"{values}: {count.words}")
        if values > 0:
            namespace.epoch = f"iter_{values}"


def full_name(name: str, suffix: str, values: Mapping[str, Any]) -> str:
    """The experiment's name with the suffix, whose `{option}` become the options' values.

    `full_name("a", "{netG}_{lr}", {"netG": "unet_256", "lr": 0.1})` is `a_unet_256_0.1`.

    Raises:
        UserError: braces that name no option.
    """
    if not suffix:
        return name
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(suffix) if field is not None]
        return f"{name}_{suffix.format(**{field: values[field] for field in fields})}"
    except (KeyError, ValueError, IndexError) as error:
        raise UserError(
            f"--suffix {suffix}: {error} names no option here; write {{model}}, say, or give the whole name with --name"
        ) from None
