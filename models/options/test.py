"""Options of `--model test`."""

from argparse import ArgumentParser

from models.options.base import ModelOptions


class TestModelOptions(ModelOptions):
    """Which of a run's generators."""

    # Not a test case, whatever pytest thinks of the name.
    __test__ = False
    takes_depth = True

    @staticmethod
    def modify_commandline_options(parser: ArgumentParser, is_train: bool) -> ArgumentParser:
        parser.set_defaults(dataset_mode="single")
        parser.add_argument(
            "--model_suffix",
            default="",
            help="which generator: `_A` loads [epoch]_net_G_A.pth; default: the one that --direction names, or "
            "where there is none [epoch]_net_G.pth",
        )
        return parser
