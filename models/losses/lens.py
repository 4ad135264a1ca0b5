"""Losses of the lens: where the picture is in focus."""

import torch
import torch.nn.functional as F


def focus_loss(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """How far a lens's in-focus weight is from the mask: cross-entropy plus soft Dice (Milletari et al. 2016).

    Cross-entropy never stops to teach a pixel that is wrong; Dice weighs a small subject like a large one.

    Args:
        logits: `[B,K+1,h,w]`, of which the first is in focus.
        mask: `[B,1,H,W] in [0,1]`, brought to the size of the logits.
    """
    target = F.interpolate(mask, logits.shape[-2:], mode="area")
    # log p_0 and log(1 - p_0) of the softmax
    inside = logits[:, :1] - logits.logsumexp(dim=1, keepdim=True)
    outside = logits[:, 1:].logsumexp(dim=1, keepdim=True) - logits.logsumexp(dim=1, keepdim=True)
    entropy = -(target * inside + (1 - target) * outside).mean()
    in_focus = inside.exp()
    overlap = 2 * (in_focus * target).sum((1, 2, 3)) + 1
    return entropy + (1 - overlap / (in_focus.sum((1, 2, 3)) + target.sum((1, 2, 3)) + 1)).mean()
