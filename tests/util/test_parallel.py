import os
import signal
import subprocess
import sys
import time
from pathlib import Path

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


KILLED = """
import multiprocessing, os, signal
from util.parallel import process_pool
if __name__ == "__main__":
    with process_pool(2) as pool:
        pool.submit(os.getpid).result()
        print(*(process.pid for process in multiprocessing.active_children()), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return (
            Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
        )  # a zombie is nobody's child to wait for
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_end_with_a_killed_parent(tmp_path):
    (tmp_path / "killed.py").write_text(KILLED)
    root = Path(__file__).parents[2]
    with (tmp_path / "pids").open("w") as file:  # a pipe would stay open as long as a worker is there
        command = [sys.executable, tmp_path / "killed.py"]
        code = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(root)}, stdout=file).returncode
    workers = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert workers and code < 0
    for _ in range(500):
        if not any(map(alive, workers)):
            return
        time.sleep(0.02)
    for pid in filter(alive, workers):
        os.kill(pid, signal.SIGKILL)
    raise AssertionError(f"still there: {workers}")
