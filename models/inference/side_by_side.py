"""Photos computed beside each other: much of the work on one photo keeps one core busy alone."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

import torch

R = TypeVar("R")
T = TypeVar("T")

# Pixels of all photos in the works, unless one alone has more: they take some 40 bytes each.
MOST_PIXELS = 50_000_000


class Running(NamedTuple):
    """Something in the works: its result when it is there, and how many pixels it has."""

    future: Future
    pixels: int


@contextmanager
def threads_for(at_once: int, one_each: bool | None = None) -> Iterator[ThreadPoolExecutor]:
    """A pool for `at_once` photos; PyTorch computes each on one thread if `one_each`; default: where they are several.

    Leaving the block ends when the photos in the works are done, and begins no others.
    """
    before = torch.get_num_threads()
    one_each = at_once > 1 if one_each is None else one_each
    bounded = (torch.set_num_threads, (1,)) if one_each else (None, ())
    pool = ThreadPoolExecutor(at_once, "photo", *bounded)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(before)


def side_by_side(
    pool: ThreadPoolExecutor,
    at_once: int,
    function: Callable[[T], R],
    items: Iterable[T],
    pixels_of: Callable[[T], int],
) -> Iterator[tuple[T, Callable[[], R]]]:
    """Each of `items` in order, with what waits for its `function(item)` and returns it or raises.

    One more than `at_once` are in the works, so that no thread waits for the next; fewer if they are large.
    """
    waiting: deque[tuple[T, Running]] = deque()
    for item in items:
        pixels = pixels_of(item)
        while waiting and (
            len(waiting) > at_once or pixels + sum(running.pixels for _, running in waiting) > MOST_PIXELS
        ):
            first, running = waiting.popleft()
            yield first, running.future.result
        waiting.append((item, Running(pool.submit(function, item), pixels)))
    while waiting:
        first, running = waiting.popleft()
        yield first, running.future.result
