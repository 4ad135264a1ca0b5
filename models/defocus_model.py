"""How far out of focus each place of a photo is, learned from sharp photos behind known blurs.

level = E(A)    log2(1 + radius), radius in pixels of A

nll    |level - truth| / b + log b, with b the error that E itself expects at each place (Laplace)

No labels and no pairs: `--dataset_mode defocus` blurs sharp photos as it reads them.

    python train.py --dataroot D --name defocus --model defocus
    python scripts/measure_blur.py --input photos/ --output maps/ --weights checkpoints/defocus/latest_net_E.pth
"""

from typing import Any, ClassVar

import torch.nn.functional as F

from models.acceleration import WeightAverage
from models.base_model import BaseModel, Losses, Visuals
from models.losses.blur import laplace_nll
from models.nets.defocus import DefocusNet
from models.options.defocus import DefocusOptions
from models.visuals import level_visuals
from util.errors import UserError
from util.options import Options


class DefocusModel(DefocusOptions, BaseModel):
    """One network, E, from a photo to the level of its blur and the error that is to be expected."""

    visuals_of: ClassVar = {"A_paths": ("real_A", "level", "truth")}

    def __init__(self, opt: Options):
        super().__init__(opt)
        if not self.isTrain:
            raise UserError("--model defocus is for training; scripts/measure_blur.py uses what it learned")
        self.netE = self.networks["E"] = DefocusNet(width=opt.nef).to(self.device)
        self.optimizer_E = self.add_optimizer("E", [self.netE])
        if opt.ema > 0:
            self.averages["E"] = WeightAverage(self.netE, opt.ema)

    def set_input(self, batch: dict[str, Any]) -> None:
        """Take `A` `[B,3,H,W] in [-1,1]` and `level` `[B,1,H,W]`."""
        self.real_A = batch["A"].to(self.device, non_blocking=True)
        self.truth = F.avg_pool2d(batch["level"].to(self.device, non_blocking=True), 4)

    def optimize_parameters(self) -> Losses:
        self.level, log_scale = self.netE(self.real_A)
        error = (self.level - self.truth).abs()
        loss = laplace_nll(error, log_scale).mean()
        self.step("E", loss)
        return {"nll": loss.detach(), "error": error.mean().detach()}

    def test(self) -> None:
        raise NotImplementedError("scripts/measure_blur.py runs it")

    def compute_visuals(self) -> Visuals:
        return {"real_A": self.real_A} | level_visuals(self.real_A, level=self.level, truth=self.truth)
