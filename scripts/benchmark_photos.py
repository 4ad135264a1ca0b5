"""What `scripts/benchmark.py` times of results: generators, and `test.py --input` beside what else one would take."""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from models.acceleration import Acceleration, computing_dtype, place
from models.architecture import Architecture
from models.inference.generator import Generator
from models.inference.large_photos import FullResolution, Tiled
from scripts.benchmark_machine import scratch_folder
from scripts.benchmark_training import train_options
from util.images import read_pixels, write_pixels

ROOT = Path(__file__).resolve().parents[1]
Case = Callable[[], Any]
# Starts a program and prints its CPU seconds and peak memory in KiB. What this process, with PyTorch in it, started
# itself would begin with this one's memory, which the system counts as the other's.
LAUNCHER = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(status != 0)
"""


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


def size_of(megapixels: int) -> tuple[int, int]:
    """Height and width of such a photo, three to four."""
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    return height, height * 4 // 3


def taken(file: Path | None, megapixels: int) -> np.ndarray:
    """The photo in `file` of so many megapixels; without one, a random photo."""
    if not file:
        return photo(*size_of(megapixels))
    pixels = read_pixels(file)
    scale = (megapixels * 1e6 / (pixels.shape[0] * pixels.shape[1])) ** 0.5
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)


def inference_cases(arguments: argparse.Namespace) -> dict[str, Case]:
    """One photo of each size through a generator, from uint8 to uint8."""
    return {
        f"inference {side} {name}": partial(generator.batch, [photo(side, side)])
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


# Other generators don't ask for masks.
TOLD = ("--checkpoints_dir", "pretrained", "--name", "portrait_mask")


def photo_cases(arguments: argparse.Namespace) -> dict[str, Case]:
    """Whole commands, from files to files, as a user starts them: one photo of each size, and a folder."""
    root = scratch_folder()
    peers = [f"{segmenter} {blur}" for segmenter, blur in (("none", "none"), ("selfie", "disc"))]
    if can_run("rembg:u2netp"):
        peers.append("rembg:u2netp gaussian")
    else:
        print(
            "rembg's u2netp is left out: the package or its weights can't be had (pip install 'rembg[cpu]')"
        )
    cases: dict[str, Case] = {}
    for megapixels in arguments.megapixels:
        one, many = root / f"{megapixels}" / "one", root / f"{megapixels}" / "many"
        pixels = taken(arguments.photo, megapixels)
        for folder, count in ((one, 1), (many, arguments.folder)):
            folder.mkdir(parents=True)
            for number in range(count):
                write_pixels(pixels, folder / f"{number}.jpg")
        for source, title in ((one, "1 photo"), (many, f"folder of {arguments.folder}")):
            name = f"{megapixels} Mpx, {title}:"
            cases[f"{name} test.py"] = command(["test.py", "--overwrite"], source, root)
            for masks in arguments.masks:
                words = ["test.py", *TOLD, "--masks", masks, "--overwrite"]
                cases[f"{name} test.py --masks {masks}"] = command(words, source, root)
            for peer in peers:
                segmenter, blur = peer.split()
                words = ["scripts/peer_blur.py", "--segmenter", segmenter, "--blur", blur]
                title = "read and write alone" if segmenter == "none" else f"{segmenter} and {blur}"
                cases[f"{name} {title}"] = command(words, source, root)
    return cases


def can_run(segmenter: str) -> bool:
    """Whether `segmenter` is there with its weights."""
    from deeplab.segmenters import create_segmenter
    from util.errors import UserError

    try:
        create_segmenter(segmenter)
    except UserError:
        return False
    return True


def command(words: list[str], source: Path, root: Path) -> Case:
    """What runs a program of this project on the photos in `source`, and returns its CPU seconds and peak memory."""

    count = len(list(source.iterdir())) if source.is_dir() else 1

    def run() -> dict[str, float]:
        clock = time.perf_counter()
        arguments = [*words, "--input", str(source), "--output", str(root / "results")]
        launched = [sys.executable, "-c", LAUNCHER, sys.executable, *arguments]
        process = subprocess.run(launched, cwd=ROOT, capture_output=True, text=True, errors="replace")
        if process.returncode:
            raise RuntimeError(f"{' '.join(arguments)}: {process.stderr[-2000:]}")
        cpu_seconds, peak = map(float, process.stdout.split())
        return {
            "cpu_seconds": cpu_seconds,
            "peak_MiB": peak / 1024,
            "seconds_a_photo": (time.perf_counter() - clock) / count,
        }

    return run
