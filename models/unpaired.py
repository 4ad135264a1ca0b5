"""What models on unpaired photos share: batches with masks, and what discriminators see."""

from typing import Any

import torch
from torch import nn

from models.base_model import BaseModel
from models.losses.color import block_means
from models.losses.gan import GANLoss
from models.losses.masking import hide_subjects
from models.options.unpaired import UnpairedOptions
from util.present import present


class UnpairedModel(UnpairedOptions, BaseModel):
    """A model of photos of domains A and B, each with its mask where masks are read; has its `gan_loss`."""

    gan_loss: GANLoss

    def set_input(self, batch: dict[str, Any]) -> None:
        """Take `A`, `B` `[B,C,H,W] in [-1,1]` and, where they are, `mask_A`, `mask_B` `[B,1,H,W] in [0,1]`."""
        self.real_A = batch["A"].to(self.device, non_blocking=True)
        self.real_B = batch["B"].to(self.device, non_blocking=True)
        self.mask_A, self.mask_B = (
            batch[key].to(self.device, non_blocking=True) if key in batch else None
            for key in ("mask_A", "mask_B")
        )

    def translate(
        self, netG: nn.Module, real: torch.Tensor, other: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """`G(real)` and, where an identity loss wants it, `G(other)`.

        One call for both where the norm treats every image by itself: fewer, larger matrix products, same numbers.
        Not on a CPU, whose caches two large images leave: a default step took 5.65 s with it and 5.22 s without.
        """
        if other is None:
            return netG(real), None
        separate_norms = self.opt.norm in ("instance", "none")
        if separate_norms and self.device.type != "cpu" and real.shape[1:] == other.shape[1:]:
            own, idt = netG(torch.cat([real, other])).split([len(real), len(other)])
            return own, idt
        return netG(real), netG(other)

    def color_loss(
        self, own: torch.Tensor, real: torch.Tensor, mask: torch.Tensor | None
    ) -> dict[str, torch.Tensor]:
        """`color`: L1 between the low frequencies of the generator's `own` output and of `real`, outside the subject.

        A lens spreads light and keeps its colour. Nothing when the loss is off.
        """
        if self.opt.lambda_color == 0:
            return {}
        difference = block_means((own - real) * (1 - present(mask)))
        return {"color": self.opt.lambda_color * difference.abs().mean()}

    def judged(self, x: torch.Tensor) -> torch.Tensor:
        """The part of `x`, real or fake, that discriminators see.

        With `--gan_region background` the subjects of both photos of the step are painted out in both domains'
        images. With its own subject alone, a fake would carry the outlines of A and a real photo those of B, and
        D could tell them apart by shapes that no generator can change.
        """
        if self.opt.gan_region == "all":
            return x
        return hide_subjects(x, present(self.mask_A), present(self.mask_B))

    def discriminator_loss(
        self, name: str, netD: nn.Module, real: torch.Tensor, fake: torch.Tensor
    ) -> torch.Tensor:
        """D's loss on `real` photos and on fakes from the pool of that `name`, into which `fake` goes."""
        pooled = self.pools[name].query(self.judged(fake))
        return self.gan_loss.discriminator(netD, self.judged(real), pooled)
