"""Time training steps, data loading and inference, interleaved, as ratios to a plain reference step.

    python scripts/benchmark.py                                        # everything, default networks; long on a CPU
    python scripts/benchmark.py --parts step --small --switches compile   # the small setting's training step alone
    python scripts/benchmark.py --parts step --recipes baseline combined --precisions fp32 bf16 fp16

Prints a table and writes it as JSON. The reference is how the published code took a step: eager float32, every image
through its generator by itself, discriminators not frozen in the generators' step, Adam tensor by tensor.
"""

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import numpy as np
import torch
from PIL import Image

from data import create_dataset
from models import create_model
from models.acceleration import Acceleration, computing_dtype, place
from models.architecture import Architecture
from models.base_model import Losses
from models.cycle_gan_model import CycleGANModel
from models.inference.generator import Generator
from models.inference.large_photos import FullResolution, Tiled
from options import Options, TrainOptions
from util.errors import command_line
from util.files import write_text
from util.ranges import RangedParser, count, positive_int

PARTS = ("data", "step", "inference", "large")
RECIPES = {
    "baseline": [],
    "mask_loss": ["--lambda_mask", "1"],
    "overlay": ["--add_mask"],
    "combined": ["--add_mask", "--lambda_mask", "0.5"],
}
Case = Callable[[], Any]


class ReferenceModel(CycleGANModel):
    """The same formulas, the slow way."""

    def translate(
        self, netG: torch.nn.Module, real: torch.Tensor, other: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        return netG(real), None if other is None else netG(other)

    def optimize_parameters(self) -> Losses:
        self.forward()
        losses = self.generator_losses()
        self.step("G", sum(losses.values()))
        losses["D_A"] = self.discriminator_loss("fake_B", self.netD_A, self.real_B, self.fake_B)
        losses["D_B"] = self.discriminator_loss("fake_A", self.netD_B, self.real_A, self.fake_A)
        self.step("D", losses["D_A"] + losses["D_B"])
        return {name: loss.item() for name, loss in losses.items()}

    def add_optimizer(self, name: str, nets: Sequence[torch.nn.Module]) -> torch.optim.Optimizer:
        optimizer = super().add_optimizer(name, nets)
        for group in optimizer.param_groups:
            group |= {"fused": False, "foreach": False}
        return optimizer


def train_options(arguments: argparse.Namespace, *flags: str) -> Options:
    """Options of a training step of the setting that `arguments` name."""
    setting = ["--ngf", "32", "--ndf", "32", "--netG", "resnet_6blocks"] if arguments.small else []
    size = 128 if arguments.small else 256
    common = ["--load_size", str(size * 286 // 256), "--crop_size", str(size), "--device", arguments.device]
    return TrainOptions().parse(
        ["--dataroot", arguments.dataroot, "--name", "benchmark", *setting, *common, *flags]
    )


def random_batch(opt: Options) -> dict[str, Any]:
    """A batch of noise with round masks."""
    shape = (opt.batch_size, 3, opt.crop_size, opt.crop_size)
    batch = {name: torch.rand(shape) * 2 - 1 for name in ("A", "B")}
    masks = {f"mask_{name}": (batch[name][:, :1] > 0).float() for name in ("A", "B")}
    return batch | masks | {f"{name}_paths": ["noise.png"] * opt.batch_size for name in "AB"}


def step_cases(arguments: argparse.Namespace) -> dict[str, Case]:
    """Training steps: the reference and each combination of switches, per recipe."""
    cases: dict[str, Case] = {}
    for recipe in arguments.recipes:
        reference = train_options(arguments, *RECIPES[recipe], "--precision", "fp32")
        variants = {"reference": (ReferenceModel(reference), reference)}
        for precision in arguments.precisions:
            for flags in ([], ["--channels_last"], ["--compile"]):
                if flags and flags[0][2:] not in arguments.switches:
                    continue
                opt = train_options(arguments, *RECIPES[recipe], "--precision", precision, *flags)
                variants[" ".join([precision, *flags])] = (create_model(opt), opt)
        for name, (model, opt) in variants.items():
            batch = random_batch(opt)
            cases[f"step {recipe} {name}"] = lambda model=model, batch=batch: model.train_step(batch)
    return cases


def generators(arguments: argparse.Namespace) -> dict[str, Generator]:
    """Random generators by precision and switch."""
    found = {}
    for precision in arguments.precisions:
        for compiled in sorted({False, "compile" in arguments.switches}):
            opt = train_options(arguments, *(["--compile"] if compiled else []))
            device = torch.device(opt.device)
            net = Architecture.of_options(opt, 3, 3).build()
            generator = Generator(net, device, computing_dtype(precision, device))
            generator.net = place(generator.net, Acceleration.of_options(opt), device)
            found[f"{precision}{' --compile' if compiled else ''}"] = generator
    return found


def photo(height: int, width: int) -> np.ndarray:
    """A random photo `[height,width,3]`, smooth as photos are."""
    coarse = np.random.default_rng(0).integers(0, 255, (height // 16, width // 16, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def inference_cases(arguments: argparse.Namespace) -> dict[str, Case]:
    """One photo of each size through a generator, from uint8 to uint8."""
    return {
        f"inference {side} {name}": lambda generator=generator, side=side: generator.batch(
            [photo(side, side)]
        )
        for name, generator in generators(arguments).items()
        for side in arguments.sides
    }


def large_cases(arguments: argparse.Namespace) -> dict[str, Case]:
    """A photo of 12 megapixels, in tiles and carried over."""
    generator = next(iter(generators(arguments).values()))
    large = photo(3072, 4096)
    tiled, carried = Tiled(generator, arguments.tile), FullResolution(generator, 286)
    return {
        f"12 Mpx --tile {arguments.tile}": lambda: tiled.batch([large]),
        "12 Mpx --full_res": lambda: carried.batch([large]),
    }


def data_cases(arguments: argparse.Namespace) -> dict[str, Case]:
    """One epoch of loading, without any training."""
    epochs = iter(range(1_000_000))

    def epoch(dataset: Any) -> None:
        dataset.set_epoch(next(epochs))
        for _ in dataset:
            pass

    dataset = create_dataset(train_options(arguments))
    return {f"data {len(dataset)} photos": lambda: epoch(dataset)}


def run(cases: dict[str, Case], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Time all cases in turn, `repetitions` times round after one round to warm up."""
    cuda = arguments.device.startswith("cuda")
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    cpu_seconds: dict[str, list[float]] = {name: [] for name in cases}
    memory: dict[str, float] = {}
    for repetition in range(arguments.repetitions + 1):
        for name, case in cases.items():
            if cuda:
                torch.cuda.reset_peak_memory_stats()
                torch.cuda.synchronize()
            clock, cpu_clock = time.perf_counter(), time.process_time()
            case()
            if cuda:
                torch.cuda.synchronize()
                memory[name] = torch.cuda.max_memory_allocated() / 2**20
            if repetition:
                seconds[name].append(time.perf_counter() - clock)
                cpu_seconds[name].append(time.process_time() - cpu_clock)
    rows = []
    for name, times in seconds.items():
        row = {
            "case": name,
            "seconds": statistics.median(times),
            "fastest": min(times),
            "slowest": max(times),
        }
        row["cpu_seconds"] = statistics.median(cpu_seconds[name])
        if cuda:
            row["peak_MiB"] = memory[name]
        rows.append(row)
    return rows


def add_ratios(rows: list[dict[str, Any]]) -> None:
    """To each step's row, its time relative to the reference of its recipe."""
    references = {row["case"].split()[1]: row for row in rows if row["case"].endswith(" reference")}
    for row in rows:
        if row["case"].startswith("step "):
            reference = references[row["case"].split()[1]]
            row["ratio"] = row["seconds"] / reference["seconds"]
            row["cpu_ratio"] = row["cpu_seconds"] / reference["cpu_seconds"]


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as a Markdown table."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [columns, ["---"] * len(columns)]
    lines += [[format_cell(row.get(column, "")) for column in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def format_cell(value: float | str) -> str:
    """Three digits of a number, text as it is."""
    return value if isinstance(value, str) else f"{value:.3g}"


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = RangedParser(
        description="Time training steps, data loading and inference.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--parts", nargs="+", choices=PARTS, default=["step", "inference", "large"], help="what to time")
    add("--recipes", nargs="+", choices=RECIPES, default=["baseline"], help="recipes whose step is timed")
    add(
        "--precisions",
        nargs="+",
        choices=("fp32", "bf16", "fp16"),
        default=["fp32", "bf16"],
        help="precisions",
    )
    add("--switches", nargs="*", choices=("channels_last", "compile"), default=[], help="switches to try too")
    add("--small", action="store_true", help="ngf 32, 6 blocks, 128 px instead of ngf 64, 9 blocks, 256 px")
    add(
        "--sides",
        nargs="+",
        type=positive_int,
        default=[256, 512, 1024],
        help="sides of photos for inference",
    )
    add("--tile", type=count, default=1024, help="side of the tiles of the large photo")
    add("--repetitions", type=positive_int, default=5, help="timed rounds over all cases")
    add("--threads", type=count, default=0, help="threads of PyTorch on the CPU; 0 = as many as it likes")
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda")
    add("--dataroot", default="none", help="photos for --parts data")
    add("--output", type=Path, default=Path("benchmark.json"), help="file for the figures")
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
    makers = {"data": data_cases, "step": step_cases, "inference": inference_cases, "large": large_cases}
    rows = [row for part in arguments.parts for row in run(makers[part](arguments), arguments)]
    add_ratios(rows)
    machine = {
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if arguments.device.startswith("cuda") else "cpu",
        "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "peak_process_MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(table(rows))
    print(machine)
    write_text(arguments.output, json.dumps({"machine": machine, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
