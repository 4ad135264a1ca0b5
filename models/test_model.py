"""One generator, one way: what `--model test` runs on a single folder of photos."""

from typing import Any, ClassVar

import torch

from models.base_model import BaseModel, Losses, Visuals
from models.inference.generator import GeneratorSettings, load_generator
from models.options.test import TestModelOptions
from util.options import Options


class TestModel(TestModelOptions, BaseModel):
    """Loads one generator only; use it when the other networks or the other domain are not at hand."""

    # Not a test case, whatever pytest thinks of the name.
    __test__ = False
    visuals_of: ClassVar = {"A_paths": ("real", "fake")}

    def __init__(self, opt: Options):
        super().__init__(opt)
        name = f"G{opt.model_suffix}" if opt.model_suffix else ""
        settings = GeneratorSettings.of_options(opt)
        self.trained = load_generator(self.save_dir, opt.epoch, name, self.device, opt.direction, settings)
        self.networks["G"] = self.trained.net

    def set_input(self, batch: dict[str, Any]) -> None:
        """Take `A` `[B,C,H,W] in [-1,1]` and, where they are, `mask_A` and `depth_A` `[B,1,H,W] in [0,1]`."""
        self.real = batch["A"].to(self.device, non_blocking=True)
        self.mask, self.depth = batch.get("mask_A"), batch.get("depth_A")

    def optimize_parameters(self) -> Losses:
        raise NotImplementedError("the test model does not train")

    @torch.inference_mode()
    def test(self) -> None:
        self.fake = self.trained.translate(self.real, self.mask, self.depth)

    def compute_visuals(self) -> Visuals:
        return {"real": self.real, "fake": self.fake}
