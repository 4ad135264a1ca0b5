"""Work spread over processes: bounded memory, results in order, a clean end on Ctrl-C."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

from util.errors import UserError
from util.present import present

T = TypeVar("T")
R = TypeVar("R")


def _begin_worker() -> None:
    """Leave Ctrl-C, which reaches the whole process group, to the parent, and end when the parent is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    present(multiprocessing.parent_process()).join()
    # The main thread waits for work that nobody sends any more.
    os._exit(1)


@contextmanager
def process_pool(workers: int) -> Iterator[Executor | None]:
    """A pool of `workers` fresh processes; None for 0, which `bounded_map` takes as "in this process".

    Processes are spawned, not forked: the parent may hold threads of TensorFlow or torch.

    Raises:
        UserError: a worker was killed, as happens when memory runs out.
    """
    if workers == 0:
        yield None
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)
    for _ in range(workers):
        # Start them now, while this process still loads its model.
        pool.submit(int)
    try:
        yield pool
    except BrokenProcessPool:
        raise UserError(
            "a worker process was killed, as when memory runs out; try fewer processes (--num_workers, --num_threads)"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def bounded_map(pool: Executor | None, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield `function(item)` for each item, in order, with few items in the works however many there are."""
    if pool is None:
        yield from map(function, items)
        return
    ahead = 32
    waiting: deque[Future[R]] = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
