"""The few options that decide which others there are, and what their defaults are: read before all others."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from options.config import Config


def selected(argv: Sequence[str], config: Config, more: str = "") -> Namespace:
    """What `argv`, or else `config`, says of model, dataset and run; what is not given is None.

    Args:
        more: one more option to read, or none.
    """
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("model", "dataset_mode", "name", "suffix", "checkpoints_dir", more):
        # A value that is missing is told by the parser of all options, whose usage shows them all.
        if name:
            parser.add_argument(f"--{name}", nargs="?")
    parser.add_argument("--continue_train", action="store_true")
    config.set_defaults(parser)
    return parser.parse_known_args(list(argv))[0]
