"""What makes steps faster or smaller and leaves their formulas alone: the options of `models.acceleration`."""

from argparse import ArgumentParser

from models.options.networks import GENERATORS
from util.errors import UserError
from util.options import Options
from util.ranges import decay, positive_int

PRECISIONS = ("auto", "fp32", "bf16", "fp16")


def add_acceleration_options(parser: ArgumentParser, is_train: bool) -> None:
    """Switches for training and for testing."""
    add = parser.add_argument_group("speed and memory").add_argument
    add(
        "--precision",
        choices=PRECISIONS,
        default="fp32",
        help="what convolutions compute in; auto: bf16 where the hardware does it natively, else fp32",
    )
    add("--channels_last", action="store_true", help="keep a pixel's channels together in memory")
    add("--compile", action="store_true", help="compile the networks with torch.compile; slow first step")
    if not is_train:
        return
    add(
        "--cuda_graphs",
        action="store_true",
        help="compile, and record the kernels of a network as a CUDA graph, which starts them all at once; on a GPU",
    )
    add(
        "--accumulate",
        type=positive_int,
        default=1,
        help="take each batch in so many parts, one after the other",
    )
    add(
        "--checkpoint_activations",
        action="store_true",
        help="recompute a ResNet's activations in the backward pass instead of keeping them",
    )
    add(
        "--ema",
        type=decay,
        default=0.0,
        help="average generators over steps with this decay, 0.999 say, for testing; 0 = off",
    )


def check_acceleration_options(opt: Options) -> None:
    """Raise a `UserError` for training options that can't work together."""
    if opt.accumulate > opt.batch_size:
        raise UserError(
            f"--accumulate {opt.accumulate} splits a batch of {opt.batch_size}; raise --batch_size, which counts the "
            "photos of a whole step"
        )
    if opt.checkpoint_activations and GENERATORS[opt.netG].family != "resnet":
        raise UserError(f"--checkpoint_activations works with --netG resnet_..., not with {opt.netG}")
    if opt.checkpoint_activations and "batch" in opt.norm:
        raise UserError(
            f"--checkpoint_activations with --norm {opt.norm} would count each batch twice; use --norm instance"
        )
    penalty = opt.gan_mode == "wgangp" or getattr(opt, "lambda_R1", 0) > 0
    if (opt.compile or opt.cuda_graphs) and penalty:
        switch = "--compile" if opt.compile else "--cuda_graphs"
        raise UserError(
            f"gradient penalties need second derivatives, which {switch} does not have; leave it out"
        )
    if opt.precision == "fp16" and penalty:
        raise UserError("gradient penalties leave fp16's range; use --precision bf16")


def check_device(opt: Options) -> None:
    """Raise a `UserError` for training options that the device, found by now, can't follow."""
    if opt.cuda_graphs and not opt.device.startswith("cuda"):
        raise UserError(f"--cuda_graphs needs a GPU, not --device {opt.device}; leave it out")
