"""The subject's place in the losses and in the picture: cut-out, overlay, mask loss."""

import torch
import torch.nn.functional as F

from models.losses.vgg import VGG19MaskLoss
from util.optics.sharpness import OUTLINE, grown
from util.options import Options
from util.present import present


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


def paste(fake: torch.Tensor, real: torch.Tensor, m: torch.Tensor | None, opt: Options) -> torch.Tensor:
    """The overlay where `opt` switches it on, in training or at test, else `fake` itself."""
    return overlay(fake, real, present(m)) if opt.add_mask else fake


class MaskLosses:
    """The mask loss of `opt`, the distance of two subjects, cut out on black; nothing with `--lambda_mask 0`.

        mask = weight * lambda_mask * L1(cutout(own, m), cutout(real, m))
        vgg  = lambda_mask * 2 * L1(phi(cutout(own, m)), phi(cutout(real, m)))    with `--vgg19_loss`; phi is VGG19

    `weight` is lambda_A or lambda_B of the cycle beside it, lambda_L1 of pairs; 10 in cut, 1 in lens.
    """

    def __init__(self, opt: Options):
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
