"""Patchwise contrastive loss of CUT (Park et al. 2020, "Contrastive Learning for Unpaired Image-to-Image Translation").

A patch of the output must be more like the input's patch at its own place than like those at other places.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

Features = Sequence[torch.Tensor]


class PatchSampler(nn.Module):
    """The network F: features at some places, through a two-layer perceptron for each layer, onto the unit sphere.

    `widths` are the channels of the layers; results have `nc`. Keys are `mlp_<layer>.0` and `.2`.
    """

    def __init__(self, widths: Sequence[int], nc: int = 256):
        super().__init__()
        for index, width in enumerate(widths):
            self.add_module(f"mlp_{index}", nn.Sequential(nn.Linear(width, nc), nn.ReLU(), nn.Linear(nc, nc)))

    def forward(self, features: Features, places: Features) -> list[torch.Tensor]:
        """For each layer `[B,C,h,w]` and places `[P]` in 0..h*w-1 -> `[B,P,nc]`, each of length 1."""
        sampled = []
        for mlp, feature, place in zip(self.children(), features, places, strict=True):
            patches = feature.flatten(2)[:, :, place].transpose(1, 2)
            sampled.append(F.normalize(mlp(patches).float(), dim=-1))
        return sampled


def draw_places(features: Features, num_patches: int) -> list[torch.Tensor]:
    """For each layer `[B,C,h,w]`, `num_patches` different places, or all if there are no more: `[P]`."""
    return [
        torch.randperm(feature.shape[2] * feature.shape[3], device=feature.device)[:num_patches]
        for feature in features
    ]


def patch_nce_loss(query: torch.Tensor, key: torch.Tensor, temperature: float = 0.07) -> torch.Tensor:
    """Cross-entropy of finding each query's own key among those of its image; equation 3, negatives internal.

    Args:
        query: `[B,P,nc]`, of unit length, from the output.
        key: the same from the input, at the same places; gets no gradient.
        temperature: of the softmax, the paper's tau.
    """
    # bfloat16 would round the logits, up to 1/0.07, to steps of 1/16.
    with torch.autocast(query.device.type, enabled=False):
        logits = query.float() @ key.detach().float().transpose(1, 2) / temperature  # (B, P, P)
    own = torch.arange(query.shape[1], device=query.device).repeat(query.shape[0])
    return F.cross_entropy(logits.flatten(0, 1), own)
