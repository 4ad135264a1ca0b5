"""One generator, one way: what `--model test` runs on a single folder of photos."""

import argparse
from typing import Any, ClassVar

import torch

from models.base_model import BaseModel, Losses, Visuals
from util.checkpoint import checkpoint_file


class TestModel(BaseModel):
    """Loads one generator only; use it when the other networks or the other domain are not at hand."""

    __test__ = False  # not a test case, whatever pytest thinks of the name
    visuals_of: ClassVar = {"A_paths": ("real", "fake")}

    @staticmethod
    def modify_commandline_options(
        parser: argparse.ArgumentParser, is_train: bool
    ) -> argparse.ArgumentParser:
        parser.set_defaults(dataset_mode="single")
        parser.add_argument(
            "--model_suffix",
            default="",
            help="which generator: `_A` loads [epoch]_net_G_A.pth; default: [epoch]_net_G.pth, or where there is none "
            "the generator that --direction names",
        )
        return parser

    def __init__(self, opt: argparse.Namespace):
        super().__init__(opt)
        self.netG = self.add_generator(self.generator_name(), opt.input_nc, opt.output_nc)

    def generator_name(self) -> str:
        """`G` with the suffix asked for, or with the one of the direction if there is no plain `G`."""
        if self.opt.model_suffix or checkpoint_file(self.save_dir, self.opt.epoch, "G").exists():
            return f"G{self.opt.model_suffix}"
        return "G_A" if self.opt.direction == "AtoB" else "G_B"

    def set_input(self, batch: dict[str, Any]) -> None:
        """Take `A` `[B,C,H,W] in [-1,1]`."""
        self.real = batch["A"].to(self.device, non_blocking=True)

    def optimize_parameters(self) -> Losses:
        raise NotImplementedError("the test model does not train")

    @torch.inference_mode()
    def test(self) -> None:
        self.fake = self.netG(self.real)

    def compute_visuals(self) -> Visuals:
        return {"real": self.real, "fake": self.fake}
