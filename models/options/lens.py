"""Options of `--model lens`."""

from argparse import ArgumentParser

from models.options.networks import check_crop
from models.options.unpaired import UnpairedOptions
from util.errors import UserError
from util.options import Options
from util.ranges import non_negative


class LensOptions(UnpairedOptions):
    """Weights of the lens's losses."""

    takes_depth = True

    @staticmethod
    def modify_commandline_options(parser: ArgumentParser, is_train: bool) -> ArgumentParser:
        parser = UnpairedOptions.modify_commandline_options(parser, is_train)
        if is_train:
            parser.set_defaults(output_mode="lens", lambda_mask=30.0)
            add = parser.add_argument_group("lens model").add_argument
            add("--lambda_focus", type=non_negative, default=1.0, help="weight of: in-focus weight = mask")
            add(
                "--lambda_lens",
                type=non_negative,
                default=10.0,
                help="weight of: background = lens blur behind mask",
            )
            add(
                "--lens_target",
                type=non_negative,
                default=5.0,
                help="radius of that blur, in pixels at 256 px",
            )
            add(
                "--lambda_GAN",
                type=non_negative,
                default=0.0,
                help="weight of the GAN loss; 0 = no discriminator",
            )
            add(
                "--mask_input",
                action="store_true",
                help="the generator gets the mask as a fourth channel, in training and at test",
            )
        return parser

    @staticmethod
    def uses_masks(opt: Options) -> bool:
        return True

    @staticmethod
    def check_options(opt: Options) -> None:
        UnpairedOptions.check_options(opt)
        if opt.lambda_GAN > 0:
            check_crop(opt)
        if opt.output_mode != "lens":
            raise UserError(f"--model lens needs --output_mode lens, not {opt.output_mode}")
        if opt.add_mask:
            raise UserError("--model lens has no use for --add_mask: its subject is the input's already")
