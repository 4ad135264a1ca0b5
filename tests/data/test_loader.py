"""Order and contents of batches: over epochs, ranks, workers and restarts."""

import subprocess
import sys
from collections.abc import Iterable
from itertools import chain

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from data import create_dataset
from data.loader import EpochBatches, collate
from tests.data.coordinate_photos import equal, options, save
from util.errors import UserError


def batches_of(batches: EpochBatches, epoch: int = 1) -> list[list[int]]:
    batches.epoch = epoch
    keys = list(batches)
    assert {key[0] for batch in keys for key in batch} <= {epoch}
    return [[index for _, index in batch] for batch in keys]


def flat(lists: Iterable[list[int]]) -> list[int]:
    return list(chain.from_iterable(lists))


def test_an_epoch_has_each_photo_once_and_a_smaller_last_batch():
    found = batches_of(EpochBatches(10, 4, shuffle=True, seed=0))
    assert [len(batch) for batch in found] == [4, 4, 2]
    assert sorted(flat(found)) == list(range(10))


def test_order_follows_from_seed_and_epoch():
    def order(seed, epoch):
        return flat(batches_of(EpochBatches(50, 1, shuffle=True, seed=seed), epoch))

    orders = [order(seed, epoch) for seed in (0, 1) for epoch in (1, 2)]
    assert order(1, 2) == orders[3]
    assert len({tuple(found) for found in orders}) == 4
    assert flat(batches_of(EpochBatches(5, 1, shuffle=False, seed=0), 3)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("length", [12, 11, 2])
def test_ranks_together_take_what_one_process_takes(length):
    whole = batches_of(EpochBatches(length, 6, shuffle=True, seed=3))
    shares = [
        batches_of(EpochBatches(length, 2, shuffle=True, seed=3, rank=rank, world_size=3))
        for rank in range(3)
    ]
    assert len({len(share) for share in shares}) == 1
    together = [flat(share[number] for share in shares) for number in range(len(shares[0]))]
    for one, all_ranks in zip(whole, together, strict=True):
        assert set(one) <= set(all_ranks) <= set(flat(whole))
        assert len(all_ranks) - len(one) < 3  # filled up so that each rank has as many


def test_no_photo_is_tested_twice():
    shares = [
        batches_of(EpochBatches(11, 2, shuffle=False, seed=0, pad=False, rank=rank, world_size=3))
        for rank in range(3)
    ]
    assert sorted(flat(map(flat, shares))) == list(range(11))


def test_length_counts_photos(dataroot):
    loader = create_dataset(options(dataroot, batch_size=2))
    assert len(loader) == 5 and len(list(loader)) == 3


def test_epochs_differ_and_can_be_repeated(dataroot):
    loader = create_dataset(options(dataroot))
    epochs = []
    for epoch in (1, 2, 1):
        loader.set_epoch(epoch)
        epochs.append(list(loader))
    assert equal(epochs[0], epochs[2]) and not equal(epochs[0], epochs[1])
    other = create_dataset(options(dataroot, seed=1))
    other.set_epoch(1)
    assert not equal(epochs[0], list(other))


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_give_what_one_process_gives(dataroot, context):
    loader = create_dataset(options(dataroot, batch_size=2))
    parallel = create_dataset(options(dataroot, batch_size=2, num_threads=2 if context == "fork" else 1))
    parallel.loader.multiprocessing_context = context
    for epoch in (1, 2):
        loader.set_epoch(epoch)
        parallel.set_epoch(epoch)
        expected = list(loader)
        assert equal(list(parallel), expected)
        assert equal(list(parallel.iterate(skip_batches=2)), expected[2:])
    next(parallel.iterate())  # left in its middle
    assert equal(list(parallel), expected)


def test_the_next_epoch_is_begun_before_it_is_asked_for(dataroot, monkeypatch):
    loader = create_dataset(options(dataroot, num_threads=1))
    expected = {}
    for epoch in (1, 2, 3, 4):
        loader.set_epoch(epoch)
        expected[epoch] = list(create_dataset_at(dataroot, epoch))
    begun = []
    begin = DataLoader.__iter__
    monkeypatch.setattr(
        DataLoader, "__iter__", lambda self: begun.append(loader.batches.epoch) or begin(self)
    )
    # In turn, as a training does; on from its middle; beyond the last epoch, which is 3; back.
    for epoch, skip, starts in ((1, 0, 1), (2, 0, 0), (3, 0, 0), (4, 0, 1), (2, 3, 1), (3, 0, 0), (3, 0, 1)):
        begun.clear()
        loader.set_epoch(epoch)
        assert equal(list(loader.iterate(skip)), expected[epoch][skip:])
        assert begun == [epoch] * starts


def create_dataset_at(dataroot, epoch):
    loader = create_dataset(options(dataroot))
    loader.set_epoch(epoch)
    return loader


def test_skipped_batches_are_not_read(dataroot, monkeypatch):
    loader = create_dataset(options(dataroot))
    loader.set_epoch(4)
    expected = list(loader)
    read = []
    decode = loader.dataset.decode
    monkeypatch.setattr(loader.dataset, "decode", lambda photo: read.append(photo.path) or decode(photo))
    assert equal(list(loader.iterate(skip_batches=3)), expected[3:])
    assert len(read) == 4  # A and B of two batches
    assert list(loader.iterate(skip_batches=5)) == []


def test_global_random_numbers_are_left_alone(dataroot):
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - this very generator is watched
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    list(create_dataset(options(dataroot)))
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()  # noqa: NPY002


@pytest.mark.parametrize("workers", [0, 1])
def test_a_photo_lost_after_the_scan_ends_the_run_with_one_line(dataroot, workers):
    loader = create_dataset(options(dataroot, num_threads=workers))
    lost = dataroot / "trainA" / "A3.png"
    lost.unlink()
    with pytest.raises(UserError) as error:
        list(loader)
    message = str(error.value)
    del error  # holds the loader, whose workers would wait for their end
    assert message == f"{lost}: no such file"


def test_a_batch_has_a_mask_where_all_its_photos_have_one(dataroot):
    (dataroot / "maskA" / "A1.png").unlink()
    opt = options(dataroot, batch_size=2, mask_policy="optional", serial_batches=True)
    batches = list(create_dataset(opt))
    assert ["mask_A" in batch for batch in batches] == [False, True, True]
    assert all(batch["mask_B"].shape == (len(batch["B_paths"]), 1, 32, 32) for batch in batches)
    opt = opt.replace(mask_policy="none")
    assert not any(key.startswith("mask") for batch in create_dataset(opt) for key in batch)


def test_sizes_that_can_not_share_a_batch(dataroot):
    save(np.zeros((8, 8, 3), np.uint8), dataroot / "trainA" / "A0.png")
    opt = options(dataroot, preprocess="none", batch_size=5, serial_batches=True, mask_policy="none")
    with pytest.raises(UserError, match="--batch_size 1 or a --preprocess that ends in crop"):
        list(create_dataset(opt))


def test_collate_keeps_the_order_of_items():
    items = [{"A": torch.full((3, 2, 2), float(number)), "A_paths": str(number)} for number in range(3)]
    batch = collate(items)
    assert batch["A"][:, 0, 0, 0].tolist() == [0, 1, 2] and batch["A_paths"] == ["0", "1", "2"]


def test_python_ends_although_workers_are_waiting(dataroot):
    program = (
        "import signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: None)\n"  # as train.py, which ends when its step is done
        "from tests.data.coordinate_photos import options\n"
        "from data import create_dataset\n"
        "loader = create_dataset(options(sys.argv[1], num_threads=2))\n"
        "batches = iter(loader); next(batches); print('one batch')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, dataroot], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.stdout, done.returncode) == ("one batch\n", 0), done.stderr
