"""Networks by name: the options that choose them, and what fits together."""

import re
from argparse import ArgumentParser
from typing import Literal, NamedTuple

from models.lens.settings import add_lens_options
from util.errors import UserError
from util.options import Options
from util.ranges import non_negative, positive_int
from util.renamed import renamed


class NetG(NamedTuple):
    """What a name of `--netG` stands for.

    Args:
        family: which class of `models.nets` it is.
        depth: residual blocks of a ResNet, halvings of the size in a U-Net; fixed, 0, in an effnet.
    """

    family: Literal["resnet", "unet", "effnet"]
    depth: int = 0


GENERATORS = {
    "resnet_9blocks": NetG("resnet", 9),
    "resnet_6blocks": NetG("resnet", 6),
    "unet_256": NetG("unet", 8),
    "unet_128": NetG("unet", 7),
    "effnet_lite0": NetG("effnet"),
}
DISCRIMINATORS = ("basic", "n_layers", "pixel")
NORMS = ("instance", "batch", "syncbatch", "none")
NORMS_D = (*NORMS, "spectral")
UPSAMPLERS = ("transpose", "resize")
INITS = ("normal", "xavier", "kaiming", "orthogonal")
OUTPUT_MODES = ("image", "residual", "lens")
LR_POLICIES = ("linear", "step", "plateau", "cosine")

# Pixels: after two halvings, a block still reflects its borders by one.
LEAST_CROP = 8


def kind_of(netG: str) -> NetG:
    """What `netG` is: one of `GENERATORS`, or a ResNet of another number of blocks, as files of others may hold."""
    blocks = re.fullmatch(r"resnet_(\d+)blocks", netG)
    return NetG("resnet", int(blocks[1])) if blocks else GENERATORS[netG]


def add_network_options(parser: ArgumentParser) -> None:
    """Which networks are trained, and what generators give out; the same for every model."""
    add = parser.add_argument_group("networks").add_argument
    add("--ngf", type=positive_int, default=64, help="channels of the generator's first layer")
    add("--ndf", type=positive_int, default=64, help="channels of the discriminator's first layer")
    add("--netG", "--which_model_netG", choices=GENERATORS, default="resnet_9blocks", help="generator")
    add("--netD", "--which_model_netD", choices=DISCRIMINATORS, default="basic", help="discriminator")
    add("--n_layers_D", type=positive_int, default=3, help="layers of the discriminator with --netD n_layers")
    add(
        "--norm",
        # Instance norm looks at one image at a time, on whatever rank.
        type=renamed(sync_batch="syncbatch", sync_instance="instance"),
        choices=NORMS,
        default="instance",
        help="normalisation layers",
    )
    add("--norm_D", choices=NORMS_D, help="normalisation of the discriminator; default: that of --norm")
    add(
        "--upsample",
        choices=UPSAMPLERS,
        default="transpose",
        help="how a ResNet gets back to full size; resize prints no grids",
    )
    add("--antialias", action="store_true", help="blur before a ResNet halves the size")
    add("--init_type", choices=INITS, default="normal", help="distribution of the first weights")
    add("--init_gain", type=non_negative, default=0.02, help="scale of the first weights")
    add("--no_dropout", action="store_true", help="no dropout in the generator")
    add("--dropout", dest="no_dropout", action="store_false", help="dropout in the generator")

    add = parser.add_argument_group("output of the generator").add_argument
    add(
        "--output_mode",
        choices=OUTPUT_MODES,
        default="image",
        help="what the generator's output is: the image, a change to its input, or the weights of a lens blur",
    )
    add_lens_options(parser)
    parser.add_argument(
        "--encoder_weights",
        default="",
        help="--netG effnet_lite0, --model radius: file with ImageNet weights; default: those of its package",
    )


def check_network_options(opt: Options) -> None:
    """Raise a `UserError` where a generator can't have what else is asked of it."""
    generator = GENERATORS[opt.netG]
    sides = 2**generator.depth
    if generator.family == "unet" and ("crop" not in opt.preprocess or opt.crop_size % sides):
        raise UserError(
            f"--netG {opt.netG} needs photos whose sides are multiples of {sides}: set --crop_size, and a "
            "--preprocess that ends in crop"
        )
    if generator.family != "resnet" and (opt.upsample != "transpose" or opt.antialias):
        raise UserError(f"--netG {opt.netG}: --upsample and --antialias are for ResNets")


def check_crop(opt: Options) -> None:
    """Check that crops are large enough for a generator that paints and for a patch of the discriminator.

    Raises:
        UserError: they are not; the line says what is.
    """
    if "crop" not in opt.preprocess:
        return
    if opt.output_mode != "lens" and opt.crop_size < LEAST_CROP:
        raise UserError(
            f"--crop_size {opt.crop_size}: too small for a generator, which needs at least {LEAST_CROP}"
        )
    # Each layer with stride 2 halves the sides, and two more layers take a pixel each.
    layers = 3 if opt.netD == "basic" else opt.n_layers_D
    if opt.netD != "pixel" and opt.crop_size >> layers < 3:
        raise UserError(
            f"--crop_size {opt.crop_size}: too small for --netD {opt.netD} with {layers} layers, which needs at least "
            f"{3 << layers}; --netD pixel takes less"
        )
