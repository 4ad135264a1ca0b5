"""Options of the mask overlay and the mask loss, the same for every model that has them."""

from argparse import ArgumentParser

from util.errors import UserError
from util.options import Options
from util.ranges import non_negative


def add_mask_options(parser: ArgumentParser) -> None:
    """Declare them."""
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


def masks_needed(opt: Options) -> bool:
    """Whether training with `opt` reads masks."""
    return opt.add_mask or opt.lambda_mask > 0


def check_mask_options(opt: Options) -> None:
    """Raise a `UserError` where they contradict each other."""
    if opt.vgg19_loss and opt.lambda_mask == 0:
        raise UserError(
            "--vgg19_loss is a part of the mask loss; give its weight with --lambda_mask, 1.0 say"
        )
