"""Options of training and testing. Names are pytorch-CycleGAN-and-pix2pix's; the fork's older ones are aliases."""

import argparse
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data import find_dataset_options
from data.options import PREPROCESSING
from models import find_model_options
from models.options.acceleration import add_acceleration_options
from options.config import Config
from options.names import LoadIter, full_name
from options.saved_options import saved_options
from util.distributed import local_rank
from util.errors import UserError
from util.options import Options
from util.present import present
from util.ranges import check_ranges, count, count_or_all, positive_int, seed

if TYPE_CHECKING:
    import torch


class BaseOptions(ABC):
    """Options common to training and testing, those of the chosen model and dataset among them."""

    isTrain: bool

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the common options to `parser`."""
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
            help="name of the experiment: its folder of checkpoints and results",
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
            default=argparse.SUPPRESS,
            help="load the checkpoint that --save_by_iter kept after so many photos; 0 = that of --epoch",
        )
        add(
            "--phase",
            default="train" if self.isTrain else "test",
            help="folders to read: train, val, test, ...",
        )
        add("--verbose", action="store_true", help="print whole networks")

        add = parser.add_argument_group("model").add_argument
        add(
            "--model", default="cycle_gan", help="file models/<model>_model.py: cycle_gan, pix2pix, test, ..."
        )
        add(
            "--input_nc",
            type=positive_int,
            default=3,
            help="channels of domain A: 3 for colour, 1 for grayscale",
        )
        add("--output_nc", type=positive_int, default=3, help="channels of domain B")

        add_acceleration_options(parser, self.isTrain)

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
        preprocess = "resize_and_crop" if self.isTrain else "none"
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

    @abstractmethod
    def defaults(self, saved: dict[str, Any]) -> dict[str, Any]:
        """Which of a checkpoint's `saved` options this program takes as its own defaults."""

    @abstractmethod
    def of_training(self, config: Config) -> Config:
        """Which options in a `train_opt.yaml` this program takes."""

    def config(self, argv: Sequence[str]) -> Config:
        """The options in the file that `--config` in `argv` names, as far as this program takes them."""
        config = Config.of_command_line(argv)
        return self.of_training(config) if config.is_saved else config

    def parser(self, argv: Sequence[str] | None = None) -> argparse.ArgumentParser:
        """The parser with the options of the model and dataset that `argv` names (`sys.argv` by default)."""
        parser = argparse.ArgumentParser(
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
            allow_abbrev=False,
            conflict_handler="resolve",
        )
        self.add_options(parser)
        config = self.config(argv or ())
        config.set_defaults(parser)
        # Help must list the options of the model and dataset too, so it waits for the second round.
        early = [argument for argument in argv or () if argument not in ("-h", "--help")]
        given, _ = parser.parse_known_args(early)
        folder = Path(given.checkpoints_dir) / full_name(given.name, given.suffix, vars(given))
        saved = self.defaults(saved_options(folder) if self.reads_saved(given) else {})
        parser.set_defaults(**saved)
        config.set_defaults(parser)
        given, _ = parser.parse_known_args(early)
        model = find_model_options(given.model)
        parser = model.modify_commandline_options(parser, self.isTrain)
        if given.model != saved.get("model"):
            saved.pop("dataset_mode", None)  # another model than the trained one reads what it wants to
        parser.set_defaults(**saved)
        config.set_defaults(parser)
        given, _ = parser.parse_known_args(early)
        parser.set_defaults(**model.preset(given))
        parser = find_dataset_options(given.dataset_mode).modify_commandline_options(parser, self.isTrain)
        parser.set_defaults(**saved)
        config.set_defaults(parser, is_complete=True)
        return parser

    def reads_saved(self, given: argparse.Namespace) -> bool:
        """Whether defaults come from the `train_opt.json` of an earlier run of the same name."""
        return True

    def parse(self, argv: Sequence[str] | None = None) -> Options:
        """Parse and check `argv`; the result is frozen.

        Raises:
            UserError: options that can't work together.
            SystemExit: unknown options or values, reported by argparse.
        """
        argv = list(sys.argv[1:] if argv is None else argv)
        parser = self.parser(argv)
        parsed = parser.parse_args(argv)
        values = vars(parsed)
        del values["config"]
        check_ranges(parser, values)
        values["isTrain"] = self.isTrain
        values |= {"name": full_name(parsed.name, parsed.suffix, values), "suffix": ""}
        opt = Options(**values)
        self.check(opt)
        mask_policy, reads_depth = self.mask_policy(opt), self.reads_depth(opt)
        # Last, since it takes PyTorch.
        device = str(resolve_device(opt.device))
        return opt.replace(mask_policy=mask_policy, reads_depth=reads_depth, device=device)

    @abstractmethod
    def mask_policy(self, opt: Options) -> str:
        """What the loader does about masks: `required`, `optional` (read where they are) or `none`."""

    def reads_depth(self, opt: Options) -> bool:
        """Whether the loader reads `depthA` and `depthB`, where there are such folders."""
        return False

    def check(self, opt: Options) -> None:
        """Raise a `UserError` for values that can't work."""
        if opt.name.strip() in ("", ".", ".."):
            raise UserError("--name: give the experiment a name, the folder of its checkpoints")


def device_of_gpu_ids(value: str) -> str:
    """`--gpu_ids 1` -> `cuda:1`, `-1` -> `cpu`; the name of a device stays, for `--device` to judge."""
    try:
        ids = [int(part) for part in value.split(",")]
    except ValueError:
        return value
    if len(ids) > 1:
        raise argparse.ArgumentTypeError(
            "one GPU per process; for several run: torchrun --nproc_per_node=N train.py ..."
        )
    return "cpu" if ids[0] < 0 else f"cuda:{ids[0]}"


def resolve_device(name: str) -> "torch.device":
    """The device that `name` means: `auto` is the first GPU where PyTorch sees one, else the CPU.

    Started by torchrun, each process takes the GPU of its own number.

    Raises:
        UserError: no such device here.
    """
    import torch

    try:
        found = "cuda" if torch.cuda.is_available() else "cpu"
        device = torch.device(found if name == "auto" else name)
    except RuntimeError:
        raise UserError(f"--device {name}: not a device; use auto, cpu, cuda or cuda:N") from None
    if device == torch.device("cuda") and local_rank() is not None:
        device = torch.device("cuda", present(local_rank()))
    if name != "auto" and device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(
            f"--device {name}: PyTorch sees {torch.cuda.device_count()} GPUs here; use --device cpu"
        )
    return device
