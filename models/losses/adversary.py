"""The adversarial loss that options describe."""

from argparse import Namespace

from models.losses.gan import GANLoss
from models.options.adversary import parse_policy


def create_gan_loss(opt: Namespace) -> GANLoss:
    """The adversarial loss that `opt` describes."""
    return GANLoss(opt.gan_mode, opt.lambda_R1, parse_policy(opt.diffaugment))
