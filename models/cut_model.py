"""CUT and FastCUT (Park et al. 2020) with mask overlay and mask loss: one generator, no way back.

    fake_B = G(real_A)    idt_B = G(real_B)    D judges domain B    F maps G's features to where patches are compared

In place of a cycle, patches of the output must match the input's at the same place, by features of G's own encoder.
The contrastive and the mask loss look at the generator's own output, `own_B`; with `--add_mask` D sees the overlay.
"""

from typing import ClassVar, cast

import torch

from models.base_model import Losses, Visuals, set_requires_grad, total
from models.losses.gan import GANLoss
from models.losses.masking import MaskLosses, paste
from models.losses.patchnce import PatchSampler, draw_places, patch_nce_loss
from models.nets.resnet import ResnetGenerator
from models.networks import init_weights
from models.options.cut import CUTOptions, parse_layers
from models.unpaired import UnpairedModel
from models.visuals import mask_visuals, subject_labels, subject_visuals
from util.image_pool import ImagePool
from util.options import Options
from util.present import present

# What the mask loss is multiplied with beside --lambda_mask: in cycle_gan it is lambda_A, so that recipes carry over.
MASK_WEIGHT = 10.0


class CUTModel(CUTOptions, UnpairedModel):
    """One generator and one discriminator, trained on unpaired photos of domains A and B."""

    visuals_of: ClassVar = {
        "A_paths": ("real_A", "fake_B", *subject_labels("A")),
        "B_paths": ("real_B", "idt_B", "mask_B"),
    }

    def __init__(self, opt: Options):
        super().__init__(opt)
        self.mirrored = False
        self.netG = cast(ResnetGenerator, self.add_generator("G", opt.input_nc, opt.output_nc))
        if not self.isTrain:
            return
        self.nce_layers = parse_layers(opt.nce_layers)
        netF = PatchSampler(feature_widths(self.netG, opt.input_nc, self.nce_layers), opt.netF_nc)
        self.netF = init_weights(netF, opt.init_type, opt.init_gain).to(self.device)
        self.networks["F"] = self.netF
        self.netD = self.add_discriminator("D", opt.output_nc)
        self.gan_loss = GANLoss.of_options(opt)
        self.mask_losses = MaskLosses(opt)
        self.add_optimizer("G", [self.netG, self.netF])
        self.add_optimizer("D", [self.netD])
        self.pools = {"fake_B": ImagePool(opt.pool_size)}

    def mirror(self, x: torch.Tensor) -> torch.Tensor:
        """`x` `[B,C,H,W]` left to right in the steps in which G sees mirrored photos; its own inverse."""
        return x.flip(-1) if self.mirrored else x

    def forward(self) -> None:
        """The translation; in training also the identity."""
        self.mirrored = bool(self.isTrain and self.opt.flip_equivariance and torch.rand(()) < 0.5)
        other = self.mirror(self.real_B) if self.isTrain and self.opt.nce_idt else None
        own, idt = self.translate(self.netG, self.mirror(self.real_A), other)
        self.own_B = self.mirror(own)
        self.idt_B = None if idt is None else self.mirror(idt)
        self.fake_B = paste(self.own_B, self.real_A, self.mask_A, self.opt)

    def nce_loss(self, source: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """Mean over layers of the contrastive loss of `output`'s patches with those of `source`."""
        features = [self.mirror(f) for f in self.netG.features(self.mirror(output), self.nce_layers)]
        places = draw_places(features, self.opt.num_patches)
        # Queries first: autocast keeps its copies of weights, and those made without gradient would serve both.
        queries = self.netF(features, places)
        with torch.no_grad():
            keys = self.netF(self.netG.features(source, self.nce_layers), places)
        losses = [patch_nce_loss(q, k, self.opt.nce_T) for q, k in zip(queries, keys, strict=True)]
        return torch.stack(losses).mean()

    def generator_losses(self) -> Losses:
        """All terms of the generator, each already times its weight."""
        opt = self.opt
        losses = {"G": opt.lambda_GAN * self.gan_loss.generator(self.netD, self.judged(self.fake_B))}
        if opt.lambda_NCE > 0:
            share = 0.5 if opt.nce_idt else 1.0
            losses["NCE"] = share * opt.lambda_NCE * self.nce_loss(self.real_A, self.own_B)
            if opt.nce_idt:
                losses["NCE_Y"] = share * opt.lambda_NCE * self.nce_loss(self.real_B, present(self.idt_B))
        losses |= self.color_loss(self.own_B, self.real_A, self.mask_A)
        return losses | self.mask_losses(self.own_B, self.real_A, self.mask_A, weight=MASK_WEIGHT)

    def optimize_parameters(self) -> Losses:
        """A step of D, then one of G and F against the D that it has become."""
        self.forward()
        set_requires_grad([self.netD], True)
        loss_D = self.discriminator_loss("fake_B", self.netD, self.real_B, self.fake_B)
        self.step("D", loss_D)

        set_requires_grad([self.netD], False)
        losses = self.generator_losses()
        self.step("G", total(losses))
        return losses | {"D": loss_D}

    @torch.inference_mode()
    def test(self) -> None:
        self.forward()

    def compute_visuals(self) -> Visuals:
        visuals = {"real_A": self.real_A, "fake_B": self.fake_B}
        visuals |= subject_visuals("A", self.own_B, self.real_A, self.mask_A, self.opt.add_mask)
        visuals |= {"real_B": self.real_B, "idt_B": self.idt_B} | mask_visuals(mask_B=self.mask_B)
        return {name: image.detach() for name, image in visuals.items() if image is not None}


@torch.no_grad()
def feature_widths(netG: ResnetGenerator, input_nc: int, layers: list[int]) -> list[int]:
    """Channels of what comes out of `layers` of `netG`, found by a pass of a small image."""
    device = next(netG.parameters()).device
    # Running statistics and random numbers stay as they are.
    netG.eval()
    features = netG.features(torch.zeros(1, input_nc, 32, 32, device=device), layers)
    netG.train()
    return [feature.shape[1] for feature in features]
