"""How far a training is, and where it goes on."""

from argparse import Namespace

import pytest
import torch

from models import training_state
from models.training_state import Progress, drop_old, restore
from util.loss_watch import LossWatch
from util.seeds import rng_state


@pytest.mark.parametrize("frequency", [1, 3, 4, 10])
@pytest.mark.parametrize("photos", [1, 4, 7])
def test_passed_finds_every_multiple_once(frequency, photos):
    progress = Progress(epoch=1, batches=0, batch_photos=photos, total_iters=0)
    for _ in range(12):
        before = progress.total_iters
        progress.add_batch(photos)
        inside = any(count % frequency == 0 for count in range(before + 1, progress.total_iters + 1))
        assert progress.passed(frequency, photos) == inside
    assert progress.batches == 12 and progress.total_iters == 12 * photos
    progress.end_epoch()
    assert (progress.epoch, progress.batches, progress.total_iters) == (2, 0, 12 * photos)


@pytest.mark.parametrize(("batch_size", "done"), [(2, 7), (4, 3), (1, 14)])
def test_another_batch_size_goes_on_with_the_batch_that_was_not_done(monkeypatch, tmp_path, batch_size, done):
    """Seven batches of two photos are done: none of the rest is left out."""
    saved = {"epoch": 3, "batches": 7, "batch_photos": 2, "total_iters": 94}
    saved |= {"rng": rng_state(), "watch": {"sum": 2.5, "count": 5}}
    monkeypatch.setattr(training_state, "load_state", lambda model: saved)
    (tmp_path / "latest_state.pth").touch()
    opt = Namespace(continue_train=True, epoch="latest", epoch_count=1, batch_size=batch_size)
    watch = LossWatch(tmp_path)
    expected = torch.rand(3)
    progress = restore(Namespace(opt=opt, save_dir=tmp_path), watch)
    assert progress == Progress(epoch=3, batches=done, batch_photos=batch_size, total_iters=94)
    assert done * batch_size <= 14 < (done + 1) * batch_size
    assert torch.equal(torch.rand(3), expected)
    assert watch.end_epoch() == 0.5


@pytest.mark.parametrize(("epoch", "gone"), [("15", {"5"}), ("iter_300", {"iter_100"}), ("latest", set())])
def test_only_the_last_numbered_checkpoints_are_kept(tmp_path, epoch, gone):
    """Of each kind those up to the new one count; later ones, averages' files and others' are judged alike."""
    epochs = {"5", "10", "15", "20", "iter_100", "iter_200", "iter_300", "latest", "best"}
    for name in epochs:
        for net in ("G_A", "G_A_ema", "D_B"):
            (tmp_path / f"{name}_net_{net}.pth").touch()
    drop_old(tmp_path, epoch, keep=0)
    assert len(list(tmp_path.iterdir())) == 3 * len(epochs)
    drop_old(tmp_path, epoch, keep=2)
    left = {path.name.partition("_net_")[0] for path in tmp_path.iterdir()}
    assert left == epochs - gone
    assert len(list(tmp_path.iterdir())) == 3 * len(left)
