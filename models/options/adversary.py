"""Options of the game against a discriminator, beyond `--gan_mode`."""

from argparse import ArgumentParser

from util.errors import UserError
from util.ranges import non_negative

GAN_MODES = ("lsgan", "vanilla", "wgangp")
# What `models.losses.diffaugment` does, in the order of its paper.
AUGMENTATIONS = ("color", "translation", "cutout")


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


def parse_policy(text: str) -> list[str]:
    """Names in a comma-separated list of `AUGMENTATIONS`; none if it is empty.

    Raises:
        UserError: a name that is not among them.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in AUGMENTATIONS:
            raise UserError(
                f"--diffaugment {text}: there is no {name}; use some of {','.join(AUGMENTATIONS)}"
            )
    return names
