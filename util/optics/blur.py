"""Blur of a lens as differentiable layers: discs in linear light, over what is out of focus alone."""

from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from scipy.fft import next_fast_len

from util.optics.light import disc_kernel

# Larger discs are blurred at a half, a quarter, ... of the size: what they leave has no finer detail.
MAX_RADIUS = 12.0

# Below this share of background under the disc its colour is rounding noise; no background pixel gets there.
MIN_SHARE = 1e-4


def srgb_to_linear(x: torch.Tensor) -> torch.Tensor:
    """Linear light of sRGB values, both in [0,1] (IEC 61966-2-1)."""
    return torch.where(x <= 0.04045, x / 12.92, ((x.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(x: torch.Tensor) -> torch.Tensor:
    """sRGB values of linear light, both in [0,1]; the inverse of `srgb_to_linear`."""
    return torch.where(x <= 0.0031308, x * 12.92, 1.055 * x.clamp(min=0.0031308) ** (1 / 2.4) - 0.055)


@lru_cache(maxsize=64)
def _kernel_spectrum(radius: float, height: int, width: int, device: torch.device) -> torch.Tensor:
    """Transform of the disc, its centre at pixel (0, 0): complex `[height, width // 2 + 1]`."""
    kernel = torch.from_numpy(disc_kernel(radius))
    half = kernel.shape[0] // 2
    padded = F.pad(kernel, (0, width - kernel.shape[1], 0, height - kernel.shape[0]))
    return torch.fft.rfft2(padded.roll((-half, -half), (0, 1)).to(device))


def convolve_disc(x: torch.Tensor, radius: float) -> torch.Tensor:
    """`[B,C,H,W]` with a disc of `radius` pixels; zeros lie beyond the border."""
    height, width = x.shape[-2:]
    margin = disc_kernel(radius).shape[0] // 2
    size = [next_fast_len(max(side, margin + 1) + margin, real=True) for side in (height, width)]
    spectrum = torch.fft.rfft2(x, s=size) * _kernel_spectrum(float(radius), *size, x.device)
    return torch.fft.irfft2(spectrum, s=size)[..., :height, :width]


def disc_blur(light: torch.Tensor, background: torch.Tensor, radius: float) -> torch.Tensor:
    """`K*(L*b) / K*b`: the background alone, seen out of focus; none of the subject's light gets into it.

    Args:
        light: `[B,3,H,W]`, linear light in [0,1].
        background: `[B,1,H,W] in [0,1]`, how much of each pixel is out of focus. Beyond the border there is none.
        radius: of the disc, in pixels.
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
    parts = convolve_disc(parts, radius / shrink)
    share = parts[:, 3:]
    # Rounding in the transforms may leave a trace outside the range.
    blurred = (parts[:, :3] / share.clamp(min=MIN_SHARE)).clamp(0, 1)
    if shrink > 1:
        blurred = F.interpolate(blurred, size, mode="bilinear", align_corners=False)
        share = F.interpolate(share, size, mode="bilinear", align_corners=False)
    return torch.where(share > MIN_SHARE, blurred, light)


def render(
    x: torch.Tensor, weights: torch.Tensor, radii: Sequence[float], linear: bool = True
) -> torch.Tensor:
    """What a lens makes of a photo whose pixels are out of focus as `weights` say.

    With w_0 the in-focus weight and B_k the photo without what is in focus, blurred with the k-th disc:
    `w_0 * x + (1 - w_0) * (sum_k w_k B_k / sum_k w_k)`. Where w_0 is 1 the result is `x`, exactly.
    The blurred copies are constants to the gradient, which reaches the weights through the mixture alone.

    Args:
        x: `[B,3,H,W] in [-1,1]`.
        weights: `[B,K+1,H,W]`, not negative, sum 1: in focus, then one for each radius.
        radii: K radii in pixels of `x`.
        linear: blur linear light, as a lens does: a fine bright pattern gets brighter than its mean in sRGB values.
            Without, sRGB values themselves are blurred and every mean stays.
    """
    in_focus = weights[:, :1]
    with torch.no_grad():
        light = srgb_to_linear((x + 1) / 2) if linear else (x + 1) / 2
        background = (1 - in_focus).detach()
    mixed, total = torch.zeros_like(light), torch.zeros_like(in_focus)
    for k, radius in enumerate(radii, start=1):
        with torch.no_grad():
            blurred = disc_blur(light, background, radius)
        mixed = mixed + weights[:, k : k + 1] * blurred
        total = total + weights[:, k : k + 1]
    mixed = mixed / total.clamp(min=MIN_SHARE)
    values = linear_to_srgb(mixed) if linear else mixed
    return x + (1 - in_focus) * (2 * values - 1 - x)
