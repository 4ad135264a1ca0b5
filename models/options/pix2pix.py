"""Options of `--model pix2pix`."""

from argparse import ArgumentParser

from models.options.base import ModelOptions
from models.options.masks import add_mask_options, check_mask_options, masks_needed
from models.options.networks import check_crop
from util.errors import UserError
from util.options import Options
from util.ranges import non_negative


class Pix2PixOptions(ModelOptions):
    """The defaults of pytorch-CycleGAN-and-pix2pix, and masks."""

    @staticmethod
    def modify_commandline_options(parser: ArgumentParser, is_train: bool) -> ArgumentParser:
        parser.set_defaults(dataset_mode="aligned")
        if is_train:
            parser.set_defaults(netG="unet_256", norm="batch", gan_mode="vanilla", pool_size=0)
            parser.add_argument(
                "--lambda_L1", "--lambda_A", type=non_negative, default=100.0, help="weight of the L1 loss"
            )
            add_mask_options(parser)
        return parser

    @staticmethod
    def uses_masks(opt: Options) -> bool:
        return masks_needed(opt)

    @staticmethod
    def check_options(opt: Options) -> None:
        check_mask_options(opt)
        check_crop(opt)
        if masks_needed(opt) and opt.input_nc != opt.output_nc:
            raise UserError("mask loss and overlay need --input_nc equal to --output_nc")
