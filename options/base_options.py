"""Options of training and testing. Names are pytorch-CycleGAN-and-pix2pix's; the fork's older ones are aliases."""

import sys
from abc import ABC, abstractmethod
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data import find_dataset_options
from data.options import scaling_and_crop
from models import find_model_options
from models.options.acceleration import add_acceleration_options
from options.common import DEFAULT_MODEL, add_data_options, add_model_options, add_run_options
from options.config import Config
from options.device import resolve_device
from options.names import full_name
from options.saved_options import saved_options
from options.selection import selected
from util.errors import UserError
from util.hub import run_folder
from util.options import Options
from util.ranges import check_ranges


class BaseOptions(ABC):
    """Options common to training and testing, those of the chosen model and dataset among them."""

    isTrain: bool

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the common options to `parser`."""
        add_run_options(parser, self.isTrain)
        add_model_options(parser)
        add_acceleration_options(parser, self.isTrain)
        add_data_options(parser, self.isTrain)

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

    def parser(self, argv: Sequence[str] | None = None) -> ArgumentParser:
        """The parser with the options of the model and dataset that `argv` names (`sys.argv` by default).

        Defaults are, the later before the earlier: those of the options, of the model, of its preset, of the dataset;
        what the run was started with, where this call goes on with it; what `--config` says.
        """
        argv = list(argv or ())
        config = self.config(argv)
        chosen = selected(argv, config)
        saved = {}
        if self.reads_saved(chosen):
            saved = self.defaults(saved_options(self.folder(chosen, argv, config)))
        name = chosen.model or saved.get("model", DEFAULT_MODEL)
        if name != saved.get("model"):
            # Another model than the trained one reads what it wants to.
            saved.pop("dataset_mode", None)

        model = find_model_options(name)
        parser = model.modify_commandline_options(self.common_parser(), self.isTrain)
        if model.preset_by and parser.get_default(model.preset_by):
            preset = getattr(selected(argv, config, model.preset_by), model.preset_by)
            preset = preset or saved.get(model.preset_by, parser.get_default(model.preset_by))
            parser.set_defaults(**model.presets.get(preset, {}))
        mode = chosen.dataset_mode or saved.get("dataset_mode", parser.get_default("dataset_mode"))
        parser = find_dataset_options(mode).modify_commandline_options(parser, self.isTrain)
        parser.set_defaults(**saved)
        config.set_defaults(parser, is_complete=True)
        return parser

    def common_parser(self) -> ArgumentParser:
        """A parser with the options that all models and datasets share."""
        parser = ArgumentParser(
            formatter_class=ArgumentDefaultsHelpFormatter,
            allow_abbrev=False,
            conflict_handler="resolve",
        )
        self.add_options(parser)
        return parser

    def folder(self, chosen: Namespace, argv: Sequence[str], config: Config) -> Path:
        """Where the chosen run keeps its checkpoints."""
        parser = self.common_parser()
        values = {}
        if chosen.suffix:
            # It may be made of any option. Help waits for those of the model and dataset.
            config.set_defaults(parser)
            words = [word for word in argv if word not in ("-h", "--help")]
            values = vars(parser.parse_known_args(words)[0])
        name = full_name(chosen.name or parser.get_default("name"), chosen.suffix or "", values)
        return run_folder(chosen.checkpoints_dir or parser.get_default("checkpoints_dir"), name)

    def reads_saved(self, chosen: Namespace) -> bool:
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
        scaling_and_crop(opt)
        if opt.name.strip() in ("", ".", ".."):
            raise UserError("--name: give the experiment a name, the folder of its checkpoints")
