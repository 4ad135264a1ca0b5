"""The bar of an epoch: where it begins, and the speed that it knows."""

from util import epoch_bar
from util.epoch_bar import EpochBar


def test_speed_is_that_since_it_was_last_asked(monkeypatch):
    clock = iter([10.0, 12.0, 17.0])
    monkeypatch.setattr(epoch_bar.time, "perf_counter", lambda: next(clock))
    bar = EpochBar(epoch=2, photos=50, done=20, shown=False)
    assert (bar.n, bar.total) == (20, 50)
    bar.count(4)
    bar.count(6)
    assert bar.images_per_s() == 5
    bar.count(1)
    assert bar.images_per_s() == 0.2


def test_a_longer_epoch_of_an_earlier_call_fills_the_bar():
    assert EpochBar(epoch=1, photos=5, done=8, shown=False).n == 5
