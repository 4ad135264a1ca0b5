"""The options of datasets. Nothing here imports PyTorch, so that help and wrong options are told at once."""

from argparse import ArgumentParser

from util.errors import UserError
from util.options import Options
from util.ranges import non_negative, positive, share

SCALINGS = ("resize", "scale_width", "scale_shortside")
PREPROCESSING = ("none", *SCALINGS, "crop", *(f"{scaling}_and_crop" for scaling in SCALINGS))

# Generators halve the photo twice and double it twice; other sides would not come back as they went in.
SIDE_MULTIPLE = 4


class DatasetOptions:
    """Base of `BaseDataset`, which inherits it; a dataset overrides what it has to say."""

    @staticmethod
    def modify_commandline_options(parser: ArgumentParser, is_train: bool) -> ArgumentParser:
        """Add this dataset's options, or change defaults of others, and return `parser`."""
        parser.add_argument(
            "--shard_cache_size",
            type=positive,
            default=20.0,
            help="GiB of shards kept on this disk, if --dataroot is an address (datasets/make_shards.py)",
        )
        if is_train:
            parser.add_argument(
                "--cache",
                choices=("none", "ram", "disk"),
                default="none",
                help="keep decoded and scaled photos: in memory, or in <dataroot>/.cache for later runs too",
            )
            parser.add_argument("--cache_size", type=positive, default=4.0, help="limit of --cache, in GiB")
        return parser


class UnalignedOptions(DatasetOptions):
    """Augmentation too."""

    @staticmethod
    def modify_commandline_options(parser: ArgumentParser, is_train: bool) -> ArgumentParser:
        parser = DatasetOptions.modify_commandline_options(parser, is_train)
        if is_train:
            add_augment_options(parser)
        return parser


# By the name that --dataset_mode takes. A dataset that is not here has its options in its own class.
OPTIONS: dict[str, type[DatasetOptions]] = {
    "aligned": DatasetOptions,
    "blur_maps": DatasetOptions,
    "defocus": DatasetOptions,
    "single": DatasetOptions,
    "unaligned": UnalignedOptions,
}


def add_augment_options(parser: ArgumentParser) -> None:
    """Options of all augmentation beyond cropping and mirroring; all off by default."""
    add = parser.add_argument_group("augmentation").add_argument
    add(
        "--augment_zoom",
        type=non_negative,
        default=0.0,
        help="up to so much larger, 0.4 say, around a random place",
    )
    add(
        "--augment_light",
        type=share,
        default=0.0,
        help="strength of changes of exposure, gamma and colour, 0 to 1",
    )
    add(
        "--augment_paste",
        type=share,
        default=0.0,
        help="share of photos that get the other domain's subject too",
    )
    add(
        "--augment_group",
        type=share,
        default=0.0,
        help="share of photos in which the subject stands in a group: people of both photos, beside and behind it",
    )
    add(
        "--augment_hide",
        type=share,
        default=0.0,
        help="share of photos in which something of the other photo's background hides a part of the subject",
    )
    add(
        "--augment_noise",
        type=share,
        default=0.0,
        help="noise of up to this deviation, 0.05 say, as in the dark; 1 is white",
    )


def scaling_and_crop(opt: Options) -> tuple[str, bool]:
    """What `--preprocess` asks for: one of `SCALINGS` or "none", and whether a crop follows.

    Raises:
        UserError: an unknown `--preprocess`, or sizes that can't work.
    """
    parts = set(opt.preprocess.replace("_and_", ",").split(","))
    scalings = parts & {*SCALINGS, "none"}
    if parts - {*SCALINGS, "none", "crop"} or len(scalings) > 1 or parts == {"none", "crop"}:
        raise UserError(f"--preprocess {opt.preprocess}: use one of {', '.join(PREPROCESSING)}")
    crops = "crop" in parts
    if crops and opt.crop_size % SIDE_MULTIPLE:
        raise UserError(f"--crop_size {opt.crop_size}: must be a multiple of {SIDE_MULTIPLE}")
    if crops and "resize" in parts and opt.load_size < opt.crop_size:
        raise UserError(
            f"--load_size {opt.load_size} is smaller than --crop_size {opt.crop_size}; "
            "make it at least as large"
        )
    return (scalings.pop() if scalings else "none"), crops
