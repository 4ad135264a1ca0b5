"""Page faults, as the system counts them: memory that stays needs no clearing."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import resource
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from util.memory import keep_freed_memory
{call}


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def work(_):
    [np.ones(size, np.uint8) for size in range(1_000_000, 9_000_000, 500_000)]


with ThreadPoolExecutor(2) as pool:
    list(pool.map(work, range(4)))
    before = faults()
    list(pool.map(work, range(30)))
    print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc's malloc")
def test_freed_memory_is_taken_again():
    faults = []
    for call in ("", "keep_freed_memory()"):
        command = [sys.executable, "-c", RUN.format(call=call)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        faults.append(int(done.stdout))
    assert 5 * faults[1] < faults[0]
