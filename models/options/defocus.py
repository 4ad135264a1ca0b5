"""Options of `--model defocus`."""

from argparse import ArgumentParser
from pathlib import Path

from models.nets.multiples import DEFOCUS_MULTIPLE
from models.options.base import ModelOptions
from util.errors import UserError
from util.options import Options
from util.ranges import positive_int

# The network that comes with the code.
WEIGHTS = Path(__file__).resolve().parents[2] / "pretrained/defocus/latest_net_E.pth"


class DefocusOptions(ModelOptions):
    """Small crops, large batches, an average over steps."""

    @staticmethod
    def modify_commandline_options(parser: ArgumentParser, is_train: bool) -> ArgumentParser:
        parser.set_defaults(dataset_mode="defocus")
        if is_train:
            parser.set_defaults(
                preprocess="crop",
                crop_size=192,
                batch_size=4,
                lr=7e-4,
                beta1=0.9,
                n_epochs=150,
                n_epochs_decay=110,
                ema=0.999,
            )
            parser.add_argument(
                "--nef", type=positive_int, default=32, help="channels of the network at half the size"
            )
        return parser

    @classmethod
    def mask_policy(cls, opt: Options) -> str:
        return "optional"

    @staticmethod
    def check_options(opt: Options) -> None:
        if opt.crop_size % DEFOCUS_MULTIPLE or opt.preprocess != "crop":
            raise UserError(
                f"--model defocus: --crop_size must be a multiple of {DEFOCUS_MULTIPLE}, and --preprocess crop"
            )
