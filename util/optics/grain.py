"""Grain: the photo's own noise, put back where blur has averaged it away.

Noise is measured in small blocks by the difference of two Laplacians, which lets planes and straight edges through as 0
(Immerkaer 1996, Fast Noise Variance Estimation); the flattest blocks of each brightness and channel tell its level.
"""

import math
from functools import partial

import torch
import torch.nn.functional as F

from util.optics.copies import by_rows
from util.strips import spans

BLOCK = 8  # pixels
BRIGHTNESSES = 8  # bins of [-1,1]
# This share of the blocks of a brightness has less texture than the others; their level is what noise leaves...
FLAT = 0.05
# ... of this much, as estimates from 64 pixels scatter.
BIAS = 0.75
# Fewer blocks say nothing about their brightness.
FEWEST = 12
# From one brightness to the next noise changes at most by this factor: that of photons and of the sensor does, in sRGB
# values. A brightness found only in leaves or gravel would else pass on their texture as noise.
STEEPEST = 1.5


def noise_levels(photo: torch.Tensor) -> torch.Tensor:
    """Standard deviation of the noise by channel and brightness, `[3,BRIGHTNESSES]`.

    Args:
        photo: `[1,3,H,W] in [-1,1]`; at least as large as one block, else there is no noise.
    """
    if min(photo.shape[-2:]) < BLOCK + 2:
        return photo.new_zeros(3, BRIGHTNESSES)
    return torch.stack([_of_channel(channel) for channel in photo[0]])


def _of_channel(channel: torch.Tensor) -> torch.Tensor:
    """Levels of one channel `[H,W]`, `[BRIGHTNESSES]`; a brightness that has none gets the nearest one's."""
    rows = (len(channel) - 2) // BLOCK * BLOCK
    # Some rows at a time, with one more at each side, stay in the processor's cache.
    bands = [_of_blocks(channel[top : bottom + 2]) for top, bottom in spans(rows)]
    level, brightness_of, most = (torch.cat(parts) for parts in zip(*bands, strict=True))
    index = ((brightness_of + 1) / 2 * BRIGHTNESSES).long().clamp(0, BRIGHTNESSES - 1)
    # A block that is clipped here and there has lost noise, not texture.
    usable = most < 1
    found = {}
    for brightness in range(BRIGHTNESSES):
        blocks = level[(index == brightness) & usable]
        if len(blocks) >= FEWEST:
            found[brightness] = float(blocks.quantile(FLAT)) / BIAS
    limited = {at: min(noise * STEEPEST ** abs(at - other) for other, noise in found.items()) for at in found}
    values = [
        limited[min(limited, key=lambda known: abs(known - brightness))] if limited else 0.0
        for brightness in range(BRIGHTNESSES)
    ]
    return level.new_tensor(values)


def _of_blocks(channel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of all blocks of `[H,W]`, without its outermost pixels: deviation of the noise, mean, and largest |value|."""
    x = channel[None, None]
    level = F.avg_pool2d(_second_difference(_second_difference(x, -1), -2).abs_(), BLOCK)
    inner = x[..., 1:-1, 1:-1]
    mean, most = F.avg_pool2d(inner, BLOCK), F.max_pool2d(inner.abs(), BLOCK)
    return level.flatten() * (math.sqrt(math.pi / 2) / 6), mean.flatten(), most.flatten()


def _second_difference(x: torch.Tensor, dim: int) -> torch.Tensor:
    """`[1, -2, 1]` along `dim`. Both axes make the operator; as one convolution it takes most of `add_grain`'s time."""
    length = x.shape[dim] - 2
    before, middle, after = (x.narrow(dim, start, length) for start in range(3))
    return before + after - 2 * middle


def add_grain(
    image: torch.Tensor, photo: torch.Tensor, blurred: torch.Tensor, strength: float, seed: int
) -> torch.Tensor:
    """`image` with the noise that it lacks; pixels that are in focus stay as they are.

    Args:
        image: what was rendered of `photo`, both `[1,3,H,W] in [-1,1]`.
        blurred: `[1,1,H,W] in [0,1]`, the share of each pixel that is out of focus: its noise is gone.
        strength: 1 adds all that is missing, 0 nothing.
        seed: the same seed gives the same noise.
    """
    levels = noise_levels(photo.detach())
    generator = torch.Generator().manual_seed(seed)
    missing = by_rows(lambda x: (1 - (1 - x) ** 2).clamp(min=0).sqrt() * strength, blurred.detach())
    noise = torch.empty(missing.shape)
    channels = []
    for channel, of_channel in zip(image.split(1, dim=1), levels, strict=True):
        torch.randn(noise.shape, generator=generator, out=noise)
        channels.append(by_rows(partial(_noisy, of_channel), channel, noise.to(image), missing))
    return torch.cat(channels, dim=1)


def _noisy(
    levels: torch.Tensor, channel: torch.Tensor, noise: torch.Tensor, missing: torch.Tensor
) -> torch.Tensor:
    """A channel `[1,1,h,w]` with `noise`, standard normal, as strong as its `levels` by the share that is `missing`."""
    # Linear between the middles of the bins.
    place = ((channel.detach() + 1) / 2 * BRIGHTNESSES - 0.5).clamp(0, BRIGHTNESSES - 1)
    below = place.floor().long().clamp(max=BRIGHTNESSES - 2)
    deviation = torch.lerp(levels[below], levels[below + 1], place - below)
    return (channel + noise * missing * deviation).clamp(-1, 1)
