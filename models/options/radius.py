"""Options of `--model radius`."""

from argparse import ArgumentParser

from models.lens.settings import LOOK_SIDE, LOOK_SQUARE
from models.options.base import ModelOptions
from util.errors import UserError
from util.options import Options
from util.ranges import non_negative, positive_int


class RadiusOptions(ModelOptions):
    """Small pictures, large batches, an average over steps."""

    @staticmethod
    def modify_commandline_options(parser: ArgumentParser, is_train: bool) -> ArgumentParser:
        parser.set_defaults(dataset_mode="blur_maps")
        if is_train:
            parser.set_defaults(
                load_size=LOOK_SIDE,
                crop_size=LOOK_SQUARE,
                preprocess="scale_shortside_and_crop",
                batch_size=16,
                lr=1.5e-3,
                beta1=0.9,
                n_epochs=1,
                n_epochs_decay=6,
                ema=0.995,
            )
            parser.add_argument(
                "--npf", type=positive_int, default=24, help="channels of the network at half the size"
            )
            parser.add_argument(
                "--lambda_rank",
                type=non_negative,
                default=0.2,
                help="weight of which of two places is softer",
            )
            parser.add_argument(
                "--lambda_critic",
                type=non_negative,
                default=0.0,
                help="weight of the distance between levels predicted for A and measured in B, region by region",
            )
        return parser

    @staticmethod
    def uses_masks(opt: Options) -> bool:
        return True

    @staticmethod
    def check_options(opt: Options) -> None:
        if (opt.load_size, opt.crop_size) != (LOOK_SIDE, LOOK_SQUARE):
            raise UserError(
                f"--model radius looks at photos with --load_size {LOOK_SIDE} and --crop_size {LOOK_SQUARE}"
            )
