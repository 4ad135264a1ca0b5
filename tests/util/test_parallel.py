import os

import pytest

from util.errors import UserError
from util.parallel import bounded_map, process_pool


def square(x: int) -> int:
    return x * x


@pytest.mark.parametrize("workers", [0, 2])
def test_results_come_in_order_and_items_are_taken_as_needed(workers):
    taken = []

    def items():
        for i in range(1000):
            taken.append(i)
            yield i

    with process_pool(workers) as pool:
        results = bounded_map(pool, square, items())
        assert [next(results) for _ in range(10)] == [i * i for i in range(10)]
        assert len(taken) < 50
        assert list(results) == [i * i for i in range(10, 1000)]


def test_a_killed_worker_is_told_in_one_line():
    with pytest.raises(UserError, match="a worker process was killed"), process_pool(1) as pool:
        list(bounded_map(pool, os._exit, [9]))
