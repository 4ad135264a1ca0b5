"""The first loss that is not finite, and the epoch's mean."""

from pathlib import Path

import pytest
import torch

from util.errors import UserError
from util.loss_watch import LossWatch


def losses(**values):
    return {name: torch.tensor(value) for name, value in values.items()}


def test_only_the_first_bad_terms_are_named():
    watch = LossWatch(Path("checkpoints/run"))
    watch.add(losses(G_A=1.0, cycle_A=1.0, D_A=1.0))
    watch.check()
    watch.add(losses(G_A=1.0, cycle_A=float("inf"), D_A=1.0))
    watch.add(losses(G_A=float("nan"), cycle_A=float("nan"), D_A=float("nan")))
    with pytest.raises(UserError, match=r"loss cycle_A is not finite"):
        watch.check()


def test_a_checkpoint_is_promised_only_where_one_is(tmp_path):
    watch = LossWatch(tmp_path)
    watch.add(losses(G_A=float("nan")))
    with pytest.raises(UserError, match=r"Nothing was saved before, so begin again") as caught:
        watch.check()
    assert "kept" not in str(caught.value)
    (tmp_path / "latest_state.pth").touch()
    with pytest.raises(UserError, match=r"last good checkpoint is kept .*--continue_train"):
        watch.check()


def test_mean_of_generator_terms_per_epoch_survives_a_resume():
    watch, resumed = LossWatch(Path()), LossWatch(Path())
    watch.add(losses(G_A=1.0, idt_A=2.0, D_A=50.0))
    resumed.load_state_dict(watch.state_dict())
    resumed.add(losses(G_A=3.0, idt_A=4.0, D_A=50.0))
    assert resumed.end_epoch() == pytest.approx(5.0)
    resumed.add(losses(G_A=1.0, idt_A=1.0, D_A=50.0))
    assert resumed.end_epoch() == pytest.approx(2.0)
