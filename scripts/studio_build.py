"""Writes the folder of the studio: the page, the networks as ONNX, and the runtime."""

import argparse
import json
import warnings
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from deeplab.browser_models import halved_storage, write_segmenter
from deeplab.segmenters import of_best_segmenter
from models import load_generator
from models.inference.described import described
from models.inference.generator import Generator, GeneratorSettings
from models.lens.exported import RadiusGraph
from models.lens.radius import RadiusNet
from models.lens.settings import LOOK_SIDE
from scripts.export import TOLERANCE, export_program, largest_difference, run_onnx, write_onnx
from scripts.studio_runtime import VERSION, write_runtime
from scripts.studio_sources import PAGE
from util.errors import UserError
from util.files import atomic_path, write_bytes, write_text
from util.hub import run_folder
from util.optics.presets import RADIUS_OF_APERTURE

# By so many values of a result it is checked.
VALUES = 64


def build(args: argparse.Namespace, folder: Path, made_of: str) -> None:
    """Write the studio into `folder`, with `made_of` in it, by which it is known what it was made of.

    Raises:
        UserError: a model that the studio can't show, parts that can't be fetched, a folder of other things.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "studio.json").is_file():
        raise UserError(f"--output {folder}: is not empty and not a studio; choose another folder")
    # Without content until all is written: a studio that was not finished can be built again.
    write_text(folder / "studio.json", "{}")
    settings = GeneratorSettings(radius=args.radius)
    loaded = load_generator(run_folder(args.checkpoints_dir, args.name), args.epoch, settings=settings)
    generator = _write_generator(loaded, folder)
    studio = {
        "name": args.name,
        "made_of": made_of,
        "generator": generator,
        "radius": _write_radius(loaded, folder),
        "segmenter": _write_masks(args.masks, folder) if generator["channels"] == 4 else None,
        "runtime": f"onnxruntime-web {VERSION}, Microsoft, MIT",
    }
    write_runtime(folder / "runtime", args.runtime)
    for file in sorted(PAGE.iterdir()):
        write_bytes(folder / file.name, file.read_bytes())
    # Written last: a folder in which it says this is whole.
    write_text(folder / "studio.json", json.dumps(studio, indent=1))


def _write_generator(generator: Generator, folder: Path) -> dict[str, Any]:
    """Write the generator's network; returns what the page must know of it."""
    facts = described(generator)
    file = folder / "generator.onnx"
    _write_network(generator.net.graph(), facts["channels"], facts["divisor"], file, str(generator.file))
    side = 8 * facts["divisor"]
    check = _check(file, "image", "result", (1, facts["channels"], side, side), {})
    return {"file": file.name, **facts, "check": check}


def _write_radius(generator: Generator, folder: Path) -> dict[str, Any] | None:
    """Write the network that says how much a lens would blur each place, if the generator has one."""
    net = generator.net.radius_net if generator.net.scales_itself else None
    if net is None:
        return None
    graph, file = RadiusGraph(cast(RadiusNet, net)), folder / "radius.onnx"
    _write_network(graph, graph.input_nc, graph.divisor, file, "the radius network")
    return {"file": file.name, "look_side": LOOK_SIDE, "farthest": RADIUS_OF_APERTURE}


def _write_network(net: nn.Module, channels: int, divisor: int, file: Path, source: str) -> None:
    """Write `net` as ONNX, its weights stored in 16 bits.

    Raises:
        UserError: it gives something else there.
    """
    with atomic_path(file) as temporary, warnings.catch_warnings():
        # PyTorch's own, about itself.
        warnings.simplefilter("ignore")
        write_onnx(export_program(net, channels), temporary)
        difference = largest_difference(run_onnx(temporary), torch.no_grad()(net), channels, divisor)
        if not difference <= TOLERANCE[False]:
            raise UserError(f"{source}: as ONNX its results differ by {difference:.1e}; not written")
        onnx.save(halved_storage(onnx.load(temporary)), temporary)


def _write_masks(name: str, folder: Path) -> dict[str, Any]:
    """Write the segmenter that tells the generator its subject; returns what the page must know of it."""

    def write(name: str) -> dict[str, Any]:
        file = folder / f"{name}.onnx"
        with atomic_path(file) as temporary:
            how = write_segmenter(name, temporary)
        zeros = dict.fromkeys((state for state, _ in how["states"]), np.zeros((1, 1, 1, 1), np.float32))
        scalars = {key: np.array(value, np.float32) for key, value in how["constants"].items()}
        shape = (1, min(how["side"], 256), min(how["side"], 256), 3)
        return {
            "file": file.name,
            **how,
            "check": _check(file, how["input"], how["output"], shape, zeros | scalars),
        }

    return of_best_segmenter(write) if name == "auto" else write(name)


def _check(
    file: Path, source: str, result: str, shape: tuple[int, ...], others: dict[str, np.ndarray]
) -> dict[str, Any]:
    """What the network in `file` makes of a wave, by which a page knows whether a GPU computes as it should.

    Returns:
        `shape` of the input, whose value number i is (1 + sin(0.37 i)) / 2, and every `step`-th value of the result.
    """
    wave = (1 + np.sin(0.37 * np.arange(np.prod(shape)))) / 2
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    feeds = {source: wave.astype(np.float32).reshape(shape), **others}
    values = session.run([result], feeds)[0].ravel()
    step = max(1, values.size // VALUES)
    return {"shape": shape, "step": step, "values": [round(float(value), 4) for value in values[::step]]}
