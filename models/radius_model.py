"""Where and how much a real lens blurs, learned from the measured blur of domain B.

level = P(look(B), mask_B)    log2(1 + radius); the look is too small and soft to show sharpness

nll    trust * (|level - blur_B| / b + log b) * b^0.5, with b the error that P itself expects at each place (Laplace);
       the last b has no gradient
rank   of two places of a background, the softer one must be said to be softer; times --lambda_rank
critic distance of the levels predicted for photos of A from those measured in B, as distributions: at the feet, beside
       the subject, far from it; times --lambda_critic

blur_B is what `--model defocus` measured: `scripts/measure_blur.py --dataroot D` first. The network goes beside a lens
generator, which then blurs each place as P says: `test.py --radius latest_net_P.pth`.
"""

from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from models.acceleration import Acceleration, WeightAverage, place
from models.base_model import BaseModel, Losses, Visuals, total
from models.lens.radius import LOOK_SIGMA, RadiusNet, look
from models.losses.blur import DistributionMatch, laplace_nll, ranking
from models.nets.effnet import load_imagenet
from models.options.radius import RadiusOptions
from models.visuals import level_visuals, mask_visuals
from util.errors import UserError
from util.measure.blur_prediction import REGIONS
from util.options import Options

# Share of a place that must lie in a region.
MOSTLY = 0.7

# Deviations of the look's Gaussian in training, as multiples of that at test: how soft a look is then says little of
# how soft its photo is.
SIGMAS = (0.8, 1.8)

# See `laplace_nll`: half way between the likelihood and the mean absolute error.
EVENED = 0.5


class RadiusModel(RadiusOptions, BaseModel):
    """One network, P, from a photo without sharpness and its mask to the level of blur at each place."""

    visuals_of: ClassVar = {"B_paths": ("real_B", "seen_B", "blur_B", "level_B", "mask_B")}

    def __init__(self, opt: Options):
        super().__init__(opt)
        if not self.isTrain:
            raise UserError("--model radius is for training; test.py --radius uses what it learned")
        self.netP = place(RadiusNet(opt.npf), Acceleration.of_options(opt), self.device)
        self.networks["P"] = self.netP
        load_imagenet(self.netP.encoder, opt.encoder_weights)
        self.optimizer_P = self.add_optimizer("P", [self.netP])
        self.matches = {name: DistributionMatch() for name in REGIONS}
        self.memories |= self.matches
        if opt.ema > 0:
            self.averages["P"] = WeightAverage(self.netP, opt.ema)

    def set_input(self, batch: dict[str, Any]) -> None:
        """Take `B` `[B,3,H,W] in [-1,1]`, `mask_B` and `inside_B` `[B,1,H,W] in [0,1]` and `blur_B` `[B,2,H,W]`."""
        self.real_B, self.mask_B, self.inside_B, blur_B = (
            batch[key].to(self.device, non_blocking=True) for key in ("B", "mask_B", "inside_B", "blur_B")
        )
        self.blur_B, certainty = F.avg_pool2d(blur_B, 4).split(1, dim=1)
        self.trust_B = certainty * F.avg_pool2d(self.inside_B, 4)
        if self.opt.lambda_critic > 0:
            self.real_A, self.mask_A, self.inside_A, regions_A, regions_B = (
                batch[key].to(self.device, non_blocking=True)
                for key in ("A", "mask_A", "inside_A", "regions_A", "regions_B")
            )
            self.regions = [F.avg_pool2d(x, 4) > MOSTLY for x in (regions_A, regions_B)]

    def looked_at(self, x: torch.Tensor, mask: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
        """Look at `x`, exposed, coloured and softened at random; nothing is beyond the photo."""
        gain = torch.empty(len(x), 3, 1, 1, device=self.device).uniform_(0.75, 1.25)
        shift = torch.empty(len(x), 1, 1, 1, device=self.device).uniform_(-0.15, 0.15)
        sigma = LOOK_SIGMA * float(torch.empty(()).uniform_(*SIGMAS))
        return inside * look((x * gain + shift).clamp(-1, 1), mask, sigma)

    def forward(self) -> None:
        """P on the look of real_B."""
        self.seen_B = self.looked_at(self.real_B, self.mask_B, self.inside_B)
        self.level_B, self.log_scale = self.netP(self.seen_B)

    def optimize_parameters(self) -> Losses:
        self.forward()
        error = (self.level_B - self.blur_B).abs()
        weight = self.trust_B / self.trust_B.mean().clamp(min=1e-6)
        losses = {"nll": (weight * laplace_nll(error, self.log_scale, EVENED)).mean()}
        if self.opt.lambda_rank > 0:
            background = weight * (1 - F.avg_pool2d(self.mask_B, 4))
            losses["rank"] = self.opt.lambda_rank * ranking(self.level_B, self.blur_B, background)
        if self.opt.lambda_critic > 0:
            losses["critic"] = self.opt.lambda_critic * self.critic_loss()
        self.step("P", total(losses))
        return {name: loss.detach() for name, loss in losses.items()} | {
            "error": (weight * error).mean().detach()
        }

    def critic_loss(self) -> torch.Tensor:
        """Distance between what P says of A and what was measured in B, the mean of the regions."""
        level_A, _ = self.netP(self.looked_at(self.real_A, self.mask_A, self.inside_A))
        distances = [
            match(level_A, ours[:, None], self.blur_B, real[:, None])
            for match, ours, real in zip(
                self.matches.values(), *(x.unbind(1) for x in self.regions), strict=True
            )
        ]
        return torch.stack(distances).mean()

    def test(self) -> None:
        raise NotImplementedError("test.py --radius runs it")

    def compute_visuals(self) -> Visuals:
        shown = level_visuals(self.real_B, blur_B=self.blur_B, level_B=self.level_B)
        return {"real_B": self.real_B, "seen_B": self.seen_B[:, :3], **shown} | mask_visuals(
            mask_B=self.mask_B
        )
