"""A generator whose network paints the difference to its input."""

import torch

from models.nets.base import AroundNet, GeneratorNet


class ResidualGenerator(AroundNet):
    """`x + net(x)`, cut to [-1,1]."""

    def __init__(self, net: GeneratorNet):
        super().__init__(net)
        self.divisor = net.divisor
        self.can_tile = net.can_tile

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x + self.net(x)).clamp(-1, 1)
