"""Options that training and testing share, whatever the model and dataset."""

from argparse import SUPPRESS, ArgumentParser

from data.options import PREPROCESSING
from options.device import device_of_gpu_ids
from options.names import LoadIter
from util.ranges import count, count_or_all, positive_int, seed

DEFAULT_MODEL = "cycle_gan"


def add_run_options(parser: ArgumentParser, is_train: bool) -> None:
    """Which run, where it computes, and what it reads and writes."""
    add = parser.add_argument_group("run").add_argument
    add(
        "--config",
        default="",
        help="file of options, name: value in YAML or JSON; what the command line says goes before it",
    )
    add("--dataroot", default="", help="folder with trainA, trainB, testA, testB, maskA, maskB")
    add(
        "--name",
        default="experiment_name",
        help="name of the experiment: its folder of checkpoints and results"
        + ("" if is_train else "; hf:user/model runs a published one"),
    )
    add(
        "--suffix",
        default="",
        help="put behind the name, with the values of options in braces: {model}_{load_size}",
    )
    add("--checkpoints_dir", default="./checkpoints", help="where checkpoints are kept")
    add(
        "--device",
        default="auto",
        help="auto, cpu, cuda or cuda:N; auto takes the first GPU where there is one",
    )
    add(
        "--gpu_ids",
        dest="device",
        type=device_of_gpu_ids,
        help="the old form of --device: 0, 1, ... or -1 for CPU",
    )
    add("--seed", type=seed, default=0, help="of all random choices; the same seed gives the same run")
    add(
        "--epoch",
        "--which_epoch",
        default="latest",
        help="which checkpoint to load: latest, best or a number",
    )
    add(
        "--load_iter",
        type=count,
        action=LoadIter,
        default=SUPPRESS,
        help="load the checkpoint that --save_by_iter kept after so many photos; 0 = that of --epoch",
    )
    add("--phase", default="train" if is_train else "test", help="folders to read: train, val, test, ...")
    add("--verbose", action="store_true", help="print whole networks")


def add_model_options(parser: ArgumentParser) -> None:
    """Which model, between which kinds of images."""
    add = parser.add_argument_group("model").add_argument
    add("--model", default=DEFAULT_MODEL, help="file models/<model>_model.py: cycle_gan, pix2pix, test, ...")
    add(
        "--input_nc", type=positive_int, default=3, help="channels of domain A: 3 for colour, 1 for grayscale"
    )
    add("--output_nc", type=positive_int, default=3, help="channels of domain B")


def add_data_options(parser: ArgumentParser, is_train: bool) -> None:
    """Which photos, and how they become batches."""
    add = parser.add_argument_group("data").add_argument
    add(
        "--dataset_mode",
        default="unaligned",
        help="file data/<mode>_dataset.py: unaligned, aligned, single, ...",
    )
    add(
        "--direction",
        "--which_direction",
        choices=("AtoB", "BtoA"),
        default="AtoB",
        help="BtoA swaps the domains",
    )
    add("--serial_batches", action="store_true", help="take photos in order instead of at random")
    add(
        "--num_threads",
        "--nThreads",
        type=count,
        default=4,
        help="processes that load data; 0 = in the main one",
    )
    add("--batch_size", "--batchSize", type=positive_int, default=1, help="photos per step")
    add(
        "--load_size",
        "--loadSize",
        type=positive_int,
        default=286,
        help="scale photos to this size, in pixels",
    )
    add("--crop_size", "--fineSize", type=positive_int, default=256, help="then crop to this size")
    add(
        "--max_dataset_size",
        type=count_or_all,
        default=float("inf"),
        help="use at most so many photos of each folder",
    )
    preprocess = "resize_and_crop" if is_train else "none"
    add(
        "--preprocess",
        "--resize_or_crop",
        default=preprocess,
        help=f"how photos get their size: {', '.join(PREPROCESSING)}",
    )
    add("--no_flip", action="store_true", help="no random mirroring in training")
    add(
        "--display_winsize",
        type=positive_int,
        default=256,
        help="size of pictures in visdom and on result pages, in pixels",
    )
