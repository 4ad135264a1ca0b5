"""What OpenMP itself says of how threads wait, once PyTorch is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import os
os.getloadavg = lambda: ({load}, 0, 0)
os.cpu_count = lambda: 4
from util.waiting import wait_shortly
wait_shortly()
import torch
"""


@pytest.mark.skipif(sys.platform != "linux", reason="PyTorch comes with GNU's OpenMP on Linux")
@pytest.mark.parametrize(
    ("load", "set_before", "turns"),
    [
        (2.0, {}, "0"),
        (1.9, {}, "1000"),
        (9.0, {"GOMP_SPINCOUNT": "70"}, "70"),
        (1.9, {"OMP_WAIT_POLICY": "PASSIVE"}, "0"),
    ],
)
def test_threads_wait_shortly_and_not_at_all_beside_other_programs(load, set_before, turns):
    unset = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}
    environment = {key: value for key, value in os.environ.items() if key not in unset}
    environment |= {"OMP_DISPLAY_ENV": "verbose", **set_before}
    command = [sys.executable, "-c", RUN.format(load=load)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    line = next(line for line in done.stderr.splitlines() if "GOMP_SPINCOUNT" in line)
    assert f"'{turns}'" in line
