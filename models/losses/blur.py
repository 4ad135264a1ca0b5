"""Losses of networks that tell levels of blur, and how sure they are of them."""

import torch


def laplace_nll(error: torch.Tensor, log_scale: torch.Tensor) -> torch.Tensor:
    """`|error| / b + log b` at each place: likelihood under a Laplace distribution of scale b, less constants.

    A network that tells b too learns where it can't know (Kendall and Gal 2017, section 2.2).

    Args:
        error: absolute, of any shape.
        log_scale: log b, of that shape.
    """
    return error * torch.exp(-log_scale) + log_scale
