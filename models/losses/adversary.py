"""Options of the game against a discriminator beyond `--gan_mode`, and the loss that they describe."""

from argparse import ArgumentParser, Namespace

from models.losses.diffaugment import AUGMENTATIONS, parse_policy
from models.losses.gan import GANLoss
from util.ranges import non_negative


def add_adversary_options(parser: ArgumentParser) -> None:
    """What keeps a discriminator from overfitting few photos, the same for every model that has one."""
    parser.add_argument(
        "--lambda_R1",
        type=non_negative,
        default=0.0,
        help="weight of R1, the penalty on the discriminator's gradient at real photos; 0 = off",
    )
    parser.add_argument(
        "--diffaugment",
        default="",
        help=f"augment what the discriminator sees, real and generated: {','.join(AUGMENTATIONS)} or some of them",
    )


def check_adversary_options(opt: Namespace) -> None:
    """Raise a `UserError` where the options of `add_adversary_options` can't be used."""
    parse_policy(opt.diffaugment)


def create_gan_loss(opt: Namespace) -> GANLoss:
    """The adversarial loss that `opt` describes."""
    return GANLoss(opt.gan_mode, opt.lambda_R1, parse_policy(opt.diffaugment))
