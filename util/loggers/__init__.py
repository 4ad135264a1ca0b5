"""Dashboards of others that show a run beside visdom: `--logger tensorboard wandb trackio`.

Each is an adapter in a file of its own, which imports its package when a run asks for it and not before. All show what
visdom does: every row of `losses.csv`, in the same groups, the sample pictures and the options; steps count photos.
"""

from importlib.util import find_spec

from util.errors import UserError, missing_package

LOGGERS = ("tensorboard", "wandb", "trackio")


def check_loggers(names: list[str]) -> None:
    """Raise a `UserError` for a logger whose package is not installed, without importing one."""
    for name in names:
        if find_spec(name) is None:
            raise UserError(f"--logger {name}: {missing_package(name)}")
