"""ResNet generator of Johnson et al. 2016 as CycleGAN uses it (Zhu et al. 2017, appendix 7.2)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from models.nets.base import GeneratorNet
from models.nets.norms import NormLayer, needs_bias
from util.tensors import at_least_float32


class ResnetGenerator(GeneratorNet):
    """Two stride-2 convolutions down, `n_blocks` residual blocks, two transposed convolutions up, tanh.

    `[B,input_nc,H,W] in [-1,1]` -> `[B,output_nc,H,W] in [-1,1]`, H and W multiples of `divisor`.

    Transposed convolutions weigh even and odd pixels by different sums of weights and so print a grid even where
    their input is constant; `upsample="resize"` repeats pixels and convolves, which can't (Odena et al. 2016).
    `antialias` blurs before it drops every second pixel on the way down (Zhang 2019). Both keep the indices of all
    layers, and both can be told from a checkpoint: the one by its weights' shape, the other by the filters in it.
    """

    divisor = 4
    can_tile = True

    def __init__(
        self,
        input_nc: int,
        output_nc: int,
        ngf: int,
        norm_layer: NormLayer,
        use_dropout: bool = False,
        n_blocks: int = 9,
        upsample: str = "transpose",
        antialias: bool = False,
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
                nn.Conv2d(width, 2 * width, 3, stride=1 if antialias else 2, padding=1, bias=bias),
                norm_layer(2 * width),
                nn.Sequential(nn.ReLU(inplace=True), BlurPool2d()) if antialias else nn.ReLU(inplace=True),
            ]
        layers += [ResnetBlock(4 * ngf, norm_layer, use_dropout) for _ in range(n_blocks)]
        for width in (4 * ngf, 2 * ngf):
            layers += [
                ResizeConv2d(width, width // 2, 3, bias=bias)
                if upsample == "resize"
                else nn.ConvTranspose2d(width, width // 2, 3, 2, padding=1, output_padding=1, bias=bias),
                norm_layer(width // 2),
                nn.ReLU(inplace=True),
            ]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(ngf, output_nc, 7), FloatTanh()]
        self.model = nn.Sequential(*layers)
        self.keeps_activations = True

    def checkpoint_activations(self) -> None:
        self.keeps_activations = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x) if self.keeps_activations else self._in_segments(x)

    def features(self, x: torch.Tensor, layers: Sequence[int]) -> list[torch.Tensor]:
        """What comes out of the entries `layers`, ascending, of `model`; the pass ends at the last of them."""
        features = []
        for index, layer in enumerate(list(self.model)[: layers[-1] + 1]):
            x = layer(x)
            if index in layers:
                # The next layer may be a ReLU that writes into its input.
                features.append(x.clone())
        return features

    def _in_segments(self, x: torch.Tensor) -> torch.Tensor:
        """The image; of its activations only those between segments, the smallest, are kept for the backward pass."""
        layers = list(self.model)
        blocks = [i for i, layer in enumerate(layers) if isinstance(layer, ResnetBlock)]
        first, behind = blocks[0], blocks[-1] + 1
        for segment in (
            nn.Sequential(*layers[:first]),
            *layers[first:behind],
            nn.Sequential(*layers[behind:]),
        ):
            x = checkpoint(segment, x, use_reentrant=False)
        return x


class ResizeConv2d(nn.Conv2d):
    """Double the size by repeating pixels, reflect by one, convolve with 3x3: `[B,C,H,W]` -> `[B,C',2H,2W]`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        return super().forward(F.pad(x, (1, 1, 1, 1), mode="reflect"))


class BlurPool2d(nn.Module):
    """Blur with the binomial filter (1,2,1)/4 both ways, then keep every second pixel: `[B,C,H,W]` to half the size.

    The filter's response, cos^2(w/2) each way, is 0 at the frequency that would turn into a constant.
    """

    filt: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        taps = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("filt", torch.outer(taps, taps))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.filt.to(x.dtype).expand(x.shape[1], 1, 3, 3)
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), weight, stride=2, groups=x.shape[1])


class FloatTanh(nn.Tanh):
    """Tanh in float32: near 1, bfloat16 has no more levels than an 8-bit image."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(at_least_float32(x))


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
