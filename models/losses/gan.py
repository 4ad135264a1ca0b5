"""Adversarial losses and their penalties, the papers' constants as defaults."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from models.losses.diffaugment import augment
from models.options.adversary import parse_policy
from util.options import Options
from util.tensors import at_least_float32


class GANLoss(nn.Module):
    """How far D's logits are from calling the images real or fake; a mean over all patches.

    lsgan: squared error to 1 or 0 (Mao et al. 2017); vanilla: cross-entropy (Goodfellow et al. 2014); wgangp: the
    critic's mean, signed (Gulrajani et al. 2017; its penalty is `gradient_penalty`). `generator` and `discriminator`
    are the two sides' terms, in which D sees images after the augmentations of `policy`, T below.
    """

    def __init__(self, gan_mode: str, lambda_R1: float = 0.0, policy: Sequence[str] = ()):
        super().__init__()
        self.gan_mode = gan_mode
        self.lambda_R1 = lambda_R1
        self.policy = policy

    @classmethod
    def of_options(cls, opt: Options) -> "GANLoss":
        """The loss that options of models on unpaired photos state."""
        return cls(opt.gan_mode, opt.lambda_R1, parse_policy(opt.diffaugment))

    def forward(self, prediction: torch.Tensor, target_is_real: bool) -> torch.Tensor:
        prediction = at_least_float32(prediction)
        if self.gan_mode == "wgangp":
            return -prediction.mean() if target_is_real else prediction.mean()
        target = torch.full_like(prediction, float(target_is_real))
        if self.gan_mode == "lsgan":
            return F.mse_loss(prediction, target)
        return F.binary_cross_entropy_with_logits(prediction, target)

    def generator(self, netD: nn.Module, fake: torch.Tensor) -> torch.Tensor:
        """`GAN(D(T(fake)), 1)`."""
        return self(netD(augment(fake, self.policy)), True)

    def discriminator(self, netD: nn.Module, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """`0.5 * (GAN(D(T(real)), 1) + GAN(D(T(fake)), 0))`, with R1 and wgangp's penalty; `fake` has no gradient."""
        real, fake = augment(real, self.policy), augment(fake, self.policy)
        if self.lambda_R1 > 0:
            real = real.detach().requires_grad_()
        prediction = netD(real)
        loss = 0.5 * (self(prediction, True) + self(netD(fake), False))
        if self.gan_mode == "wgangp":
            loss = loss + gradient_penalty(netD, real, fake)
        if self.lambda_R1 > 0:
            loss = loss + r1_penalty(prediction, real, self.lambda_R1)
        return loss


def gradient_penalty(
    netD: nn.Module, real: torch.Tensor, fake: torch.Tensor, lambda_gp: float = 10.0
) -> torch.Tensor:
    """`lambda_gp * E[(|grad_x D(x)| - 1)^2]` at random points x between real and fake images.

    WGAN-GP, equation 3 (Gulrajani et al. 2017), with D's patches averaged into one critic value per image.
    `real`, `fake`: `[B,C,H,W]`.
    """
    alpha = torch.rand(real.shape[0], 1, 1, 1, device=real.device)
    x = (alpha * real + (1 - alpha) * fake).detach().requires_grad_(True)
    critic = netD(x).float().mean(dim=(1, 2, 3)).sum()
    (gradient,) = torch.autograd.grad(critic, x, create_graph=True)
    return lambda_gp * (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def r1_penalty(prediction: torch.Tensor, real: torch.Tensor, lambda_R1: float) -> torch.Tensor:
    """`lambda_R1/2 * E[|grad_x D(x)|^2]` at real images (Mescheder et al. 2018, equation 9).

    D's P patch logits are P discriminators, the penalty their mean: `|grad_x sum_p D_p(x)|^2 / P`, which is the
    paper's for P = 1 and, unlike that of the mean logit, keeps its weight at another crop size.

    Args:
        prediction: `netD(real)` `[B,1,h,w]`, P = h*w.
        real: `[B,C,H,W]`, a leaf that requires its gradient.
    """
    (gradient,) = torch.autograd.grad(prediction.float().sum(), real, create_graph=True)
    patches = prediction[0].numel()
    return lambda_R1 / 2 * gradient.float().square().sum(dim=(1, 2, 3)).mean() / patches
