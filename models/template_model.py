"""A model to start from: copy it to `models/<name>_model.py`, rename the class to `<Name>Model`, change the formulas.

`--model <name>` then finds it. This one fits a generator to pairs by an L1 loss alone:

    python train.py --dataroot ./datasets/pairs --name regression --model template --lambda_regression 2
"""

from argparse import ArgumentParser
from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from models.base_model import BaseModel, Losses, Visuals
from util.options import Options
from util.ranges import non_negative


class TemplateModel(BaseModel):
    """`fake_B = G(real_A)`, as near to `real_B` as it gets."""

    # test.py saves these visuals under the name of A's photo.
    visuals_of: ClassVar = {"A_paths": ("real_A", "fake_B", "real_B")}

    @staticmethod
    def modify_commandline_options(parser: ArgumentParser, is_train: bool) -> ArgumentParser:
        # A default of another option, for this model.
        parser.set_defaults(dataset_mode="aligned")
        if is_train:
            parser.add_argument(
                "--lambda_regression", type=non_negative, default=1.0, help="weight of the L1 loss"
            )
        return parser

    def __init__(self, opt: Options):
        super().__init__(opt)
        # Networks, optimizers and pools made with add_... or put into the dicts are saved, loaded and resumed.
        self.netG = self.add_generator("G", opt.input_nc, opt.output_nc)
        if self.isTrain:
            self.optimizer_G = self.add_optimizer("G", [self.netG])

    def set_input(self, batch: dict[str, Any]) -> None:
        """Take `A` and `B`, both `[B,C,H,W] in [-1,1]`."""
        self.real_A, self.real_B = (batch[key].to(self.device, non_blocking=True) for key in ("A", "B"))

    def optimize_parameters(self) -> Losses:
        self.fake_B = self.netG(self.real_A)
        loss = self.opt.lambda_regression * F.l1_loss(self.fake_B, self.real_B)
        self.step("G", loss)
        # Every entry is logged and plotted under its name.
        return {"regression": loss}

    @torch.inference_mode()
    def test(self) -> None:
        self.fake_B = self.netG(self.real_A)

    def compute_visuals(self) -> Visuals:
        return {"real_A": self.real_A, "fake_B": self.fake_B.detach(), "real_B": self.real_B}
