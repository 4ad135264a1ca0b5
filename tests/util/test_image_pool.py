"""The history of generated images."""

import random

import torch

from util.image_pool import ImagePool


def images(*values):
    return torch.tensor(values, dtype=torch.float32).view(-1, 1, 1, 1)


def test_a_pool_of_size_zero_hands_images_back():
    x = images(1, 2)
    assert torch.equal(ImagePool(0).query(x), x)


def test_pool_fills_and_then_swaps_half_of_the_images():
    """While it fills it returns what came; then, with probability 1/2, an older image instead of the new one."""
    random.seed(0)
    pool = ImagePool(50)
    first = images(*range(50))
    assert torch.equal(pool.query(first), first)
    older = 0
    for value in range(50, 2050):
        (returned,) = pool.query(images(value)).flatten().tolist()
        older += returned != value
        assert len(pool.images) == 50
    assert 900 < older < 1100


def test_no_image_is_lost_or_doubled():
    random.seed(1)
    pool = ImagePool(5)
    returned = [pool.query(images(value)).item() for value in range(5, 105)]
    kept = [image.item() for image in pool.images]
    firsts = returned[:5]
    assert sorted(returned[5:] + kept) == sorted(firsts + list(range(10, 105)))


def test_results_have_no_gradient():
    x = images(1).requires_grad_()
    assert not ImagePool(2).query(x).requires_grad
    assert not ImagePool(0).query(x).requires_grad


def test_state_round_trip():
    pool, other = ImagePool(3), ImagePool(3)
    pool.query(images(1, 2, 3))
    other.load_state_dict(pool.state_dict(), torch.device("cpu"))
    assert [image.item() for image in other.images] == [1, 2, 3]
