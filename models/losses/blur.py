"""Losses of networks that tell levels of blur, and how sure they are of them."""

from collections import deque
from typing import Any

import torch
import torch.nn.functional as F

# Levels that differ by less than about this are hardly in an order.
CLOSE = 0.5

# Levels that stand for a photo's distribution, and places without which it has none.
DRAWN, FEWEST = 24, 4


def laplace_nll(error: torch.Tensor, log_scale: torch.Tensor, evened: float = 0.0) -> torch.Tensor:
    """`|error| / b + log b` at each place: likelihood under a Laplace distribution of scale b, less constants.

    A network that tells b too learns where it can't know (Kendall and Gal 2017, section 2.2). Where b is large an error
    hardly counts then; times `b^evened`, without a gradient, it counts more (Seitzer et al. 2022).

    Args:
        error: absolute, of any shape.
        log_scale: log b, of that shape.
        evened: 0 is the likelihood itself; at 1 every error counts as much, as in the mean absolute error.
    """
    likelihood = error * torch.exp(-log_scale) + log_scale
    return likelihood * torch.exp(evened * log_scale.detach())


def ranking(level: torch.Tensor, measured: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Whether of two places of a photo the softer one is said to be softer: a logistic loss of random pairs (Burges et
    al. 2005), a scalar.

    Args:
        level: what was predicted, `[B,1,h,w]`.
        measured: what is true, of that shape.
        weight: of each place, of that shape; a pair counts as the product of both, times their measured difference.
    """
    order = torch.randperm(level[0].numel(), device=level.device)
    told, true, trust = (x.flatten(1) for x in (level, measured, weight))
    difference = true - true[:, order]
    pair = trust * trust[:, order] * difference.abs()
    loss = F.softplus(-(told - told[:, order]) * difference.sign() / CLOSE)
    return (pair * loss).sum() / pair.sum().clamp(min=1e-6)


class DistributionMatch:
    """How far levels of our photos are from those of real ones, as distributions: where they are sorted, the distance
    to the real level of the same rank (the 1-D Wasserstein distance, whose best critic is known without training).

    A batch is too small for a distribution, so earlier ones are remembered; only the batch's levels have a gradient.

    Args:
        remembered: photos of each kind.
    """

    def __init__(self, remembered: int = 400):
        self.real: deque[torch.Tensor] = deque(maxlen=remembered)
        self.ours: deque[torch.Tensor] = deque(maxlen=remembered)

    def __call__(
        self, ours: torch.Tensor, places: torch.Tensor, real: torch.Tensor, real_places: torch.Tensor
    ) -> torch.Tensor:
        """A scalar, 0 as long as either kind has no such places; each photo has the same weight.

        Args:
            ours: levels `[B,1,h,w]`, and at which of their places they count, boolean of that shape.
            real: the same of real photos, of any number and size.
        """
        self.real.extend(_drawn(real.detach(), real_places))
        drawn = _drawn(ours, places)
        if not self.real or not len(drawn):
            return ours.sum() * 0
        earlier = [drawn.detach().flatten(), *self.ours]
        self.ours.extend(drawn.detach())
        pool = torch.cat(earlier).sort().values
        rank = (torch.searchsorted(pool, drawn.detach()) + 0.5) / (len(pool) + 1)
        target = torch.cat([*self.real]).quantile(rank.flatten()).view_as(drawn)
        return (drawn - target).abs().mean()

    def state_dict(self) -> dict[str, Any]:
        """The levels that it remembers, for the training state."""
        return {"real": [x.cpu() for x in self.real], "ours": [x.cpu() for x in self.ours]}

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None:
        """Remember what `state_dict` gave, on `device`."""
        for name, remembered in (("real", self.real), ("ours", self.ours)):
            remembered.clear()
            remembered.extend(x.to(device) for x in state[name])


def _drawn(levels: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """`DRAWN` levels of each photo that has at least `FEWEST` such places, drawn at random: `[photos,DRAWN]`."""
    levels, weight = levels.flatten(1), places.flatten(1).float()
    enough = weight.sum(1) >= FEWEST
    levels, weight = levels[enough], weight[enough]
    return levels.gather(1, torch.multinomial(weight, DRAWN, replacement=True)) if len(levels) else levels
