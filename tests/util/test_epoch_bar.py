"""The bar of an epoch: where it begins, and the speed that it knows."""

import pytest

from util import epoch_bar
from util.epoch_bar import EpochBar
from util.pace import duration


def test_speed_is_that_since_it_was_last_asked(monkeypatch):
    clock = iter([10.0, 12.0, 17.0])
    monkeypatch.setattr(epoch_bar.time, "perf_counter", lambda: next(clock))
    bar = EpochBar(epoch=2, photos=50, done=20, shown=False)
    assert (bar.n, bar.total) == (20, 50)
    bar.count(4)
    bar.count(6)
    assert bar.pace().images_per_s == 5
    bar.count(1)
    assert bar.pace().images_per_s == 0.2


def test_waiting_for_photos_is_told_from_computing_and_the_rest_of_the_run_foreseen(monkeypatch):
    """2 s to load and 3 s to compute a batch of 4; 50 - 20 - 8 photos of this epoch and 3 more epochs are left."""
    now = 0.0

    def batches():
        nonlocal now
        for number in range(2):
            now += 2
            yield number

    monkeypatch.setattr(epoch_bar.time, "perf_counter", lambda: now)
    bar = EpochBar(epoch=2, photos=50, done=20, shown=False, epochs_after=3)
    for _ in bar.timed(batches()):
        now += 3
        bar.count(4)
    pace = bar.pace()
    assert (pace.loading_s, pace.computing_s) == (4, 6)
    assert pace.left_s == pytest.approx((22 + 150) / 0.8)
    assert pace.text() == "0.8 images/s, loading 4 s, computing 6 s, 3 min 35 s left"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.6, "1 min 0 s"), (7260, "2 h 1 min"), (3 * 86400 + 3599, "3 d 0 h")],
)
def test_durations_have_two_units(seconds, text):
    assert duration(seconds) == text


def test_a_longer_epoch_of_an_earlier_call_fills_the_bar():
    assert EpochBar(epoch=1, photos=5, done=8, shown=False).n == 5
