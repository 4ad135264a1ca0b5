"""Options: the command line of train.py and test.py. May import `models`, `data` and `util`."""

from options.saved_options import check_new, save_options, write_options
from options.test_options import FINDS_PEOPLE, TestOptions
from options.train_options import TrainOptions
from util.options import Options

__all__ = [
    "FINDS_PEOPLE",
    "Options",
    "TestOptions",
    "TrainOptions",
    "check_new",
    "save_options",
    "write_options",
]
