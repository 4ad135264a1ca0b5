"""Options of `--model cycle_gan`."""

from argparse import ArgumentParser

from models.options.networks import check_crop
from models.options.unpaired import UnpairedOptions
from util.errors import UserError
from util.options import Options
from util.ranges import non_negative


class CycleGANOptions(UnpairedOptions):
    """Weights of the cycles, and what they must bring back."""

    @staticmethod
    def modify_commandline_options(parser: ArgumentParser, is_train: bool) -> ArgumentParser:
        parser = UnpairedOptions.modify_commandline_options(parser, is_train)
        if is_train:
            parser.add_argument(
                "--lambda_A", type=non_negative, default=10.0, help="weight of the cycle A -> B -> A"
            )
            parser.add_argument(
                "--lambda_B", type=non_negative, default=10.0, help="weight of the cycle B -> A -> B"
            )
            parser.add_argument(
                "--lambda_identity",
                type=non_negative,
                default=0.5,
                help="weight of the identity loss, relative to lambda_A and lambda_B; keeps colours; 0 = off",
            )
            parser.add_argument(
                "--cycle_region",
                choices=("all", "subject", "low"),
                default="all",
                help="what a cycle must bring back: all, the subject, or the low frequencies (means of 16x16 pixels)",
            )
        return parser

    @staticmethod
    def uses_masks(opt: Options) -> bool:
        return UnpairedOptions.uses_masks(opt) or opt.cycle_region == "subject"

    @staticmethod
    def check_options(opt: Options) -> None:
        UnpairedOptions.check_options(opt)
        check_crop(opt)
        if opt.lambda_identity > 0 and opt.input_nc != opt.output_nc:
            raise UserError(
                "--lambda_identity needs --input_nc equal to --output_nc; add --lambda_identity 0"
            )
