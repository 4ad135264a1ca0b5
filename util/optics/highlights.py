"""Highlights: a camera squeezes what is brighter than white into the top of its range; blur needs it at full height.

The shoulder is rational: y = t + d / (1 + c d / (1 - t)), d = x - t, above the threshold t, with c such that light of
`peak` times white becomes white. Its slope at t is 1, and it can be solved for x.
"""

import torch

# Linear light from which cameras begin to squeeze: sRGB 230 of 255.
THRESHOLD = 0.79


def expand(light: torch.Tensor, peak: float) -> torch.Tensor:
    """Undo the shoulder: linear light in [0,1] -> [0,peak], the same up to `THRESHOLD`.

    Args:
        light: `[B,3,H,W]`. All channels are multiplied by what their largest needs, so colours stay.
        peak: what white stands for, at least 1; 1 changes nothing.
    """
    if peak <= 1:
        return light
    top = light.amax(dim=1, keepdim=True).clamp(THRESHOLD, 1)
    above = (top - THRESHOLD) / (1 - THRESHOLD)
    original = THRESHOLD + (top - THRESHOLD) / (1 - _steepness(peak) * above)
    return light * (original / top)


def compress(light: torch.Tensor, peak: float) -> torch.Tensor:
    """The shoulder: linear light in [0,peak] -> [0,1]; the inverse of `expand`. Brighter light is white."""
    if peak <= 1:
        return light.clamp(0, 1)
    top = light.amax(dim=1, keepdim=True).clamp(THRESHOLD, peak)
    above = (top - THRESHOLD) / (1 - THRESHOLD)
    squeezed = THRESHOLD + (top - THRESHOLD) / (1 + _steepness(peak) * above)
    return (light * (squeezed / top)).clamp(0, 1)


def _steepness(peak: float) -> float:
    """c of the formula above: `peak` becomes 1."""
    return 1 - (1 - THRESHOLD) / (peak - THRESHOLD)
