"""U-Net generator of pix2pix (Isola et al. 2017, section 6.1.1)."""

import torch
from torch import nn

from models.nets.base import GeneratorNet
from models.nets.norms import NormLayer, needs_bias
from models.nets.resnet import FloatTanh
from util.present import present


class UnetGenerator(GeneratorNet):
    """Encoder and decoder of `num_downs` levels with skip connections, down to 1/2^num_downs, tanh at the end.

    `[B,input_nc,H,W] in [-1,1]` -> `[B,output_nc,H,W] in [-1,1]`, H and W multiples of `divisor`.
    """

    def __init__(
        self,
        input_nc: int,
        output_nc: int,
        num_downs: int,
        ngf: int,
        norm_layer: NormLayer,
        use_dropout: bool = False,
    ):
        super().__init__()
        self.divisor = 2**num_downs
        block = UnetBlock(8 * ngf, 8 * ngf, norm_layer)
        for _ in range(num_downs - 5):
            block = UnetBlock(8 * ngf, 8 * ngf, norm_layer, inner=block, use_dropout=use_dropout)
        for width in (4 * ngf, 2 * ngf, ngf):
            block = UnetBlock(width, 2 * width, norm_layer, inner=block)
        self.model = UnetBlock(output_nc, ngf, norm_layer, inner=block, input_nc=input_nc)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x)


class UnetBlock(nn.Module):
    """One level: halve the size, run the level inside, double the size, and hand both input and result up.

    Without `inner` it is the innermost level; with `input_nc` the outermost, which returns the image alone.
    """

    def __init__(
        self,
        outer_nc: int,
        inner_nc: int,
        norm_layer: NormLayer,
        inner: nn.Module | None = None,
        input_nc: int | None = None,
        use_dropout: bool = False,
    ):
        super().__init__()
        self.outermost = input_nc is not None
        bias = needs_bias(norm_layer)
        down = nn.Conv2d(input_nc or outer_nc, inner_nc, 4, stride=2, padding=1, bias=bias)
        up_nc = inner_nc if inner is None else 2 * inner_nc
        up = nn.ConvTranspose2d(up_nc, outer_nc, 4, stride=2, padding=1, bias=bias or self.outermost)
        # The activation must not write into its input, which the skip connection still needs.
        leaky, relu = nn.LeakyReLU(0.2), nn.ReLU()
        if self.outermost:
            layers: list[nn.Module] = [down, present(inner), relu, up, FloatTanh()]
        elif inner is None:
            layers = [leaky, down, relu, up, norm_layer(outer_nc)]
        else:
            layers = [leaky, down, norm_layer(inner_nc), inner, relu, up, norm_layer(outer_nc)]
            if use_dropout:
                layers.append(nn.Dropout(0.5))
        self.model = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], dim=1)
