"""How far out of focus each place of a photo is: a small U-Net that says how sure it is too."""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import nn

from models.nets.multiples import DEFOCUS_MULTIPLE
from util.checkpoint import load_state_dict
from util.errors import UserError

# Bounds of the log of the error's scale, in units of log2(1 + radius): from 2% to a factor of 7.
LOG_SCALE_RANGE = (-4.0, 2.0)


Net = TypeVar("Net", bound="DefocusNet")


class Residual(nn.Module):
    """Two 3x3 convolutions beside an identity (He et al. 2016), each after group norm (Wu and He 2018) and SiLU."""

    def __init__(self, channels: int, dilation: int = 1):
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [
                nn.GroupNorm(8, channels),
                nn.SiLU(),
                nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation),
            ]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x)


class DefocusNet(nn.Module):
    """Blur level log2(1 + radius) and the log of its expected error, at a quarter of the photo's size.

    The first convolution sees blocks of 2x2 pixels as channels: every pixel counts, at a quarter of the cost. From
    1/16 of the size up, maps are added to those of the way down, as in a feature pyramid (Lin et al. 2017).

    Args:
        input_nc: channels of the input.
        width: channels at half the size; deeper levels have 2, 3 and 4 times as many.
    """

    divisor = DEFOCUS_MULTIPLE

    def __init__(self, input_nc: int = 3, width: int = 32):
        super().__init__()
        widths = [width, 2 * width, 3 * width, 4 * width]
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4 * input_nc, width, 3, padding=1))
        self.down = nn.ModuleList()
        for level, channels in enumerate(widths):
            before = [nn.Conv2d(widths[level - 1], channels, 3, stride=2, padding=1)] if level else []
            # Twice as deep where it costs little.
            after = (
                [Residual(channels), Residual(channels, dilation=2)] if level == 3 else [Residual(channels)]
            )
            self.down.append(nn.Sequential(*before, *after))
        self.lateral = nn.ModuleList(nn.Conv2d(channels, 2 * width, 1) for channels in widths[1:])
        self.up = nn.ModuleList(Residual(2 * width) for _ in widths[1:3])
        self.last = nn.Sequential(nn.GroupNorm(8, 2 * width), nn.SiLU(), nn.Conv2d(2 * width, 2, 1))

    @classmethod
    def of_file(cls: type[Net], path: str | os.PathLike, kind: str, advice: str) -> Net:
        """What a training saved, of any precision; evaluation mode, on the CPU.

        Args:
            path: of the weights; their shapes say how wide the network is.
            kind: what the network is called, for messages.
            advice: what to do about a file that is missing or unreadable.

        Raises:
            UserError: no such file, unreadable, or not the weights of such a network.
        """
        state = load_state_dict(path, advice)
        try:
            net = cls(width=state["stem.1.weight"].shape[0])
            net.load_state_dict({key: value.float() for key, value in state.items()})
        except (KeyError, RuntimeError):
            raise UserError(
                f"{path}: not the weights of a {kind}, or of an earlier version's; {advice}"
            ) from None
        return net.eval()

    def forward(
        self, x: torch.Tensor, known: Mapping[int, torch.Tensor] = MappingProxyType({})
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`[B,C,H,W] in [-1,1]`, sides multiples of `divisor` -> level and log scale, each `[B,1,H/4,W/4]`.

        The level is a number of any sign; below 0 means sharp.

        Args:
            known: what is added to the maps on the way down, by their number, of their channels.
        """
        maps = []
        y = self.stem(x)
        for number, level in enumerate(self.down):
            y = level(y)
            if number in known:
                y = y + known[number]
            maps.append(y)
        y = self.lateral[2](maps[3])
        for step in (1, 0):
            skip = self.lateral[step](maps[step + 1])
            y = F.interpolate(y, skip.shape[-2:], mode="bilinear", align_corners=False) + skip
            y = self.up[step](y)
        level, log_scale = self.last(y).float().chunk(2, dim=1)
        return level, log_scale.clamp(*LOG_SCALE_RANGE)
