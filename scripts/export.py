"""Export a trained generator for use without this project.

    python scripts/export.py --name portraits --output portraits.onnx           # onnxruntime, any platform
    python scripts/export.py --name portraits --output portraits.pt2            # PyTorch: torch.export.load
    python scripts/export.py --name portraits --output portraits.onnx --half    # half the size of the file
    python scripts/export.py --name lens --output weights.onnx                  # of a lens, its weights network
    python scripts/export.py --name lens --generator P --output radius.onnx     # its radius network

Input `image` `[B,C,H,W]` and output `result` `[B,C',H',W']` are float32, of any batch and any size. Before the file
counts as written, its results are compared with the checkpoint's. `scripts/use_onnx.py` shows its use; docs/python.md
says what a lens's networks take and give.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.export import Dim, ExportedProgram
from torch.fx.experimental import _config as fx_config

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models import load_generator
from models.inference.generator import averaged_file
from models.lens.exported import RadiusGraph
from models.lens.radius import load_radius_net
from util.checkpoint import checkpoint_file
from util.errors import UserError, command_line
from util.files import atomic_path
from util.hub import run_folder
from util.present import present

# Batch, height, width: a usual crop, odd sides, less than the padding brings it to. One beyond what a U-Net halves
# to a single pixel is added for each network.
PARITY_SIZES = ((1, 64, 64), (2, 51, 77), (1, 5, 130))

# Largest difference in [-1,1]. Half precision has 11 bits, and a network of 60 layers loses a few of them.
TOLERANCE = {False: 1e-4, True: 5e-2}


class HalfInside(nn.Module):
    """Computes in float16; float32 in and out, so that callers need not care."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net.half()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """`[B,C,H,W] in [-1,1]` -> `[B,C',H,W] in [-1,1]`."""
        return self.net(image.half()).float()


def export_program(net: nn.Module, channels: int) -> ExportedProgram:
    """Trace `net`, which takes images of any size, with free batch, height and width."""
    example = torch.zeros(2, channels, 50, 37)
    free = {0: Dim.DYNAMIC, 2: Dim.DYNAMIC, 3: Dim.DYNAMIC}
    # Oblivious, or a U-Net, whose innermost level is a single pixel here, is only good for sizes where it is so.
    with fx_config.patch(  # type: ignore[attr-defined]  # put there when torch starts
        backed_size_oblivious=True
    ):
        return torch.export.export(net, (example,), dynamic_shapes=(free,))


def write_onnx(program: ExportedProgram, path: Path) -> None:
    """Write `program` as one ONNX file, weights included."""
    exported = torch.onnx.export(
        program, input_names=["image"], output_names=["result"], dynamo=True, verbose=False
    )
    present(exported).save(path, external_data=False)


def write_pt2(program: ExportedProgram, path: Path) -> None:
    """Write `program` for `torch.export.load`."""
    torch.export.save(program, path)


def run_onnx(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The network in `path` as a function of arrays."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda image: session.run(None, {"image": image})[0]


def run_pt2(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The network in `path` as a function of arrays."""
    net = torch.export.load(path).module()
    return lambda image: net(torch.from_numpy(image)).detach().numpy()


FORMATS = {".onnx": (write_onnx, run_onnx), ".pt2": (write_pt2, run_pt2)}


def largest_difference(
    exported: Callable[[np.ndarray], np.ndarray],
    reference: Callable[[torch.Tensor], torch.Tensor],
    channels: int,
    divisor: int,
) -> float:
    """Largest |exported - reference| over random images of `PARITY_SIZES` and of more than `divisor` pixels."""
    rng = np.random.default_rng(0)
    differences = []
    for batch, height, width in (*PARITY_SIZES, (1, divisor + 1, 2 * divisor + 3)):
        image = rng.uniform(-1, 1, (batch, channels, height, width)).astype(np.float32)
        differences.append(np.abs(exported(image) - reference(torch.from_numpy(image)).numpy()).max())
    return float(max(differences))


def load_graph(folder: Path, epoch: str, name: str) -> Any:
    """What is exported of the checkpoint: a module with its `input_nc` and `divisor`.

    Raises:
        UserError: no such checkpoint, or not the network that its name says.
    """
    if name == "P":
        return RadiusGraph(load_radius_net(averaged_file(checkpoint_file(folder, epoch, "P"))))
    return load_generator(folder, epoch, name).net.graph()


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--name", required=True, help="name of the experiment")
    parser.add_argument("--checkpoints_dir", default="./checkpoints", help="where checkpoints are kept")
    parser.add_argument("--epoch", default="latest", help="which checkpoint")
    parser.add_argument("--generator", default="", help="G_A, G_B, G or P; default: the one towards domain B")
    parser.add_argument("--output", type=Path, required=True, help="file to write, .onnx or .pt2")
    parser.add_argument("--half", action="store_true", help="weights and computation in float16")
    return parser.parse_args(argv)


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Export, compare with the checkpoint, and report."""
    args = parse(argv)
    if args.output.suffix not in FORMATS:
        raise UserError(f"--output {args.output}: the name must end in {' or '.join(FORMATS)}")
    folder = run_folder(args.checkpoints_dir, args.name)
    graph, copy = (load_graph(folder, args.epoch, args.generator) for _ in range(2))
    channels = graph.input_nc
    write, run = FORMATS[args.output.suffix]
    net = HalfInside(copy) if args.half else copy
    with atomic_path(args.output) as temporary:
        write(export_program(net, channels), temporary)
        difference = largest_difference(run(temporary), torch.no_grad()(graph), channels, graph.divisor)
        if not difference <= TOLERANCE[args.half]:
            raise UserError(
                f"{args.output}: not written, its results differ from the checkpoint's by {difference:.1e} (of a "
                "range of 2)"
            )
    size = args.output.stat().st_size / 1e6
    print(f"{args.output}: {size:.1f} MB, differs from the checkpoint by {difference:.1e} at most")


if __name__ == "__main__":
    main()
