"""Where and how much a real lens blurs, learned from the measured blur of domain B.

level = P(look(B), mask_B)    log2(1 + radius); the look is too small and soft to show sharpness

nll    certainty * (|level - blur_B| / b + log b), with b the error that P itself expects at each place (Laplace)

blur_B is what `--model defocus` measured: `scripts/measure_blur.py --dataroot D` first. The network goes beside a lens
generator, which then blurs each place as P says: `test.py --radius latest_net_P.pth`.
"""

from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from models.acceleration import WeightAverage
from models.base_model import BaseModel, Losses, Visuals
from models.defocus_model import shown_levels
from models.lens.radius import LOOK_SIGMA, RadiusNet, look
from models.losses.blur import laplace_nll
from models.options.radius import RadiusOptions
from models.unpaired import mask_visuals
from util.errors import UserError
from util.options import Options

# Deviations of the look's Gaussian in training, as multiples of that at test.
SIGMAS = (0.8, 1.3)


class RadiusModel(RadiusOptions, BaseModel):
    """One network, P, from a photo without sharpness and its mask to the level of blur at each place."""

    visuals_of: ClassVar = {"B_paths": ("real_B", "seen_B", "blur_B", "level_B", "mask_B")}

    def __init__(self, opt: Options):
        super().__init__(opt)
        if not self.isTrain:
            raise UserError("--model radius is for training; test.py --radius uses what it learned")
        self.netP = self.networks["P"] = RadiusNet(opt.npf).to(self.device)
        self.optimizer_P = self.add_optimizer("P", [self.netP])
        if opt.ema > 0:
            self.averages["P"] = WeightAverage(self.netP, opt.ema)

    def set_input(self, batch: dict[str, Any]) -> None:
        """Take `B` `[B,3,H,W] in [-1,1]`, `mask_B` `[B,1,H,W] in [0,1]` and `blur_B` `[B,2,H,W]`."""
        self.real_B, self.mask_B, blur_B = (
            batch[key].to(self.device, non_blocking=True) for key in ("B", "mask_B", "blur_B")
        )
        self.blur_B, self.certainty_B = F.avg_pool2d(blur_B, 4).split(1, dim=1)

    def forward(self) -> None:
        """P on the look of real_B: exposed, coloured and softened at random."""
        gain = torch.empty(len(self.real_B), 3, 1, 1, device=self.device).uniform_(0.75, 1.25)
        shift = torch.empty(len(self.real_B), 1, 1, 1, device=self.device).uniform_(-0.15, 0.15)
        sigma = LOOK_SIGMA * float(torch.empty(()).uniform_(*SIGMAS))
        self.seen_B = look((self.real_B * gain + shift).clamp(-1, 1), self.mask_B, sigma)
        self.level_B, self.log_scale = self.netP(self.seen_B)

    def optimize_parameters(self) -> Losses:
        self.forward()
        error = (self.level_B - self.blur_B).abs()
        weight = self.certainty_B / self.certainty_B.mean().clamp(min=1e-6)
        loss = (weight * laplace_nll(error, self.log_scale)).mean()
        self.step("P", loss)
        return {"nll": loss.detach(), "error": (weight * error).mean().detach()}

    def test(self) -> None:
        raise NotImplementedError("test.py --radius runs it")

    def compute_visuals(self) -> Visuals:
        shown = shown_levels(self.real_B, blur_B=self.blur_B, level_B=self.level_B)
        return {"real_B": self.real_B, "seen_B": self.seen_B[:, :3], **shown} | mask_visuals(
            mask_B=self.mask_B
        )
