"""Data: images and masks -> batches. May import `util`."""

import importlib
from typing import TYPE_CHECKING, Any

from util.errors import UserError

if TYPE_CHECKING:
    from data.base_dataset import BaseDataset
    from data.loader import Loader


def find_dataset_using_name(name: str) -> "type[BaseDataset]":
    """The class of `--dataset_mode name`: in `data/<name>_dataset.py`, called `<Name>Dataset`, any case.

    Raises:
        UserError: no such file, or no such class in it.
    """
    from data.base_dataset import BaseDataset

    module_name = f"data.{name}_dataset"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if not f"{module_name}.".startswith(f"{error.name}."):  # the file is there, and imports what is not
            raise
        raise UserError(f"--dataset_mode {name}: there is no file data/{name}_dataset.py") from None
    wanted = f"{name.replace('_', '')}dataset".lower()
    for member in vars(module).values():
        derived = isinstance(member, type) and issubclass(member, BaseDataset) and member is not BaseDataset
        if derived and member.__name__.lower() == wanted:
            return member
    title = "".join(part.capitalize() for part in name.split("_"))
    raise UserError(f"data/{name}_dataset.py: needs a class {title}Dataset that derives from BaseDataset")


def create_dataset(opt: Any, rank: int = 0, world_size: int = 1) -> "Loader":
    """Scan the photos and masks that `opt` names, and return the loader of their batches.

    Of `world_size` processes, the one with number `rank` gets its share of each epoch.

    Raises:
        UserError: photos or masks that are missing or can't be used, listed; or options that can't work.
    """
    from data.loader import Loader

    dataset = find_dataset_using_name(opt.dataset_mode)(opt)
    return Loader(dataset, opt, rank, world_size)
