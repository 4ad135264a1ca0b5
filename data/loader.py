"""Batches of an epoch in a fixed order: the same for one or many workers and ranks, and from any batch on."""

import os
import signal
import warnings
from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate

from data.base_dataset import BaseDataset
from util.errors import UserError
from util.options import Options

# First number of a seed: keeps the random numbers of the order apart from those of the photos.
ORDER_STREAM = 0

# Workers wait for the disk too, so more of them than processors is no mistake.
warnings.filterwarnings("ignore", message="This DataLoader will create")


class EpochBatches(Sampler[list[tuple[int, int]]]):
    """Batches of (epoch, index) keys of one epoch, for one of `world_size` ranks.

    The order comes from (seed, epoch) alone, or is what `order` gives for the epoch, if anything. Together, the ranks'
    n-th batches are what one process with a batch `world_size` times as large gets as its n-th. In training (`pad`)
    the order is filled up from its start so that all ranks take the same number of steps; the last batch may be
    smaller, none is dropped.
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        shuffle: bool,
        seed: int,
        pad: bool = True,
        rank: int = 0,
        world_size: int = 1,
        order: Callable[[int, int], np.ndarray | None] | None = None,
    ) -> None:
        self.length = length
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.pad = pad
        self.rank = rank
        self.world_size = world_size
        self.order = order
        self.epoch = 0
        # Batches of the epoch to leave out, for a run that goes on in its middle.
        self.first = 0

    def indices(self) -> np.ndarray:
        """This rank's indices in the order of the current epoch."""
        order = np.arange(self.length)
        if self.shuffle:
            best = self.order(self.epoch, self.world_size) if self.order else None
            random = np.random.default_rng([ORDER_STREAM, self.seed, self.epoch])
            order = random.permutation(order) if best is None else best
        if self.pad:
            order = np.resize(order, -(-self.length // self.world_size) * self.world_size)
        return order[self.rank :: self.world_size]

    def __len__(self) -> int:
        """Number of batches in a whole epoch of this rank."""
        # As many as `indices` has.
        padded = self.length + (-self.length % self.world_size if self.pad else 0)
        return -(-len(range(self.rank, padded, self.world_size)) // self.batch_size)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        epoch, indices = self.epoch, self.indices()
        for start in range(self.first * self.batch_size, len(indices), self.batch_size):
            yield [(epoch, index) for index in indices[start : start + self.batch_size].tolist()]


class FollowingEpochs(Sampler[list[tuple[int, int]]]):
    """The batches of `batches` and of the epochs after it, up to `last`: workers begin with the next one in time.

    Else each epoch would start with empty hands, and the model wait for its first batch.
    """

    def __init__(self, batches: EpochBatches, last: int) -> None:
        self.batches = batches
        self.last = last

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        # A copy, since the loader's own is set to the epoch that it asks for next.
        batches = copy(self.batches)
        while True:
            yield from batches
            batches.epoch, batches.first = batches.epoch + 1, 0
            if batches.epoch > self.last:
                return


class Loader:
    """What `create_dataset` returns: iterate over it for the batches of the epoch set by `set_epoch`.

    A batch is a dict of stacked tensors and lists of paths, as the dataset's items. `len()` counts photos.
    """

    def __init__(self, dataset: BaseDataset, opt: Options, rank: int = 0, world_size: int = 1) -> None:
        self.dataset = dataset
        self.batches = EpochBatches(
            len(dataset),
            opt.batch_size,
            shuffle=opt.isTrain and not opt.serial_batches,
            seed=opt.seed,
            pad=opt.isTrain,
            rank=rank,
            world_size=world_size,
            order=dataset.order,
        )
        workers = min(opt.num_threads, len(self.batches))
        self.last = opt.n_epochs + opt.n_epochs_decay if opt.isTrain else 0
        self.loader = DataLoader(
            _ErrorsAsItems(dataset),
            batch_sampler=FollowingEpochs(self.batches, self.last),
            num_workers=workers,
            collate_fn=collate,
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=_leave_signals_to_main,
            # An own generator: the default one takes a number from the global generator at every epoch.
            generator=torch.Generator().manual_seed(opt.seed),
            persistent_workers=workers > 0,
            prefetch_factor=4 if workers else None,
        )
        # What is being read, and the batch of which epoch it gives next.
        self._running: Iterator[dict[str, Any] | UserError] = iter(())
        self._next: tuple[int, int] | None = None

    def __len__(self) -> int:
        return len(self.dataset)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, from which order, crops, flips and pairs follow together with the seed."""
        self.batches.epoch = epoch

    def iterate(self, skip_batches: int = 0) -> Iterator[dict[str, Any]]:
        """The epoch's batches from number `skip_batches` on; those before are not even read.

        Raises:
            UserError: a photo or mask that can't be used any more.
        """
        epoch = self.batches.epoch
        if self._next != (epoch, skip_batches):
            self.batches.first = skip_batches
            self._running = iter(self.loader)
        for number in range(skip_batches, len(self.batches)):
            self._next = None
            batch = next(self._running)
            self._next = (epoch, number + 1)
            if isinstance(batch, UserError):
                try:
                    raise batch
                finally:
                    # It holds this frame, and so the workers, until garbage is collected.
                    del batch
            yield batch
        if epoch < self.last:
            self._next = (epoch + 1, 0)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self.iterate()


def collate(items: list[dict[str, Any] | UserError]) -> dict[str, Any] | UserError:
    """Stack `items` into a batch. A mask is in it where all its photos have one; paths become lists.

    A `UserError` among the items, or sizes that can't be stacked, gives a `UserError` in place of the batch.
    """
    sound: list[dict[str, Any]] = []
    for item in items:
        if isinstance(item, UserError):
            return item
        sound.append(item)
    keys = [key for key in sound[0] if all(key in item for item in sound)]
    for key in keys:
        if isinstance(sound[0][key], torch.Tensor) and len({item[key].shape for item in sound}) > 1:
            return UserError(
                f"photos of different sizes can't share a batch ({sound[0][key + '_paths']} and others): "
                "use --batch_size 1 or a --preprocess that ends in crop"
            )
    return default_collate([{key: item[key] for key in keys} for item in sound])


class _ErrorsAsItems(Dataset):
    """Returns a `UserError` instead of raising it: out of a worker, it would come with a long traceback."""

    def __init__(self, dataset: BaseDataset) -> None:
        self.dataset = dataset

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Any] | UserError:
        try:
            return self.dataset[key]
        except UserError as error:
            return error


def _leave_signals_to_main(worker: int) -> None:
    """Let the main process alone answer Ctrl-C, and a SIGTERM to its group: it finishes its step first.

    A worker has a group of its own, and does as SIGTERM says: that is how Python ends workers at its exit. It
    must not inherit the handler of the main process, which puts the end off.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(os, "setpgrp"):
        os.setpgrp()
