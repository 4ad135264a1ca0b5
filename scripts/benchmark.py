"""Time training steps, data loading and results, interleaved; steps as ratios to a plain reference step.

    python scripts/benchmark.py                                        # default networks; long on a CPU
    python scripts/benchmark.py --parts step --small --switches compile   # the small setting's training step alone
    python scripts/benchmark.py --parts step --recipes baseline combined --precisions fp32 bf16 fp16
    python scripts/benchmark.py --parts lens data photos --write docs/speed.md          # the tables of docs/speed.md
    python scripts/benchmark.py --parts step lens --precisions fp32 bf16 --switches channels_last compile cuda_graphs

Prints a table and writes it as JSON. The reference is how the published code took a step: eager float32, every image
through its generator by itself, discriminators not frozen in the generators' step, Adam tensor by tensor. On a GPU,
`waits` counts how often a step made the CPU wait for it.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import torch

from scripts.benchmark_machine import in_words, table, waits, write_table
from scripts.benchmark_photos import inference_cases, large_cases, photo_cases
from scripts.benchmark_training import RECIPES, SWITCHES, data_cases, lens_cases, step_cases
from util.errors import command_line
from util.files import write_text
from util.ranges import RangedParser, count, positive_int

MAKERS = {
    "data": data_cases,
    "step": step_cases,
    "lens": lens_cases,
    "inference": inference_cases,
    "large": large_cases,
    "photos": photo_cases,
}
Case = Callable[[], Any]


def run(cases: dict[str, Case], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Time all cases in turn, `repetitions` times round after one round to warm up; medians.

    What a case returns as a dict, seconds of the CPU by another process say, is measured as well.
    """
    cuda = arguments.device.startswith("cuda")
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in cases}
    for repetition in range(arguments.repetitions + 1):
        for name, case in cases.items():
            if cuda:
                torch.cuda.reset_peak_memory_stats()
                torch.cuda.synchronize()
            clock, cpu_clock = time.perf_counter(), time.process_time()
            more = case()
            if cuda:
                torch.cuda.synchronize()
            figures = {"seconds": time.perf_counter() - clock, "cpu_seconds": time.process_time() - cpu_clock}
            if cuda:
                figures["peak_MiB"] = torch.cuda.max_memory_allocated() / 2**20
            if repetition:
                measured[name].append(figures | (more if isinstance(more, dict) else {}))
    rows = []
    for name, rounds in measured.items():
        row = {key: statistics.median(figures[key] for figures in rounds) for key in rounds[0]}
        times = [figures["seconds"] for figures in rounds]
        spread = {"fastest": min(times), "slowest": max(times)}
        rows.append({"case": name, "seconds": row.pop("seconds"), **spread, **row})
        if cuda:
            rows[-1]["waits"] = waits(cases[name])
    return rows


def add_ratios(rows: list[dict[str, Any]]) -> None:
    """To each step's row, its time relative to the reference of its recipe."""
    references = {row["case"].split()[1]: row for row in rows if row["case"].endswith(" reference")}
    for row in rows:
        if row["case"].startswith("step "):
            reference = references[row["case"].split()[1]]
            row["ratio"] = row["seconds"] / reference["seconds"]
            row["cpu_ratio"] = row["cpu_seconds"] / reference["cpu_seconds"]


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = RangedParser(
        description="Time training steps, data loading and inference.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--parts", nargs="+", choices=MAKERS, default=["step", "inference", "large"], help="what to time")
    add("--recipes", nargs="+", choices=RECIPES, default=["baseline"], help="recipes whose step is timed")
    add(
        "--precisions",
        nargs="+",
        choices=("fp32", "bf16", "fp16"),
        default=["fp32", "bf16"],
        help="precisions",
    )
    add("--switches", nargs="*", choices=SWITCHES, default=[], help="switches to try too")
    add("--small", action="store_true", help="ngf 32, 6 blocks, 128 px instead of ngf 64, 9 blocks, 256 px")
    add(
        "--sides",
        nargs="+",
        type=positive_int,
        default=[256, 512, 1024],
        help="sides of photos for inference",
    )
    add("--tile", type=count, default=1024, help="side of the tiles of the large photo")
    add("--megapixels", nargs="+", type=positive_int, default=[1, 12, 24], help="sizes for --parts photos")
    add("--photo", type=Path, help="photo for --parts photos; without one, one with nobody in it is made up")
    add("--folder", type=positive_int, default=50, help="photos of the folder of --parts photos")
    add(
        "--masks",
        nargs="*",
        default=["auto", "selfie"],
        help="masks of test.py in --parts photos, for the generator that is told them; none: without it",
    )
    add("--repetitions", type=positive_int, default=5, help="timed rounds over all cases")
    add("--threads", type=count, default=0, help="threads of PyTorch on the CPU; 0 = as many as it likes")
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda")
    add("--dataroot", default="none", help="photos for --parts data; default: some that are made up")
    add("--output", type=Path, default=Path("benchmark.json"), help="file for the figures")
    add("--write", type=Path, help="page whose table between the marks of this script is written anew")
    return parser.parse_args(argv)


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Time what was asked for, print the table, write the JSON."""
    arguments = parse(argv)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    # The reference is true float32: TF32 would be a precision of its own.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    machine = in_words(arguments.device)
    rows = [row for part in arguments.parts for row in run(MAKERS[part](arguments), arguments)]
    add_ratios(rows)
    print(table(rows))
    print(machine)
    write_text(arguments.output, json.dumps({"machine": machine, "rows": rows}, indent=2) + "\n")
    if arguments.write:
        write_table(arguments.write, f"{machine}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
