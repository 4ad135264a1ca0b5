"""The subject's place in the losses and in the picture: cut-out, overlay, and the options that switch them."""

from argparse import ArgumentParser, Namespace

import torch
import torch.nn.functional as F

from models.losses.vgg import VGG19MaskLoss
from util.errors import UserError
from util.optics.sharpness import OUTLINE, grown
from util.present import present
from util.ranges import non_negative


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


def paste(fake: torch.Tensor, real: torch.Tensor, m: torch.Tensor | None, opt: Namespace) -> torch.Tensor:
    """The overlay where `opt` switches it on, in training or at test, else `fake` itself."""
    return overlay(fake, real, present(m)) if opt.add_mask else fake


class MaskLosses:
    """The mask loss of `opt`: `lambda_mask` times the distance of two subjects, cut out on black.

    Calls return `mask`, the L1 distance, times `weight` of the image loss beside it, and with `--vgg19_loss` `vgg`,
    the distance of VGG19 features; nothing when the mask loss is off.
    """

    def __init__(self, opt: Namespace):
        self.lambda_mask: float = opt.lambda_mask
        self.vgg = VGG19MaskLoss(opt.vgg19_weights).to(opt.device) if opt.vgg19_loss else None

    def __call__(
        self, own: torch.Tensor, real: torch.Tensor, m: torch.Tensor | None, weight: float
    ) -> dict[str, torch.Tensor]:
        """Between the generator's `own` output, before any overlay, and `real`; shapes as in `cutout`."""
        if self.lambda_mask == 0:
            return {}
        own_subject, real_subject = (cutout(x, present(m)) for x in (own, real))
        losses = {"mask": weight * self.lambda_mask * F.l1_loss(own_subject, real_subject)}
        if self.vgg is not None:
            losses["vgg"] = self.lambda_mask * self.vgg(own_subject, real_subject)
        return losses


def hide_subjects(x: torch.Tensor, *masks: torch.Tensor, margin: int = OUTLINE) -> torch.Tensor:
    """`x` with mid-grey over all subjects of `masks`, each grown by `margin` pixels; shapes as in `cutout`.

    Nothing of `x` is left where a mask is 1. The margin takes in what a mask misses of its subject and hair; outside
    of it is what evaluate.py calls background (grown by as much, there along a disc).
    """
    union = torch.stack(masks).amax(dim=0)
    return x * (1 - grown(union, margin))


def add_mask_options(parser: ArgumentParser) -> None:
    """Options of the mask overlay and the mask loss, the same for every model that has them."""
    parser.add_argument(
        "--add_mask",
        action="store_true",
        help="mask overlay: paste the real subject over generated images in training",
    )
    parser.add_argument(
        "--lambda_mask",
        type=non_negative,
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


def masks_needed(opt: Namespace) -> bool:
    """Whether training with `opt` reads masks."""
    return opt.add_mask or opt.lambda_mask > 0


def check_mask_options(opt: Namespace) -> None:
    """Raise a `UserError` where the options of `add_mask_options` contradict each other."""
    if opt.vgg19_loss and opt.lambda_mask == 0:
        raise UserError(
            "--vgg19_loss is a part of the mask loss; give its weight with --lambda_mask, 1.0 say"
        )
