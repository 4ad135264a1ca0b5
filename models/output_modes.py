"""What a generator's last layer means: the image itself, a change to the input, or a lens's weights."""

import argparse

import torch
from torch import nn

from models.lens.generator import LensGenerator
from models.networks import define_G

OUTPUT_MODES = ("image", "residual", "lens")


class ResidualGenerator(nn.Module):
    """`x + net(x)`, cut to [-1,1]: the network paints the difference to its input."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net
        self.divisor = net.divisor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x + self.net(x)).clamp(-1, 1)


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Options of what generators give out; the same for every model."""
    add = parser.add_argument_group("output of the generator").add_argument
    add(
        "--output_mode",
        choices=OUTPUT_MODES,
        default="image",
        help="what the generator's output is: the image, a change to its input, or the weights of a lens blur",
    )
    add(
        "--lens_radii",
        type=float,
        nargs="+",
        default=[2.0, 4.0, 8.0],
        help="lens: radii of the blurred copies, in pixels of a photo whose shorter side is 256",
    )
    add(
        "--weights_size",
        type=int,
        default=128,
        help="lens: shorter side, in pixels, at which the generator sees the whole photo",
    )
    add(
        "--train_weights_size",
        type=int,
        help="lens: that side in training; three quarters of it suit zooms up to 1.4; default: the same",
    )
    add(
        "--focus_range",
        type=float,
        nargs=2,
        default=[0.0, 1.0],
        metavar=("LOW", "HIGH"),
        help="lens, at test: in-focus weights below LOW count as 0, above HIGH as 1, where pixels stay as they are",
    )
    add(
        "--lens_light",
        choices=("linear", "srgb"),
        default="linear",
        help="lens: what is blurred, linear light as by a real lens, or sRGB values, which keeps every mean colour",
    )
    add(
        "--soft_range",
        type=float,
        nargs=2,
        default=[0.0, 0.0],
        metavar=("LOW", "HIGH"),
        help="lens: backgrounds whose mean gradient (luma in [0,1], per pixel at 256 pixels) is below LOW are not "
        "blurred, above HIGH in full, between by its logarithm; the lower fifth and the median of shallow photos are "
        "good; 0 0 = all in full",
    )
    add(
        "--encoder_weights",
        default="",
        help="--netG effnet_lite0: file with ImageNet weights; default: those of its package",
    )


def make_generator(input_nc: int, output_nc: int, opt: argparse.Namespace) -> nn.Module:
    """The generator that the options ask for, with PyTorch's default weights."""
    lens = opt.output_mode == "lens"
    net = define_G(
        input_nc,
        1 + len(opt.lens_radii) if lens else output_nc,
        opt.ngf,
        opt.netG,
        opt.norm,
        not opt.no_dropout,
        opt.upsample,
        opt.antialias,
    )
    if lens:
        return LensGenerator(
            net,
            opt.lens_radii,
            opt.weights_size,
            opt.focus_range,
            opt.lens_light == "linear",
            opt.soft_range,
            opt.train_weights_size,
        )
    return ResidualGenerator(net) if opt.output_mode == "residual" else net
