"""Levels of blur: log2(1 + radius), the scale on which a change of blur looks alike at every radius."""

import torch


def level_of_radius(radius: torch.Tensor) -> torch.Tensor:
    """log2(1 + radius), of a radius in pixels."""
    return torch.log2(1 + radius)


def radius_of_level(level: torch.Tensor) -> torch.Tensor:
    """The inverse of `level_of_radius`; below 0 means sharp."""
    return torch.exp2(level.clamp(min=0)) - 1
