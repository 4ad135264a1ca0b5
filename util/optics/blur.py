"""Blur of a lens as differentiable layers: discs in linear light, over what is out of focus alone."""

from collections.abc import Sequence

import cv2
import torch
import torch.nn.functional as F

from util.optics.discs import disc_kernels
from util.optics.light import linear_to_srgb, srgb_to_linear

# Larger discs are blurred at a half, a quarter, ... of the size: what they leave has no finer detail.
MAX_RADIUS = 12.0

# Below this share of background under the disc its colour is rounding noise; no background pixel gets there.
MIN_SHARE = 1e-4


def convolve(x: torch.Tensor, kernels: torch.Tensor) -> torch.Tensor:
    """`[B,C,H,W]`, each photo with its kernel of `kernels` `[B,2n+1,2n+1]`; zeros lie beyond the border."""
    height, width = x.shape[-2:]
    side = kernels.shape[-1]
    margin = side // 2
    size = [cv2.getOptimalDFTSize(max(length, margin + 1) + margin) for length in (height, width)]
    # The centre of the kernel comes to pixel (0, 0).
    padded = F.pad(kernels, (0, size[1] - side, 0, size[0] - side)).roll((-margin, -margin), (1, 2))
    spectrum = torch.fft.rfft2(x, s=size) * torch.fft.rfft2(padded)[:, None]
    return torch.fft.irfft2(spectrum, s=size)[..., :height, :width]


def disc_blur(
    light: torch.Tensor, background: torch.Tensor, radius: float, share: torch.Tensor | None = None
) -> torch.Tensor:
    """`K*(L*b) / K*b`: the background alone, seen out of focus; none of the subject's light gets into it.

    Args:
        light: `[B,3,H,W]`, linear light in [0,1].
        background: `[B,1,H,W] in [0,1]`, how much of each pixel is out of focus. Beyond the border there is none.
        radius: of the disc, in pixels. At most 0.5 leaves the light as it is.
        share: `[B] in [0,1]`, how much of the radius each photo gets; default: all of it.
    """
    if radius <= 0.5:
        return light
    parts = torch.cat([light * background, background], dim=1)
    shrink = 1
    while radius / shrink > MAX_RADIUS:
        shrink *= 2
    size = parts.shape[-2:]
    if shrink > 1:
        small = [max(1, round(side / shrink)) for side in size]
        parts = F.interpolate(parts, small, mode="area")
    radii = radius * (light.new_ones(len(light)) if share is None else share)
    parts = convolve(parts, disc_kernels(radii / shrink, radius / shrink))
    weight = parts[:, 3:]
    # Rounding in the transforms may leave a trace outside the range.
    blurred = (parts[:, :3] / weight.clamp(min=MIN_SHARE)).clamp(0, 1)
    if shrink > 1:
        blurred = F.interpolate(blurred, size, mode="bilinear", align_corners=False)
        weight = F.interpolate(weight, size, mode="bilinear", align_corners=False)
    seen = (weight > MIN_SHARE) & (radii > 0.5)[:, None, None, None]
    return torch.where(seen, blurred, light)


def render(
    x: torch.Tensor,
    weights: torch.Tensor,
    radii: Sequence[float],
    linear: bool = True,
    share: torch.Tensor | None = None,
    behind: torch.Tensor | None = None,
) -> torch.Tensor:
    """What a lens makes of photos whose pixels are out of focus as `weights` say.

    With w_0 the in-focus weight and B_k the photo without what is in focus, blurred with the k-th disc:
    `w_0 * x + (1 - w_0) * (sum_k w_k B_k / sum_k w_k)`. Where w_0 is 1 the result is `x`, exactly.
    The blurred copies are constants to the gradient, which reaches the weights through the mixture alone.

    Args:
        x: `[B,3,H,W] in [-1,1]`.
        weights: `[B,K+1,H,W]`, not negative, sum 1: in focus, then one for each radius.
        radii: K radii in pixels of `x`.
        linear: blur linear light, as a lens does: a fine bright pattern gets brighter than its mean in sRGB values.
            Without, sRGB values themselves are blurred and every mean stays.
        share: see `disc_blur`.
        behind: `[B,3,H,W] in [-1,1]`, the colours of what is out of focus alone, by which mixed pixels are taken apart:
            `x - (1 - w_0) behind` is left of them, and behind is what gets blurred; default: `x`.
    """
    behind = x if behind is None else behind
    in_focus = weights[:, :1]
    with torch.no_grad():
        light = srgb_to_linear((behind + 1) / 2) if linear else (behind + 1) / 2
        background = (1 - in_focus).detach()
    mixed, total = torch.zeros_like(light), torch.zeros_like(in_focus)
    for k, radius in enumerate(radii, start=1):
        with torch.no_grad():
            blurred = disc_blur(light, background, radius, share)
        mixed = mixed + weights[:, k : k + 1] * blurred
        total = total + weights[:, k : k + 1]
    mixed = mixed / total.clamp(min=MIN_SHARE)
    values = linear_to_srgb(mixed) if linear else mixed
    return x + (1 - in_focus) * (2 * values - 1 - behind)
