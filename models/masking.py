"""The subject's place in the losses and in the picture: cut-out, overlay, and the options that switch them."""

import argparse

import torch

from util.errors import UserError


def cutout(x: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
    """The subject on black: `m*(x+1) - 1`.

    Args:
        x: `[B,C,H,W] in [-1,1]`.
        m: `[B,1,H,W] in [0,1]`, 1 = subject.
    """
    return m * (x + 1) - 1


def overlay(fake: torch.Tensor, real: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
    """The real subject pasted over the generated image: `m*real + (1-m)*fake`; shapes as in `cutout`."""
    return m * real + (1 - m) * fake


def add_mask_options(parser: argparse.ArgumentParser) -> None:
    """Options of the mask overlay and the mask loss, the same for every model that has them."""
    parser.add_argument(
        "--add_mask",
        action="store_true",
        help="mask overlay: paste the real subject over generated images in training",
    )
    parser.add_argument(
        "--lambda_mask",
        type=float,
        default=0.0,
        help="weight of the mask loss between the real and the generated subject; 0 = off (published: 1.0 alone, "
        "0.5 with --add_mask)",
    )
    parser.add_argument(
        "--vgg19_loss", action="store_true", help="add the mask loss on VGG19 features; needs --lambda_mask"
    )
    parser.add_argument(
        "--vgg19_weights",
        default="",
        help="file with torchvision's VGG19 weights, for machines without internet; default: download once",
    )


def masks_needed(opt: argparse.Namespace) -> bool:
    """Whether training with `opt` reads masks."""
    return opt.add_mask or opt.lambda_mask > 0


def check_mask_options(opt: argparse.Namespace) -> None:
    """Raise a `UserError` where the options of `add_mask_options` contradict each other."""
    if opt.lambda_mask < 0:
        raise UserError(f"--lambda_mask {opt.lambda_mask}: must not be negative")
    if opt.vgg19_loss and opt.lambda_mask == 0:
        raise UserError(
            "--vgg19_loss is a part of the mask loss; give its weight with --lambda_mask, 1.0 say"
        )
