"""What makes few photos go further: zoom, light, noise, other backgrounds, groups, and people half hidden.

Works on items of the unaligned dataset, photo and mask alike, with all choices from the item's own generator.
"""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from util.options import Options


def augment(item: dict[str, Any], opt: Options, rng: np.random.Generator) -> dict[str, Any]:
    """Change `A`, `B` `[3,H,W] in [-1,1]` and `mask_A`, `mask_B` `[1,H,W] in [0,1]` as the options say."""
    item = dict(item)
    for domain in "AB":
        if opt.augment_zoom > 0:
            zoom(item, domain, opt.augment_zoom, rng)
    mixes = max(opt.augment_paste, opt.augment_group, opt.augment_hide) > 0
    if mixes and item["A"].shape == item["B"].shape:
        _mix(item, opt, rng)
    for domain in "AB":
        if opt.augment_light > 0:
            item[domain] = relight(item[domain], opt.augment_light, rng)
        if opt.augment_noise > 0:
            item[domain] = add_noise(item[domain], opt.augment_noise, rng)
    return item


def _mix(item: dict[str, Any], opt: Options, rng: np.random.Generator) -> None:
    """What takes two photos: paste, group, hide. Each takes from the photos as they were before."""
    pasted = {domain: rng.random() < opt.augment_paste for domain in "AB"}
    originals = dict(item)
    subjects = [(originals[domain], originals[f"mask_{domain}"]) for domain in "AB"]
    for own, other in ((0, 1), (1, 0)):
        domain = "AB"[own]
        if pasted[domain]:
            paste(item, domain, *subjects[other], rng)
        if opt.augment_group > 0 and rng.random() < opt.augment_group:
            group(item, domain, subjects, rng)
        if opt.augment_hide > 0 and rng.random() < opt.augment_hide:
            hide(item, domain, *subjects[other], rng)


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
    shift = int(rng.integers(-mask.shape[-1] // 2, mask.shape[-1] // 2 + 1))
    _lay(item, domain, *_moved(other, mask, shift, float(rng.uniform(0.6, 1.2))))


def group(
    item: dict[str, Any],
    domain: str,
    subjects: list[tuple[torch.Tensor, torch.Tensor]],
    rng: np.random.Generator,
) -> None:
    """One to seven more people in the photo, all of about one size, each before or behind those who are there.

    They are taken from `subjects` (photo, mask), each in its own light and half of them mirrored, because a network
    would learn that people of a group look alike.
    """
    width = item[domain].shape[-1]
    size = float(rng.uniform(0.4, 1.0))
    for _ in range(int(rng.integers(1, 8))):
        other, mask = subjects[int(rng.integers(len(subjects)))]
        if rng.random() < 0.5:
            other, mask = other.flip(-1), mask.flip(-1)
        shift = int(rng.integers(-width // 2, width // 2 + 1))
        subject, m = _moved(relight(other, 0.7, rng), mask, shift, size * float(rng.uniform(0.85, 1.15)))
        behind = rng.random() < 0.5
        _lay(item, domain, subject, m * (1 - item[f"mask_{domain}"]) if behind else m)


def hide(
    item: dict[str, Any], domain: str, other: torch.Tensor, mask: torch.Tensor, rng: np.random.Generator
) -> None:
    """Lay a bar of the other photo's background over the picture, low, upright or slanted; it isn't subject."""
    height, width = mask.shape[-2:]
    down, across = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    angle = float(rng.choice([0.0, 0.0, np.pi / 2, rng.uniform(0, np.pi)]))
    place, half = float(rng.uniform(-0.8, 0.9)), float(rng.uniform(0.03, 0.2))
    bar = ((np.cos(angle) * down + np.sin(angle) * across - place).abs() < half).float()[None] * (1 - mask)
    item[domain] = bar * other + (1 - bar) * item[domain]
    item[f"mask_{domain}"] = item[f"mask_{domain}"] * (1 - bar)


def _moved(
    photo: torch.Tensor, mask: torch.Tensor, shift: int, scale: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Photo and mask, `shift` pixels to the right and `scale` times as large; feet stay on the lower border."""
    height, width = mask.shape[-2:]
    # Output coordinates to input coordinates.
    theta = torch.tensor([[1 / scale, 0, -2 * shift / width / scale], [0, 1 / scale, 1 - 1 / scale]])
    grid = F.affine_grid(theta[None], [1, 4, height, width], align_corners=False)
    moved = F.grid_sample(torch.cat([photo + 1, mask])[None], grid, align_corners=False)[0]
    return moved[:-1] - 1, moved[-1:]


def _lay(item: dict[str, Any], domain: str, subject: torch.Tensor, m: torch.Tensor) -> None:
    """Paste `subject` where `m` is 1; its mask becomes that of both."""
    item[domain] = m * subject + (1 - m) * item[domain]
    item[f"mask_{domain}"] = torch.maximum(m, item[f"mask_{domain}"])


def add_noise(image: torch.Tensor, most: float, rng: np.random.Generator) -> torch.Tensor:
    """Gaussian noise of a deviation between 0 and `most`, white being 1; fewer photos have more."""
    deviation = most * rng.random() ** 2
    noise = torch.from_numpy(rng.standard_normal(image.shape, dtype=np.float32))
    return (image + 2 * deviation * noise).clamp(-1, 1)


def relight(image: torch.Tensor, strength: float, rng: np.random.Generator) -> torch.Tensor:
    """Random gamma, contrast, saturation, gains of the channels, and light from one side."""

    def draw(spread: float) -> float:
        return float(np.exp(strength * rng.uniform(-spread, spread)))

    x = ((image + 1) / 2).clamp(0, 1) ** draw(0.5)
    x = x * draw(0.3) * torch.tensor([draw(0.15) for _ in range(3)]).view(3, 1, 1)
    gray = x.mean(dim=0, keepdim=True)
    x = gray + draw(0.7) * (x - gray)
    x = 0.5 + draw(0.3) * (x - 0.5)
    across, down = (torch.linspace(-1, 1, side) for side in (x.shape[2], x.shape[1]))
    slope = strength * rng.uniform(-0.25, 0.25, 2)
    x = x * (1 + float(slope[0]) * across[None, None, :] + float(slope[1]) * down[None, :, None])
    return x.clamp(0, 1) * 2 - 1
