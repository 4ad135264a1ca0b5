"""Photos in the works at once: really beside each other, in order, few of them, and errors in their place."""

from threading import Barrier, Event

import numpy as np
import pytest
import torch
from PIL import Image

from models.inference.folder import translate_folder
from models.inference.side_by_side import side_by_side, threads_for
from util.errors import PhotoError, SomeFailed, UserError


def test_two_run_beside_each_other_on_one_thread_each_and_end_in_order():
    both = Barrier(2, timeout=20)

    def work(number):
        if number < 2:
            both.wait()
        return number, torch.get_num_threads()

    before = torch.get_num_threads()
    with threads_for(2) as pool:
        done = [(item, result()) for item, result in side_by_side(pool, 2, work, range(5), lambda _: 1)]
    assert done == [(number, (number, 1)) for number in range(5)]
    assert torch.get_num_threads() == before


def test_one_photo_has_one_thread_of_pytorch_where_that_is_asked():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        for one_each, threads in ((None, 2), (False, 2), (True, 1)):
            with threads_for(1, one_each) as pool:
                assert pool.submit(torch.get_num_threads).result() == threads
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("pixels", "most"), [(1, 3), (20_000_000, 2), (30_000_000, 1), (90_000_000, 1)])
def test_few_are_in_the_works_and_fewer_large_ones(pixels, most):
    taken = []
    with threads_for(2) as pool:
        items = (taken.append(number) or number for number in range(6))
        for number, result in side_by_side(pool, 2, lambda number: number, items, lambda _: pixels):
            assert result() == number
            # One has been asked for that is not begun.
            assert len(taken) <= min(6, number + most + 1)
    assert taken == list(range(6))


def test_no_others_begin_when_the_block_is_left():
    begun, go_on = [], Event()

    def work(number):
        begun.append(number)
        go_on.wait(20)

    with pytest.raises(KeyboardInterrupt), threads_for(1) as pool:
        for _ in side_by_side(pool, 1, work, range(9), lambda _: 1):
            go_on.set()
            raise KeyboardInterrupt
    assert begun[0] == 0
    assert len(begun) <= 2


class Inverter:
    """Refuses photos as their first pixel says."""

    at_once = 2

    def batch(self, photos, told):
        for photo in photos:
            if photo[0, 0, 0] == 1:
                raise PhotoError("too odd")
            if photo[0, 0, 0] == 2:
                raise UserError("no option for this")
        return [255 - photo for photo in photos]


def make_folder(folder, firsts):
    folder.mkdir()
    for number, first in enumerate(firsts):
        photo = np.random.default_rng(number).integers(3, 256, (6, 8, 3), dtype=np.uint8)
        photo[0, 0, 0] = first
        Image.fromarray(photo).save(folder / f"{number}.png")


def test_photos_that_fail_are_listed_in_order_and_the_others_done(tmp_path, capsys):
    weights = tmp_path / "weights.pth"
    weights.touch()
    make_folder(tmp_path / "photos", [9, 1, 9, 1, 9])
    with pytest.raises(SomeFailed) as caught:
        translate_folder(Inverter(), weights, tmp_path / "photos", tmp_path / "soft")
    assert [line.strip() for line in str(caught.value).splitlines()[1:]] == [
        f"{tmp_path / 'photos' / name}: too odd" for name in ("1.png", "3.png")
    ]
    for number in (0, 2, 4):
        photo = np.asarray(Image.open(tmp_path / "photos" / f"{number}.png"))
        result = np.asarray(Image.open(tmp_path / "soft" / f"{number}.png"))
        np.testing.assert_array_equal(result, 255 - photo)


def test_an_error_of_the_options_ends_it_all(tmp_path):
    weights = tmp_path / "weights.pth"
    weights.touch()
    make_folder(tmp_path / "photos", [9, 2, 9])
    with pytest.raises(UserError, match="no option for this"):
        translate_folder(Inverter(), weights, tmp_path / "photos", tmp_path / "soft")
