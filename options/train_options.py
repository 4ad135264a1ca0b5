"""Options of train.py."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models import find_model_options
from models.lens.settings import check_lens_options
from models.options.acceleration import check_acceleration_options, check_device
from models.options.adversary import GAN_MODES
from models.options.networks import LR_POLICIES, add_network_options, check_network_options
from options.base_options import BaseOptions
from options.config import Config
from options.saved_options import check_run
from util.errors import UserError
from util.hub import is_published
from util.loggers import LOGGERS, check_loggers
from util.measure.better import BETTER
from util.options import Options
from util.ranges import count, decay, integer, non_negative, port, positive_int
from util.renamed import renamed

# Not stated by options but following from them.
_DERIVED = {"isTrain", "mask_policy", "reads_depth"}
# Of the machine or of one call, not of the experiment: a resumed run does not inherit them.
_OF_ONE_CALL = {
    "name",
    "checkpoints_dir",
    "continue_train",
    "device",
    "epoch",
    "epoch_count",
    "verbose",
    *_DERIVED,
}


class TrainOptions(BaseOptions):
    """Common options, networks, learning rate, display and saving."""

    isTrain = True

    def add_options(self, parser: ArgumentParser) -> None:
        super().add_options(parser)
        add_network_options(parser)
        _add_training_options(parser)
        _add_saving_options(parser)
        _add_display_options(parser)

    def reads_saved(self, chosen: Namespace) -> bool:
        return chosen.continue_train

    def defaults(self, saved: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in saved.items() if name not in _OF_ONE_CALL}

    def of_training(self, config: Config) -> Config:
        return config.without({"continue_train", "device", *_DERIVED})

    def mask_policy(self, opt: Options) -> str:
        return find_model_options(opt.model).mask_policy(opt)

    def parse(self, argv: Sequence[str] | None = None) -> Options:
        opt = super().parse(argv)
        check_device(opt)
        return opt

    def check(self, opt: Options) -> None:
        super().check(opt)
        if is_published(opt.name):
            raise UserError(
                f"--name {opt.name}: a published model is for test.py; training has names of its own"
            )
        if opt.continue_train:
            check_run(Path(opt.checkpoints_dir), opt.name)
        if not opt.dataroot:
            raise UserError("--dataroot is missing: the folder with trainA and trainB")
        if opt.best_metric and not opt.val_freq:
            raise UserError(
                f"--best_metric {opt.best_metric}: give --val_freq too, there is no validation without it"
            )
        if opt.n_epochs + opt.n_epochs_decay < opt.epoch_count:
            raise UserError(
                f"nothing to train: --epoch_count {opt.epoch_count} is after the last epoch, --n_epochs {opt.n_epochs} "
                f"plus --n_epochs_decay {opt.n_epochs_decay}"
            )
        check_loggers(opt.logger)
        check_network_options(opt)
        check_acceleration_options(opt)
        check_lens_options(opt)
        find_model_options(opt.model).check_options(opt)


def _add_training_options(parser: ArgumentParser) -> None:
    """How long, how fast and against what losses."""
    add = parser.add_argument_group("training").add_argument
    add("--n_epochs", "--niter", type=count, default=100, help="epochs with the first learning rate")
    add(
        "--n_epochs_decay",
        "--niter_decay",
        type=count,
        default=100,
        help="further epochs, linearly down to zero",
    )
    add("--epoch_count", type=positive_int, default=1, help="number of the first epoch")
    add("--lr", type=non_negative, default=0.0002, help="learning rate of Adam")
    add("--beta1", type=decay, default=0.5, help="momentum of Adam")
    add(
        "--lr_policy",
        type=renamed(**{"lambda": "linear"}),
        choices=LR_POLICIES,
        default="linear",
        help="how the learning rate changes",
    )
    add("--lr_decay_iters", type=positive_int, default=50, help="epochs between drops with --lr_policy step")
    add("--gan_mode", choices=GAN_MODES, default="lsgan", help="adversarial loss")
    add(
        "--no_lsgan",
        dest="gan_mode",
        action="store_const",
        const="vanilla",
        help="the old form of --gan_mode vanilla",
    )
    add("--pool_size", type=count, default=50, help="generated images that the discriminator's history keeps")
    add("--deterministic", action="store_true", help="reproducible kernels, slower on a GPU")


def _add_saving_options(parser: ArgumentParser) -> None:
    """What is kept of a run, and how it is judged on the way."""
    add = parser.add_argument_group("saving").add_argument
    add(
        "--continue_train",
        action="store_true",
        help="go on from the latest state; options are those of that run",
    )
    add(
        "--save_latest_freq", type=positive_int, default=5000, help="photos between saves of the latest state"
    )
    add("--save_epoch_freq", type=positive_int, default=5, help="epochs between checkpoints that are kept")
    add("--keep_last", type=count, default=0, help="keep only so many of the numbered checkpoints; 0 = all")
    add("--save_by_iter", action="store_true", help="keep each save of the latest state as iter_<N> too")

    add = parser.add_argument_group("validation").add_argument
    add(
        "--val_freq",
        type=count,
        default=0,
        help="epochs between validations on valA with its masks; 0 = none",
    )
    add("--best_metric", default="", choices=("", *BETTER), help="keep best_net_*.pth by this figure of them")


def _add_display_options(parser: ArgumentParser) -> None:
    """Logs, pages and dashboards."""
    add = parser.add_argument_group("display").add_argument
    add("--print_freq", type=positive_int, default=100, help="photos between lines in the log")
    add("--display_freq", type=positive_int, default=400, help="photos between pictures in visdom")
    add(
        "--update_html_freq",
        type=positive_int,
        default=1000,
        help="photos between pictures in web/index.html",
    )
    add("--no_html", action="store_true", help="no web/index.html")
    add(
        "--logger",
        nargs="*",
        choices=LOGGERS,
        default=[],
        help="show the run there too, in as many as you like; visdom is separate from these",
    )
    add(
        "--use_wandb",
        dest="logger",
        action="append_const",
        const="wandb",
        help="wandb too, after what --logger names",
    )
    add(
        "--logger_project",
        "--wandb_project_name",
        default="bokeh-cyclegan",
        help="what wandb and trackio file the run under",
    )
    add("--display_id", type=integer, default=1, help="0, -1 or any other number below 1: no visdom")
    add("--display_server", default="http://localhost", help="visdom server")
    add("--display_port", type=port, default=8097, help="its port")
    add("--display_env", default="", help="its environment; default: the name of the experiment")
    add(
        "--display_ncols",
        "--display_single_pane_ncols",
        type=integer,
        default=0,
        help="pictures in a row; 0 or less: all of a photo",
    )
