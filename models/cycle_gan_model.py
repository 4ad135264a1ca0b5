"""CycleGAN (Zhu et al. 2017) with mask overlay and mask loss.

    fake_B = G_A(real_A)    rec_A = G_B(fake_B)    idt_A = G_A(real_B)    D_A judges domain B
    fake_A = G_B(real_B)    rec_B = G_A(fake_A)    idt_B = G_B(real_A)    D_B judges domain A

With `--add_mask` each fake and each rec gets the real subject of its own input pasted over it in training. The
mask loss looks at the generator's own output, `own_B` and `own_A`, before that.
"""

import argparse
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import nn

from models.base_model import BaseModel, Losses, Visuals, set_requires_grad
from models.losses import GANLoss
from models.masking import MaskLosses, add_mask_options, check_mask_options, masks_needed, paste
from util.errors import UserError
from util.image_pool import ImagePool


class CycleGANModel(BaseModel):
    """Two generators and two discriminators, trained on unpaired photos of domains A and B."""

    visuals_of: ClassVar = {
        "A_paths": ("real_A", "fake_B", "rec_A", "mask_A"),
        "B_paths": ("real_B", "fake_A", "rec_B", "mask_B"),
    }

    @staticmethod
    def modify_commandline_options(
        parser: argparse.ArgumentParser, is_train: bool
    ) -> argparse.ArgumentParser:
        parser.set_defaults(no_dropout=True)
        if is_train:
            parser.add_argument(
                "--lambda_A", type=float, default=10.0, help="weight of the cycle A -> B -> A"
            )
            parser.add_argument(
                "--lambda_B", type=float, default=10.0, help="weight of the cycle B -> A -> B"
            )
            parser.add_argument(
                "--lambda_identity",
                type=float,
                default=0.5,
                help="weight of the identity loss, relative to lambda_A and lambda_B; keeps colours; 0 = off",
            )
            add_mask_options(parser)
        return parser

    @staticmethod
    def uses_masks(opt: argparse.Namespace) -> bool:
        return masks_needed(opt)

    @staticmethod
    def check_options(opt: argparse.Namespace) -> None:
        check_mask_options(opt)
        if opt.lambda_identity > 0 and opt.input_nc != opt.output_nc:
            raise UserError(
                "--lambda_identity needs --input_nc equal to --output_nc; add --lambda_identity 0"
            )

    def __init__(self, opt: argparse.Namespace):
        super().__init__(opt)
        self.netG_A = self.add_generator("G_A", opt.input_nc, opt.output_nc)
        self.netG_B = self.add_generator("G_B", opt.output_nc, opt.input_nc)
        if not self.isTrain:
            return
        self.netD_A = self.add_discriminator("D_A", opt.output_nc)
        self.netD_B = self.add_discriminator("D_B", opt.input_nc)
        self.gan_loss = GANLoss(opt.gan_mode)
        self.mask_losses = MaskLosses(opt)
        self.optimizer_G = self.add_optimizer("G", [self.netG_A, self.netG_B])
        self.optimizer_D = self.add_optimizer("D", [self.netD_A, self.netD_B])
        self.pools = {"fake_B": ImagePool(opt.pool_size), "fake_A": ImagePool(opt.pool_size)}

    def set_input(self, batch: dict[str, Any]) -> None:
        """Take `A`, `B` `[B,C,H,W] in [-1,1]` and, where they are, `mask_A`, `mask_B` `[B,1,H,W] in [0,1]`."""
        self.real_A = batch["A"].to(self.device, non_blocking=True)
        self.real_B = batch["B"].to(self.device, non_blocking=True)
        self.mask_A, self.mask_B = (
            batch[key].to(self.device, non_blocking=True) if key in batch else None
            for key in ("mask_A", "mask_B")
        )

    def forward(self) -> None:
        """Both translations and both cycles; in training also the identities."""
        self.own_B, self.idt_A = self.translate(self.netG_A, self.real_A, self.real_B)
        self.own_A, self.idt_B = self.translate(self.netG_B, self.real_B, self.real_A)
        self.fake_B = paste(self.own_B, self.real_A, self.mask_A, self.opt)
        self.fake_A = paste(self.own_A, self.real_B, self.mask_B, self.opt)
        self.rec_A = paste(self.netG_B(self.fake_B), self.real_A, self.mask_A, self.opt)
        self.rec_B = paste(self.netG_A(self.fake_A), self.real_B, self.mask_B, self.opt)

    def translate(
        self, netG: nn.Module, real: torch.Tensor, other: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """`G(real)`, and `G(other)` where the identity loss wants it.

        One call for both where the norm treats every image by itself: fewer, larger matrix products, same numbers.
        """
        if not self.isTrain or self.opt.lambda_identity == 0:
            return netG(real), None
        if self.opt.norm in ("instance", "none") and real.shape[1:] == other.shape[1:]:
            own, idt = netG(torch.cat([real, other])).split([len(real), len(other)])
            return own, idt
        return netG(real), netG(other)

    def generator_losses(self) -> Losses:
        """All terms of both generators, each already times its weight."""
        opt = self.opt
        loss_A = self.one_way_losses(
            self.netD_A,
            self.real_A,
            self.own_B,
            self.fake_B,
            self.rec_A,
            self.mask_A,
            lambda_cycle=opt.lambda_A,
        )
        loss_B = self.one_way_losses(
            self.netD_B,
            self.real_B,
            self.own_A,
            self.fake_A,
            self.rec_B,
            self.mask_B,
            lambda_cycle=opt.lambda_B,
        )
        if opt.lambda_identity > 0:
            loss_A["idt"] = opt.lambda_B * opt.lambda_identity * F.l1_loss(self.idt_A, self.real_B)
            loss_B["idt"] = opt.lambda_A * opt.lambda_identity * F.l1_loss(self.idt_B, self.real_A)
        return {f"{term}_A": loss for term, loss in loss_A.items()} | {
            f"{term}_B": loss for term, loss in loss_B.items()
        }

    def one_way_losses(
        self,
        netD: nn.Module,
        real: torch.Tensor,
        own: torch.Tensor,
        fake: torch.Tensor,
        rec: torch.Tensor,
        mask: torch.Tensor | None,
        lambda_cycle: float,
    ) -> Losses:
        """Terms of one direction: `real` became `own`, with the overlay `fake`, and came back as `rec`."""
        losses = {"G": self.gan_loss(netD(fake), True), "cycle": lambda_cycle * F.l1_loss(rec, real)}
        return losses | self.mask_losses(own, real, mask, weight=lambda_cycle)

    def optimize_parameters(self) -> Losses:
        """A step of G_A and G_B together, then one of D_A and D_B on fakes from the pools."""
        nets_D = (self.netD_A, self.netD_B)
        set_requires_grad(nets_D, False)
        self.forward()
        losses = self.generator_losses()
        self.optimizer_G.zero_grad()
        sum(losses.values()).backward()
        self.optimizer_G.step()

        set_requires_grad(nets_D, True)
        losses["D_A"] = self.gan_loss.discriminator(
            self.netD_A, self.real_B, self.pools["fake_B"].query(self.fake_B)
        )
        losses["D_B"] = self.gan_loss.discriminator(
            self.netD_B, self.real_A, self.pools["fake_A"].query(self.fake_A)
        )
        self.optimizer_D.zero_grad()
        (losses["D_A"] + losses["D_B"]).backward()
        self.optimizer_D.step()
        return {term: loss.detach() for term, loss in losses.items()}

    @torch.inference_mode()
    def test(self) -> None:
        self.forward()

    def compute_visuals(self) -> Visuals:
        visuals = {"real_A": self.real_A, "fake_B": self.fake_B, "rec_A": self.rec_A}
        visuals |= {"idt_B": self.idt_B} if self.idt_B is not None else {}
        visuals |= {"mask_A": self.mask_A * 2 - 1} if self.mask_A is not None else {}
        visuals |= {"real_B": self.real_B, "fake_A": self.fake_A, "rec_B": self.rec_B}
        visuals |= {"idt_A": self.idt_A} if self.idt_A is not None else {}
        visuals |= {"mask_B": self.mask_B * 2 - 1} if self.mask_B is not None else {}
        return {name: image.detach() for name, image in visuals.items()}
