"""What makes few photos go further: zoom, light, colour, and subjects on the backgrounds of other photos.

Works on items of the unaligned dataset, photo and mask alike, with all choices from the item's own generator.
"""

from argparse import ArgumentParser
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from util.ranges import non_negative, share


def add_augment_options(parser: ArgumentParser) -> None:
    """Options of all augmentation beyond cropping and mirroring; all off by default."""
    add = parser.add_argument_group("augmentation").add_argument
    add(
        "--augment_zoom",
        type=non_negative,
        default=0.0,
        help="up to so much larger, 0.4 say, around a random place",
    )
    add(
        "--augment_light",
        type=share,
        default=0.0,
        help="strength of changes of exposure, gamma and colour, 0 to 1",
    )
    add(
        "--augment_paste",
        type=share,
        default=0.0,
        help="share of photos that get the other domain's subject too",
    )


def augment(item: dict[str, Any], opt: Any, rng: np.random.Generator) -> dict[str, Any]:
    """Change `A`, `B` `[3,H,W] in [-1,1]` and `mask_A`, `mask_B` `[1,H,W] in [0,1]` as the options say."""
    item = dict(item)
    for domain in "AB":
        if opt.augment_zoom > 0:
            zoom(item, domain, opt.augment_zoom, rng)
    pasted = {domain: rng.random() < opt.augment_paste for domain in "AB"}
    if any(pasted.values()) and item["A"].shape == item["B"].shape:
        originals = dict(item)
        for domain, other in ("AB", "BA"):
            if pasted[domain]:
                paste(item, domain, originals[other], originals[f"mask_{other}"], rng)
    for domain in "AB":
        if opt.augment_light > 0:
            item[domain] = relight(item[domain], opt.augment_light, rng)
    return item


def zoom(item: dict[str, Any], domain: str, amount: float, rng: np.random.Generator) -> None:
    """Enlarge a random part of photo and mask, at least `1 / (1 + amount)` of each side, to the whole."""
    scale = 1 / (1 + amount * rng.random())
    height, width = item[domain].shape[-2:]
    part = (round(height * scale), round(width * scale))
    top, left = int(rng.integers(height - part[0] + 1)), int(rng.integers(width - part[1] + 1))
    for key, mode in ((domain, "bicubic"), (f"mask_{domain}", "bilinear")):
        if key in item:
            cut = item[key][None, :, top : top + part[0], left : left + part[1]]
            item[key] = F.interpolate(cut, (height, width), mode=mode, align_corners=False)[0].clamp(-1, 1)


def paste(
    item: dict[str, Any], domain: str, other: torch.Tensor, mask: torch.Tensor, rng: np.random.Generator
) -> None:
    """Put the subject of `other` somewhere into the photo; its mask becomes that of both."""
    height, width = mask.shape[-2:]
    shift = int(rng.integers(-width // 2, width // 2 + 1))
    scale = float(rng.uniform(0.6, 1.2))
    # Output coordinates to input coordinates; subjects keep their feet on the lower border.
    theta = torch.tensor([[1 / scale, 0, -2 * shift / width / scale], [0, 1 / scale, 1 - 1 / scale]])
    grid = F.affine_grid(theta[None], [1, 4, height, width], align_corners=False)
    moved = F.grid_sample(torch.cat([other + 1, mask])[None], grid, align_corners=False)[0]
    subject, m = moved[:-1] - 1, moved[-1:]
    item[domain] = m * subject + (1 - m) * item[domain]
    item[f"mask_{domain}"] = torch.maximum(m, item[f"mask_{domain}"])


def relight(image: torch.Tensor, strength: float, rng: np.random.Generator) -> torch.Tensor:
    """Random gamma, contrast, saturation, gains of the channels, and light from one side."""
    draw = lambda spread: float(np.exp(strength * rng.uniform(-spread, spread)))  # noqa: E731
    x = ((image + 1) / 2).clamp(0, 1) ** draw(0.5)
    x = x * draw(0.3) * torch.tensor([draw(0.15) for _ in range(3)]).view(3, 1, 1)
    gray = x.mean(dim=0, keepdim=True)
    x = gray + draw(0.7) * (x - gray)
    x = 0.5 + draw(0.3) * (x - 0.5)
    across, down = (torch.linspace(-1, 1, side) for side in (x.shape[2], x.shape[1]))
    slope = strength * rng.uniform(-0.25, 0.25, 2)
    x = x * (1 + float(slope[0]) * across[None, None, :] + float(slope[1]) * down[None, :, None])
    return x.clamp(0, 1) * 2 - 1
