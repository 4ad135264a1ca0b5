"""What models on unpaired photos share."""

from argparse import ArgumentParser

from models.options.adversary import add_adversary_options, parse_policy
from models.options.base import ModelOptions
from models.options.masks import add_mask_options, check_mask_options, masks_needed
from util.errors import UserError
from util.options import Options
from util.ranges import non_negative


class UnpairedOptions(ModelOptions):
    """Masks, the discriminator's part of photos, colours."""

    @staticmethod
    def modify_commandline_options(parser: ArgumentParser, is_train: bool) -> ArgumentParser:
        parser.set_defaults(no_dropout=True)
        if is_train:
            add_mask_options(parser)
            add_adversary_options(parser)
            parser.add_argument(
                "--gan_region",
                choices=("all", "background"),
                default="all",
                help="what discriminators judge: whole photos, or with the subjects of both photos painted out in both",
            )
            parser.add_argument(
                "--lambda_color",
                type=non_negative,
                default=0.0,
                help="weight of: outside the subject, low frequencies (means of 16x16 pixels) stay; 0 = off",
            )
        return parser

    @staticmethod
    def uses_masks(opt: Options) -> bool:
        return masks_needed(opt) or opt.gan_region == "background" or opt.lambda_color > 0

    @staticmethod
    def check_options(opt: Options) -> None:
        check_mask_options(opt)
        parse_policy(opt.diffaugment)
        if opt.lambda_color > 0 and opt.output_mode == "lens":
            raise UserError(
                "--lambda_color is for generators that paint; --output_mode lens keeps colours by itself"
            )
        if opt.gan_region == "background" and "crop" not in opt.preprocess:
            raise UserError(
                "--gan_region background needs photos of one size: a --preprocess that ends in crop"
            )
