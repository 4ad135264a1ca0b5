"""pix2pix (Isola et al. 2017): paired photos, a conditional discriminator, an L1 loss; mask loss and overlay on top.

    fake_B = G(real_A)    D judges the pair (real_A, B)

Defaults are those of pytorch-CycleGAN-and-pix2pix: U-Net with batch norm and dropout, vanilla GAN loss, no pool. The
mask overlay pastes the real subject of A over the fake; the mask loss, times `lambda_L1`, compares subjects with A's.
"""

from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from models.base_model import BaseModel, Losses, Visuals, set_requires_grad, total
from models.losses.gan import GANLoss
from models.losses.masking import MaskLosses, paste
from models.options.pix2pix import Pix2PixOptions
from models.visuals import subject_labels, subject_visuals
from util.image_pool import ImagePool
from util.options import Options


class Pix2PixModel(Pix2PixOptions, BaseModel):
    """One generator and one discriminator, trained on pairs of photos."""

    visuals_of: ClassVar = {"A_paths": ("real_A", "fake_B", "real_B", *subject_labels("A"))}

    def __init__(self, opt: Options):
        super().__init__(opt)
        self.netG = self.add_generator("G", opt.input_nc, opt.output_nc)
        if not self.isTrain:
            return
        self.netD = self.add_discriminator("D", opt.input_nc + opt.output_nc)
        self.gan_loss = GANLoss(opt.gan_mode)
        self.mask_losses = MaskLosses(opt)
        self.optimizer_G = self.add_optimizer("G", [self.netG])
        self.optimizer_D = self.add_optimizer("D", [self.netD])
        self.pools = {"fake_AB": ImagePool(opt.pool_size)}

    def set_input(self, batch: dict[str, Any]) -> None:
        """Take `A`, `B` `[B,C,H,W] in [-1,1]` and, where it is, `mask_A` `[B,1,H,W] in [0,1]`."""
        self.real_A, self.real_B = (batch[key].to(self.device, non_blocking=True) for key in ("A", "B"))
        self.mask_A = batch["mask_A"].to(self.device, non_blocking=True) if "mask_A" in batch else None

    def forward(self) -> None:
        """The translation; `own_B` is the generator's own, `fake_B` the same with the overlay."""
        self.own_B = self.netG(self.real_A)
        self.fake_B = paste(self.own_B, self.real_A, self.mask_A, self.opt)

    def pair(self, B: torch.Tensor) -> torch.Tensor:
        """What the discriminator judges: `real_A` and `B` in one, `[B,input_nc+output_nc,H,W]`."""
        return torch.cat([self.real_A, B], dim=1)

    def generator_losses(self) -> Losses:
        """All terms of the generator, each already times its weight."""
        lambda_L1 = self.opt.lambda_L1
        losses = {
            "G": self.gan_loss(self.netD(self.pair(self.fake_B)), True),
            "L1": lambda_L1 * F.l1_loss(self.fake_B, self.real_B),
        }
        return losses | self.mask_losses(self.own_B, self.real_A, self.mask_A, weight=lambda_L1)

    def optimize_parameters(self) -> Losses:
        """A step of D, then one of G against the D that it has become."""
        self.forward()
        set_requires_grad([self.netD], True)
        fake_AB = self.pools["fake_AB"].query(self.pair(self.fake_B))
        loss_D = self.gan_loss.discriminator(self.netD, self.pair(self.real_B), fake_AB)
        self.step("D", loss_D)

        set_requires_grad([self.netD], False)
        losses = self.generator_losses()
        self.step("G", total(losses))
        return losses | {"D": loss_D}

    @torch.inference_mode()
    def test(self) -> None:
        self.forward()

    def compute_visuals(self) -> Visuals:
        visuals = {"real_A": self.real_A, "fake_B": self.fake_B, "real_B": self.real_B}
        visuals |= subject_visuals("A", self.own_B, self.real_A, self.mask_A, self.opt.add_mask)
        return {name: image.detach() for name, image in visuals.items()}
