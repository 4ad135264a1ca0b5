"""ResNet generator of Johnson et al. 2016 as CycleGAN uses it (Zhu et al. 2017, appendix 7.2)."""

import torch
from torch import nn

from models.norms import NormLayer, needs_bias


class ResnetGenerator(nn.Module):
    """Two stride-2 convolutions down, `n_blocks` residual blocks, two transposed convolutions up, tanh.

    `[B,input_nc,H,W] in [-1,1]` -> `[B,output_nc,H,W] in [-1,1]`, H and W multiples of `divisor`.
    """

    divisor = 4

    def __init__(
        self,
        input_nc: int,
        output_nc: int,
        ngf: int,
        norm_layer: NormLayer,
        use_dropout: bool = False,
        n_blocks: int = 9,
    ):
        super().__init__()
        bias = needs_bias(norm_layer)
        layers: list[nn.Module] = [
            nn.ReflectionPad2d(3),
            nn.Conv2d(input_nc, ngf, 7, bias=bias),
            norm_layer(ngf),
            nn.ReLU(inplace=True),
        ]
        for width in (ngf, 2 * ngf):
            layers += [
                nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=bias),
                norm_layer(2 * width),
                nn.ReLU(inplace=True),
            ]
        layers += [ResnetBlock(4 * ngf, norm_layer, use_dropout) for _ in range(n_blocks)]
        for width in (4 * ngf, 2 * ngf):
            layers += [
                nn.ConvTranspose2d(width, width // 2, 3, stride=2, padding=1, output_padding=1, bias=bias),
                norm_layer(width // 2),
                nn.ReLU(inplace=True),
            ]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(ngf, output_nc, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x)


class ResnetBlock(nn.Module):
    """`x + conv(relu(conv(x)))` with reflection padding and a norm after each convolution."""

    def __init__(self, width: int, norm_layer: NormLayer, use_dropout: bool):
        super().__init__()
        bias = needs_bias(norm_layer)
        layers = [
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3, bias=bias),
            norm_layer(width),
            nn.ReLU(True),
        ]
        if use_dropout:
            layers.append(nn.Dropout(0.5))
        layers += [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3, bias=bias), norm_layer(width)]
        self.conv_block = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv_block(x)
