"""Images of any size for networks that take multiples of some number of pixels."""

import torch
import torch.nn.functional as F

from models.nets.base import AroundNet, GeneratorNet


class AnySize(AroundNet):
    """Wraps a generator so that it takes images of any size: reflected at the right and bottom, then cropped.

    Reflection and not zeros: a dark frame would move the instance norm's statistics.
    """

    takes_any_size = True

    def __init__(self, net: GeneratorNet):
        super().__init__(net)
        self.divisor = net.divisor

    @property
    def can_tile(self) -> bool:  # type: ignore[override]
        """As of the network inside."""
        return self.net.can_tile

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`[B,C,H,W] in [-1,1]` -> `[B,C',H,W] in [-1,1]`."""
        height, width = x.shape[-2:]
        y = self.net(pad_to_multiple(x, self.divisor))
        # A negative padding, not a slice: torch.export keeps it free of conditions on the size.
        return F.pad(y, (0, width - y.shape[-1], 0, height - y.shape[-2]))


def any_size(net: GeneratorNet) -> GeneratorNet:
    """`net` as a network for images of any size."""
    return net if net.takes_any_size else AnySize(net)


def pad_to_multiple(x: torch.Tensor, divisor: int, least: int = 16) -> torch.Tensor:
    """Reflect `[B,C,H,W]` on to the next multiples of `divisor`, at least `least` pixels each way."""
    for axis in (-2, -1):
        target = torch.sym_max((x.shape[axis] + divisor - 1) // divisor * divisor, least)
        x = _reflect_on(x, axis, target)
    return x


def _reflect_on(x: torch.Tensor, axis: int, target: int) -> torch.Tensor:
    """Go on behind the end of `axis` by reflections, as many as it takes, up to `target` pixels.

    Picked by index, without a branch on the size, so that an exported network takes any size too.
    """
    last = torch.full((1,), x.shape[axis] - 1, dtype=torch.int64, device=x.device)
    place = torch.arange(target, device=x.device).remainder((2 * last).clamp(min=1))
    return x.index_select(axis, last - (last - place).abs())
