"""The machine of a benchmark in words, its waits for a GPU, and tables."""

import atexit
import os
import platform
import re
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from util.marked import write_between

BEGIN, END = "<!-- made by scripts/benchmark.py -->", "<!-- end -->"


def in_words(device: str) -> str:
    """Processor, memory, versions, and how busy other programs keep the processor."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parts = [f"{_processor()}, {cores} cores, {torch.backends.cpu.get_cpu_capability()}"]
    if hasattr(os, "sysconf"):
        parts.append(f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB of memory")
    if device.startswith("cuda"):
        parts.append(torch.cuda.get_device_name())
    parts.append(f"Python {platform.python_version()}, PyTorch {torch.__version__}")
    parts.append(f"{torch.get_num_threads()} threads")
    if hasattr(os, "getloadavg"):
        parts.append(f"{os.getloadavg()[1]:.1f} other programs were running")
    return f"{'; '.join(parts)}; {time.strftime('%Y-%m-%d')}."


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", information.read_text()) if information.is_file() else None
    return found[1] if found else platform.processor() or platform.machine()


def scratch_folder() -> Path:
    """A new folder for photos and results of a benchmark, which goes with the program."""
    folder = Path(tempfile.mkdtemp(prefix="benchmark_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def waits(case: Callable[[], Any]) -> int:
    """How often `case` makes the CPU wait for the GPU, as `torch.cuda.set_sync_debug_mode` tells."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            case()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(warning.message) for warning in caught)


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as a Markdown table."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [columns, ["---"] * len(columns)]
    lines += [[_cell(row.get(column, "")) for column in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: float | str) -> str:
    """Three digits of a number, text as it is."""
    if isinstance(value, str):
        return value
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write_table(page: Path, text: str) -> None:
    """Put `text` between the marks in `page`, blank lines around it.

    Raises:
        UserError: no such page, or no marks in it.
    """
    write_between(page, BEGIN, END, f"\n{text}\n")
