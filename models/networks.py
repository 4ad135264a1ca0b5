"""Networks, their initial weights and their learning rates by option name: the names of `models.options.networks`."""

import torch
from torch import nn
from torch.nn import init
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm
from torch.optim import Optimizer, lr_scheduler

from models.nets.base import GeneratorNet
from models.nets.discriminators import NLayerDiscriminator, PixelDiscriminator
from models.nets.effnet import EffnetGenerator
from models.nets.norms import get_norm_layer, needs_bias
from models.nets.resnet import ResnetGenerator
from models.nets.unet import UnetGenerator
from models.options.networks import kind_of
from util.options import Options


def define_G(
    input_nc: int,
    output_nc: int,
    ngf: int,
    netG: str,
    norm: str = "instance",
    use_dropout: bool = False,
    upsample: str = "transpose",
    antialias: bool = False,
) -> GeneratorNet:
    """The generator called `netG`, a name of `kind_of`, with PyTorch's default weights.

    `upsample`, one of `UPSAMPLERS`, and `antialias` are how ResNets change sizes; U-Nets have one way.
    """
    norm_layer = get_norm_layer(norm)
    family, depth = kind_of(netG)
    if family == "resnet":
        return ResnetGenerator(input_nc, output_nc, ngf, norm_layer, use_dropout, depth, upsample, antialias)
    if family == "unet":
        return UnetGenerator(input_nc, output_nc, depth, ngf, norm_layer, use_dropout)
    return EffnetGenerator(input_nc, output_nc, ngf, norm_layer)


def define_D(input_nc: int, ndf: int, netD: str, n_layers_D: int = 3, norm: str = "instance") -> nn.Module:
    """The discriminator called `netD`, one of `DISCRIMINATORS`, with PyTorch's default weights.

    `norm` is one of `NORMS_D`; `spectral` divides each convolution's weights by their largest singular value
    (Miyato et al. 2018) and has no layers between.
    """
    spectral = norm == "spectral"
    norm_layer = get_norm_layer("none" if spectral else norm)
    bias = spectral or needs_bias(norm_layer)
    if netD == "pixel":
        net: nn.Module = PixelDiscriminator(input_nc, ndf, norm_layer, bias)
    else:
        net = NLayerDiscriminator(input_nc, ndf, 3 if netD == "basic" else n_layers_D, norm_layer, bias)
    if spectral:
        for layer in [module for module in net.modules() if isinstance(module, nn.Conv2d)]:
            spectral_norm(layer)
    return net


@torch.no_grad()
def init_weights(net: nn.Module, init_type: str = "normal", init_gain: float = 0.02) -> nn.Module:
    """Fill `net`'s weights in place, biases with 0; `init_type` is one of `INITS`.

    Batch norm weights are drawn around 1 with deviation `init_gain`, as in DCGAN (Radford et al. 2016).
    """
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            weight: torch.Tensor = module.weight
            if parametrize.is_parametrized(module, "weight"):
                weight = module.get_parameter("parametrizations.weight.original")
            if init_type == "normal":
                init.normal_(weight, 0.0, init_gain)
            elif init_type == "xavier":
                init.xavier_normal_(weight, gain=init_gain)
            elif init_type == "kaiming":
                init.kaiming_normal_(weight, a=0, mode="fan_in")
            else:
                init.orthogonal_(weight, gain=init_gain)
            if module.bias is not None:
                init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            init.normal_(module.weight, 1.0, init_gain)
            init.zeros_(module.bias)
    return net


class LinearDecay:
    """Factor of the learning rate: 1 for `n_epochs` epochs, then linearly towards 0 over `n_epochs_decay`.

    A class and not a closure, so that a scheduler which holds it can be pickled. `epoch` counts from 0.
    """

    def __init__(self, n_epochs: int, n_epochs_decay: int, epoch_count: int = 1):
        self.n_epochs = n_epochs
        self.n_epochs_decay = n_epochs_decay
        self.epoch_count = epoch_count

    def __call__(self, epoch: int) -> float:
        return 1.0 - max(0, epoch + self.epoch_count - self.n_epochs) / (self.n_epochs_decay + 1)


def get_scheduler(optimizer: Optimizer, opt: Options) -> lr_scheduler.LRScheduler:
    """Learning-rate policy `opt.lr_policy`, one of `LR_POLICIES`; step it once at the end of each epoch."""
    if opt.lr_policy == "linear":
        decay = LinearDecay(opt.n_epochs, opt.n_epochs_decay, opt.epoch_count)
        return lr_scheduler.LambdaLR(optimizer, decay)
    if opt.lr_policy == "step":
        return lr_scheduler.StepLR(optimizer, step_size=opt.lr_decay_iters, gamma=0.1)
    if opt.lr_policy == "plateau":
        return lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.2, threshold=0.01, patience=5)
    return lr_scheduler.CosineAnnealingLR(optimizer, T_max=opt.n_epochs + opt.n_epochs_decay)
