"""A generator alone, taught by photos and masks where to blur; no inverse network, and a discriminator at will.

fake_B = G(real_A)

focus_A, focus_B   the in-focus weight is the subject's mask, on the photos of both domains
lens_A             outside the subject, fake_B is what a lens makes of real_A behind its mask
mask_A             the subject of fake_B is real_A's
G_A                D, which sees domain B, takes fake_B for real (off by default)
"""

from typing import Any, ClassVar, cast

import torch

from models.base_model import Losses, Visuals, set_requires_grad, total
from models.lens.generator import LensGenerator
from models.losses.gan import GANLoss
from models.losses.lens import focus_loss
from models.losses.masking import MaskLosses
from models.options.lens import LensOptions
from models.unpaired import UnpairedModel
from models.visuals import mask_visuals
from util.errors import UserError
from util.image_pool import ImagePool
from util.options import Options
from util.present import present


class LensModel(LensOptions, UnpairedModel):
    """One generator of `--output_mode lens`, from domain A to B."""

    visuals_of: ClassVar = {"A_paths": ("real_A", "fake_B", "in_focus", "mask_A")}

    def __init__(self, opt: Options):
        super().__init__(opt)
        channels = opt.input_nc + (self.isTrain and opt.mask_input)
        self.netG = cast(LensGenerator, self.add_generator("G", channels, opt.output_nc))
        if not self.isTrain:
            return
        self.mask_losses = MaskLosses(opt)
        self.optimizer_G = self.add_optimizer("G", [self.netG])
        if opt.lambda_GAN > 0:
            self.netD = self.add_discriminator("D", opt.output_nc)
            self.gan_loss = GANLoss.of_options(opt)
            self.optimizer_D = self.add_optimizer("D", [self.netD])
            self.pools = {"fake_B": ImagePool(opt.pool_size)}

    def set_input(self, batch: dict[str, Any]) -> None:
        """As of every unpaired model; in training `share` is how much of the blur each background still needs.

        It is measured behind the mask, which knows better than a network that learns, and once for both blurs.
        """
        super().set_input(batch)
        self.depth_A = batch["depth_A"].to(self.device) if "depth_A" in batch else None
        self.share = self.netG.softening(self.real_A, present(self.mask_A)) if self.isTrain else None

    def forward(self) -> None:
        """The lens on real_A."""
        if self.netG.takes_mask and self.mask_A is None:
            raise UserError("this generator was trained with masks, and the dataroot has no maskA")
        self.weights, self.logits_A = self.netG.decide(self.real_A, self.mask_A)
        if self.isTrain:
            self.fake_B = self.netG.blur(self.real_A, self.weights, self.share)
        else:
            self.fake_B = self.netG.render(self.real_A, self.weights, self.depth_A, logits=self.logits_A)

    def generator_losses(self) -> Losses:
        """All terms, each already times its weight."""
        opt, mask_A, mask_B = self.opt, present(self.mask_A), present(self.mask_B)
        losses: Losses = {}
        if opt.lambda_focus > 0:
            logits_B = self.netG.logits(self.real_B, mask_B)
            losses["focus_A"] = opt.lambda_focus * focus_loss(self.logits_A, mask_A)
            losses["focus_B"] = opt.lambda_focus * focus_loss(logits_B, mask_B)
        if opt.lambda_lens > 0:
            difference = (self.fake_B - self.lens_blur(mask_A)).abs() * (1 - mask_A)
            losses["lens_A"] = opt.lambda_lens * difference.mean()
        if opt.lambda_GAN > 0:
            losses["G_A"] = opt.lambda_GAN * self.gan_loss.generator(self.netD, self.judged(self.fake_B))
        of_mask = self.mask_losses(self.fake_B, self.real_A, mask_A, weight=1.0)
        return losses | {f"{term}_A": loss for term, loss in of_mask.items()}

    @torch.no_grad()
    def lens_blur(self, mask: torch.Tensor) -> torch.Tensor:
        """real_A with its background out of focus, as `mask` `[B,1,H,W]` tells them apart: `[B,3,H,W] in [-1,1]`."""
        weights = torch.cat([mask, 1 - mask], dim=1)
        return self.netG.blur(self.real_A, weights, self.share, (self.opt.lens_target,))

    def optimize_parameters(self) -> Losses:
        """A step of G, then one of D if there is any."""
        adversarial = self.opt.lambda_GAN > 0
        if adversarial:
            set_requires_grad([self.netD], False)
        self.forward()
        losses = self.generator_losses()
        self.step("G", total(losses))
        if adversarial:
            set_requires_grad([self.netD], True)
            losses["D_A"] = self.discriminator_loss("fake_B", self.netD, self.real_B, self.fake_B)
            self.step("D", losses["D_A"])
        return losses

    @torch.inference_mode()
    def test(self) -> None:
        self.forward()

    def compute_visuals(self) -> Visuals:
        visuals = {"real_A": self.real_A, "fake_B": self.fake_B}
        visuals |= mask_visuals(in_focus=self.weights[:, :1], mask_A=self.mask_A)
        return {name: image.detach() for name, image in visuals.items()}
