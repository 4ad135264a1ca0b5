"""CycleGAN (Zhu et al. 2017) with mask overlay and mask loss.

    fake_B = G_A(real_A)    rec_A = G_B(fake_B)    idt_A = G_A(real_B)    D_A judges domain B
    fake_A = G_B(real_B)    rec_B = G_A(fake_A)    idt_B = G_B(real_A)    D_B judges domain A

With `--add_mask` each fake and each rec gets the real subject of its own input pasted over it in training. The
mask loss looks at the generator's own output, `own_B` and `own_A`, before that.
"""

from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from models.base_model import Losses, Visuals, set_requires_grad, total
from models.losses.color import block_means
from models.losses.gan import GANLoss
from models.losses.masking import MaskLosses, cutout, paste
from models.options.cycle_gan import CycleGANOptions
from models.unpaired import UnpairedModel
from models.visuals import subject_labels, subject_visuals
from util.image_pool import ImagePool
from util.options import Options
from util.present import present


class Way(NamedTuple):
    """What a step makes of the photos of one domain; images `[B,C,H,W] in [-1,1]`, masks `[B,1,H,W] in [0,1]`.

    Args:
        real: the photos.
        mask: of their subjects; None where no loss asks for them.
        own: what the generator makes of them.
        fake: the same, with `--add_mask` under the real subject.
        rec: what comes back from `fake`.
        other: photos of the domain that the generator leads to.
        idt: what the generator makes of those; None without identity loss.
    """

    real: torch.Tensor
    mask: torch.Tensor | None
    own: torch.Tensor
    fake: torch.Tensor
    rec: torch.Tensor
    other: torch.Tensor
    idt: torch.Tensor | None


class CycleGANModel(CycleGANOptions, UnpairedModel):
    """Two generators and two discriminators, trained on unpaired photos of domains A and B."""

    visuals_of: ClassVar = {
        "A_paths": ("real_A", "fake_B", "rec_A", *subject_labels("A")),
        "B_paths": ("real_B", "fake_A", "rec_B", *subject_labels("B")),
    }

    def __init__(self, opt: Options):
        super().__init__(opt)
        self.netG_A = self.add_generator("G_A", opt.input_nc, opt.output_nc)
        self.netG_B = self.add_generator("G_B", opt.output_nc, opt.input_nc)
        if not self.isTrain:
            return
        self.netD_A = self.add_discriminator("D_A", opt.output_nc)
        self.netD_B = self.add_discriminator("D_B", opt.input_nc)
        self.gan_loss = GANLoss.of_options(opt)
        self.mask_losses = MaskLosses(opt)
        self.optimizer_G = self.add_optimizer("G", [self.netG_A, self.netG_B])
        self.optimizer_D = self.add_optimizer("D", [self.netD_A, self.netD_B])
        self.pools = {"fake_B": ImagePool(opt.pool_size), "fake_A": ImagePool(opt.pool_size)}

    def forward(self) -> None:
        """Both translations and both cycles; in training also the identities."""
        with_idt = self.isTrain and self.opt.lambda_identity > 0
        self.own_B, self.idt_A = self.translate(self.netG_A, self.real_A, self.real_B if with_idt else None)
        self.own_A, self.idt_B = self.translate(self.netG_B, self.real_B, self.real_A if with_idt else None)
        self.fake_B = paste(self.own_B, self.real_A, self.mask_A, self.opt)
        self.fake_A = paste(self.own_A, self.real_B, self.mask_B, self.opt)
        self.rec_A = paste(self.netG_B(self.fake_B), self.real_A, self.mask_A, self.opt)
        self.rec_B = paste(self.netG_A(self.fake_A), self.real_B, self.mask_B, self.opt)

    def generator_losses(self) -> Losses:
        """All terms of both generators, each already times its weight; `way_losses` has the formulas."""
        opt = self.opt
        A_to_B = Way(self.real_A, self.mask_A, self.own_B, self.fake_B, self.rec_A, self.real_B, self.idt_A)
        B_to_A = Way(self.real_B, self.mask_B, self.own_A, self.fake_A, self.rec_B, self.real_A, self.idt_B)
        loss_A = self.way_losses(A_to_B, self.netD_A, opt.lambda_A, opt.lambda_B)
        loss_B = self.way_losses(B_to_A, self.netD_B, opt.lambda_B, opt.lambda_A)
        return {f"{term}_A": loss for term, loss in loss_A.items()} | {
            f"{term}_B": loss for term, loss in loss_B.items()
        }

    def way_losses(self, way: Way, netD: nn.Module, lambda_cycle: float, lambda_other: float) -> Losses:
        """Terms of one generator.

        For G_A, with lambda_A and lambda_B; for G_B every A and B change places:

            G_A     = GAN(D_A(fake_B), 1)
            cycle_A = lambda_A * L1(rec_A, real_A)
            color_A = lambda_color * L1(low frequencies of own_B, those of real_A), outside the subject
            mask_A  = lambda_A * lambda_mask * L1(cutout(own_B, mask_A), cutout(real_A, mask_A)), and the same by VGG19
            idt_A   = lambda_B * lambda_identity * L1(idt_A, real_B)
        """
        losses = {
            "G": self.gan_loss.generator(netD, self.judged(way.fake)),
            "cycle": lambda_cycle * self.cycle_loss(way.rec, way.real, way.mask),
        }
        losses |= self.color_loss(way.own, way.real, way.mask)
        losses |= self.mask_losses(way.own, way.real, way.mask, weight=lambda_cycle)
        if way.idt is not None:
            losses["idt"] = lambda_other * self.opt.lambda_identity * F.l1_loss(way.idt, way.other)
        return losses

    def cycle_loss(self, rec: torch.Tensor, real: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """L1 between `rec` and `real` over what `--cycle_region` names.

        The whole cycle asks for the sharp background back, which G_A can only grant by hiding it in its output.
        """
        if self.opt.cycle_region == "subject":
            rec, real = (cutout(x, present(mask)) for x in (rec, real))
        elif self.opt.cycle_region == "low":
            rec, real = block_means(rec), block_means(real)
        return F.l1_loss(rec, real)

    def optimize_parameters(self) -> Losses:
        """A step of G_A and G_B together, then one of D_A and D_B on fakes from the pools."""
        nets_D = (self.netD_A, self.netD_B)
        set_requires_grad(nets_D, False)
        self.forward()
        losses = self.generator_losses()
        self.step("G", total(losses))

        set_requires_grad(nets_D, True)
        losses["D_A"] = self.discriminator_loss("fake_B", self.netD_A, self.real_B, self.fake_B)
        losses["D_B"] = self.discriminator_loss("fake_A", self.netD_B, self.real_A, self.fake_A)
        self.step("D", losses["D_A"] + losses["D_B"])
        return losses

    @torch.inference_mode()
    def test(self) -> None:
        self.forward()

    def compute_visuals(self) -> Visuals:
        visuals = {"real_A": self.real_A, "fake_B": self.fake_B, "rec_A": self.rec_A, "idt_B": self.idt_B}
        visuals |= subject_visuals("A", self.own_B, self.real_A, self.mask_A, self.opt.add_mask)
        visuals |= {"real_B": self.real_B, "fake_A": self.fake_A, "rec_B": self.rec_B, "idt_A": self.idt_A}
        visuals |= subject_visuals("B", self.own_A, self.real_B, self.mask_B, self.opt.add_mask)
        return {name: image.detach() for name, image in visuals.items() if image is not None}
