"""Discriminators that judge patches (PatchGAN) or single pixels (Isola et al. 2017, section 6.1.2)."""

import torch
from torch import nn

from models.nets.norms import NormLayer


class NLayerDiscriminator(nn.Module):
    """PatchGAN: `[B,input_nc,H,W]` -> `[B,1,h,w]` logits, each for a patch (70x70 pixels with 3 layers)."""

    def __init__(self, input_nc: int, ndf: int, n_layers: int, norm_layer: NormLayer, bias: bool):
        super().__init__()
        widths = [ndf * min(2**n, 8) for n in range(n_layers + 1)]
        layers: list[nn.Module] = [nn.Conv2d(input_nc, ndf, 4, stride=2, padding=1), nn.LeakyReLU(0.2, True)]
        for n in range(1, n_layers + 1):
            stride = 2 if n < n_layers else 1
            layers += [
                nn.Conv2d(widths[n - 1], widths[n], 4, stride=stride, padding=1, bias=bias),
                norm_layer(widths[n]),
                nn.LeakyReLU(0.2, True),
            ]
        layers.append(nn.Conv2d(widths[-1], 1, 4, stride=1, padding=1))
        self.model = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x)


class PixelDiscriminator(nn.Module):
    """1x1 PatchGAN: `[B,input_nc,H,W]` -> `[B,1,H,W]` logits; sees colours, no texture."""

    def __init__(self, input_nc: int, ndf: int, norm_layer: NormLayer, bias: bool):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(input_nc, ndf, 1),
            nn.LeakyReLU(0.2, True),
            nn.Conv2d(ndf, 2 * ndf, 1, bias=bias),
            norm_layer(2 * ndf),
            nn.LeakyReLU(0.2, True),
            nn.Conv2d(2 * ndf, 1, 1, bias=bias),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)
