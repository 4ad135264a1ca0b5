"""Data: images and masks -> batches. May import `util`."""

from typing import TYPE_CHECKING

from data.options import OPTIONS, DatasetOptions
from util.find_class import find_class
from util.options import Options

if TYPE_CHECKING:
    from data.base_dataset import BaseDataset
    from data.loader import Loader


def find_dataset_using_name(name: str) -> "type[BaseDataset]":
    """The class of `--dataset_mode name`: in `data/<name>_dataset.py`, called `<Name>Dataset`, any case.

    Raises:
        UserError: no such file, or no such class in it.
    """
    return find_class("data", "dataset", name, "--dataset_mode")


def find_dataset_options(name: str) -> type[DatasetOptions]:
    """What that dataset says about options; as `find_dataset_using_name`, and quicker where it can be."""
    return OPTIONS.get(name) or find_dataset_using_name(name)


def create_dataset(opt: Options, rank: int = 0, world_size: int = 1) -> "Loader":
    """Scan the photos and masks that `opt` names, and return the loader of their batches.

    Of `world_size` processes, the one with number `rank` gets its share of each epoch.

    Raises:
        UserError: photos or masks that are missing or can't be used, listed; or options that can't work.
    """
    from data.loader import Loader

    dataset = find_dataset_using_name(opt.dataset_mode)(opt)
    return Loader(dataset, opt, rank, world_size)
