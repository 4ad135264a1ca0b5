"""The adversarial loss that options describe."""

from models.losses.gan import GANLoss
from models.options.adversary import parse_policy
from util.options import Options


def create_gan_loss(opt: Options) -> GANLoss:
    """The adversarial loss that `opt` describes."""
    return GANLoss(opt.gan_mode, opt.lambda_R1, parse_policy(opt.diffaugment))
