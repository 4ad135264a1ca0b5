"""Options of `--model cut`."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from models.options.networks import GENERATORS, check_crop
from models.options.unpaired import UnpairedOptions
from util.errors import UserError
from util.options import Options
from util.ranges import non_negative, positive, positive_int

PRESETS: dict[str, dict[str, Any]] = {
    "CUT": {"lambda_NCE": 1.0, "nce_idt": True, "flip_equivariance": False},
    "FastCUT": {
        "lambda_NCE": 10.0,
        "nce_idt": False,
        "flip_equivariance": True,
        "n_epochs": 150,
        "n_epochs_decay": 50,
    },
}


def parse_bool(text: str) -> bool:
    """`True`, `true` or `1`, `False`, `false` or `0`, as scripts for CUT write them."""
    if text.lower() not in ("true", "1", "false", "0"):
        raise ArgumentTypeError(f"{text!r} is neither True nor False")
    return text.lower() in ("true", "1")


def parse_layers(text: str) -> list[int]:
    """`0,4,7` -> `[0, 4, 7]`, ascending.

    Raises:
        UserError: not a list of numbers.
    """
    try:
        return sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise UserError(f"--nce_layers {text}: give numbers with commas between, as 0,4,7,10,14") from None


class CUTOptions(UnpairedOptions):
    """The contrastive loss, and what CUT and FastCUT set."""

    preset_by = "CUT_mode"
    presets = PRESETS

    @staticmethod
    def modify_commandline_options(parser: ArgumentParser, is_train: bool) -> ArgumentParser:
        parser = UnpairedOptions.modify_commandline_options(parser, is_train)
        if not is_train:
            return parser
        parser.set_defaults(pool_size=0)
        add = parser.add_argument
        add(
            "--CUT_mode",
            choices=tuple(PRESETS),
            default="CUT",
            help="defaults of lambda_NCE, nce_idt, flip_equivariance; FastCUT: half the work, 150 + 50 epochs",
        )
        add("--lambda_GAN", type=non_negative, default=1.0, help="weight of the adversarial loss")
        add("--lambda_NCE", type=non_negative, help="weight of the contrastive loss; default: 1, FastCUT 10")
        add(
            "--nce_idt",
            type=parse_bool,
            nargs="?",
            const=True,
            help="contrastive loss between real_B and G(real_B) too, half of each; default: True, FastCUT False",
        )
        add(
            "--nce_layers",
            default="0,4,7,10,14",
            help="entries of netG.model whose outputs are compared; default: pixels, both halvings, blocks 1 and 5 (in "
            "the official code, which counts more layers, 0,4,8,12,16)",
        )
        add("--nce_T", type=positive, default=0.07, help="temperature of the contrastive loss")
        add("--netF_nc", type=positive_int, default=256, help="channels in which patches are compared")
        add("--num_patches", type=positive_int, default=256, help="patches compared in each layer")
        add(
            "--flip_equivariance",
            type=parse_bool,
            nargs="?",
            const=True,
            help="mirror the input half of the time, and features back; default: False, FastCUT True",
        )
        return parser

    @staticmethod
    def check_options(opt: Options) -> None:
        UnpairedOptions.check_options(opt)
        check_crop(opt)
        generator = GENERATORS[opt.netG]
        if generator.family != "resnet":
            raise UserError(f"--model cut compares features of a ResNet; --netG {opt.netG} is none")
        if opt.output_mode != "image":
            raise UserError(f"--model cut paints images; --output_mode {opt.output_mode} does not")
        if opt.input_nc != opt.output_nc:
            raise UserError("--model cut needs --input_nc equal to --output_nc: G encodes its own output")
        # Ten layers lie before the first block.
        last_block = 9 + generator.depth
        layers = parse_layers(opt.nce_layers)
        if layers[0] < 0 or layers[-1] > last_block:
            raise UserError(
                f"--nce_layers {opt.nce_layers}: {opt.netG} has 0 to {last_block} up to its last block"
            )
        if opt.num_patches < 2:
            raise UserError("--num_patches must be at least 2")
