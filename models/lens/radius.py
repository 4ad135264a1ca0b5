"""Where a lens blurs, and how much: learned from photos that a real lens took, asked about those it didn't.

`RadiusNet` looks at a picture too small and too soft to show whether it is sharp, and at the subject's mask. What it
learns from photos of domain B, whose blur is measured, it can therefore be asked about photos of domain A, where
everything is sharp: the ground at the feet stays, the wall is soft, the street is gone.
"""

import os
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from models.lens.places import CHANNELS, places
from models.lens.settings import LOOK_SIDE, LOOK_SQUARE
from models.nets.defocus import DefocusNet
from models.nets.effnet import TAPS, Encoder
from util.optics.levels import radius_of_level

# Deviation of the Gaussian, in those pixels, that hides what is left of sharpness; in training it varies.
LOOK_SIGMA = 0.8

# The encoder sees the look so many times enlarged: then things are about as large as in the photos that it knows.
# Blocks of the encoder whose maps then have the size of a map on the way down, and the number of that.
ENLARGED = 2
RECOGNISED = {4: 1, 10: 2}

# The radius, in pixels where the shorter side is 256, below which the network knows no far from near.
LEAST_FAR = 0.5

# Share of subject from which a place of the map shows its sharpness, and how many places away a level still counts.
EDGE, REACH = 0.1, 1.5


class Blur(NamedTuple):
    """Level log2(1 + radius), radius in pixels where the photo's shorter side is 256, and log of the expected error.

    Each `[B,1,h,w]`.
    """

    level: torch.Tensor
    log_scale: torch.Tensor


class RadiusNet(DefocusNet):
    """`DefocusNet` of a picture in which sharpness can't be seen, of where in it the subject and each place are, and of
    what an encoder that knows ImageNet recognises in it: a wall, a street, a hedge.

    The encoder (EfficientNet-Lite0 up to 1/16 of its input's size) stays as it was trained.
    """

    def __init__(self, width: int = 24):
        super().__init__(input_nc=4 + CHANNELS, width=width)
        self.encoder = Encoder(3, last=max(RECOGNISED)).requires_grad_(False)
        self.recognised = nn.ModuleDict(
            {
                str(number): nn.Conv2d(TAPS[block], (number + 1) * width, 1)
                for block, number in RECOGNISED.items()
            }
        )
        # What kind of scene it is.
        self.scene = nn.Conv2d(TAPS[max(RECOGNISED)], 4 * width, 1)

    def forward(self, seen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # type: ignore[override]
        """As `DefocusNet.forward`, of what `look` returns."""
        photo, mask, inside = seen.split((3, 1, 1), dim=1)
        with torch.no_grad():
            larger = F.interpolate(photo, scale_factor=ENLARGED, mode="bilinear", align_corners=False)
            maps = dict(zip(TAPS, self.encoder(larger), strict=False))
        known = {number: self.recognised[str(number)](maps[block]) for block, number in RECOGNISED.items()}
        deepest = maps[max(RECOGNISED)]
        # The mean of the photo alone: how much the picture was filled up must not change it.
        share = F.avg_pool2d(inside, 16 // ENLARGED)
        known[3] = self.scene((share * deepest).sum((2, 3), keepdim=True) / share.sum((2, 3), keepdim=True))
        x = torch.cat([photo, mask, places(mask > 0, inside > 0)], dim=1)
        return super().forward(x, known)

    def ask(self, x: torch.Tensor, mask: torch.Tensor) -> Blur:
        """How a lens would blur photos `[B,3,H,W] in [-1,1]` with their subjects `[B,1,H,W] in [0,1]` in focus.

        The mean of what it says of them and of their mirror images, which it saw as often.
        """
        scale = LOOK_SIDE / min(x.shape[-2:])
        size = [max(1, round(side * scale)) for side in x.shape[-2:]]
        small_x, small_mask = (F.interpolate(y, size, mode="area") for y in (x, mask))
        return self.ask_look(look(small_x, small_mask, LOOK_SIGMA))

    def radii(self, x: torch.Tensor, subject: torch.Tensor, farthest: float = 0.0) -> torch.Tensor:
        """Radii `[B,1,h,w]` that a lens leaves at each place, in pixels where the shorter side is 256; see `ask`.

        Uncertain places have the mean of their row, the subject those beside it, ground before the feet at least that
        of what is as far behind them. All grow alike where the largest is below `farthest`.
        """
        blur = self.ask(x, subject)
        subject = F.interpolate(subject, blur.level.shape[-2:], mode="area")
        radii = radius_of_level(before_feet(behind(settled(blur, subject), subject), subject))
        return wide_open(radii, farthest)

    def ask_look(self, seen: torch.Tensor) -> Blur:
        """As `ask`, of what `look` returns of photos whose shorter side is `LOOK_SIDE`, `[B,5,h,w]`."""
        count, _, height, width = seen.shape
        # Zeros beyond the border, as many as beside the photos of training.
        padding = (0, self._beyond(width), 0, self._beyond(height))
        both = F.pad(torch.cat([seen, seen.flip(-1)]), padding)
        rows, columns = (height + 3) // 4, (width + 3) // 4
        # A negative padding, not a slice: torch.export keeps it free of conditions on the size.
        cut = (F.pad(y, (0, columns - y.shape[-1], 0, rows - y.shape[-2])) for y in self(both))
        halves = ((y[:count], y[count:]) for y in cut)
        return Blur(*((plain + mirrored.flip(-1)) / 2 for plain, mirrored in halves))

    def _beyond(self, side: int) -> int:
        """Pixels to add to a side. A `sym_max` holds for the sides that torch.export leaves open, too."""
        square = torch.sym_max(side, LOOK_SQUARE)
        return square + -square % self.divisor - side


def load_radius_net(path: str | os.PathLike) -> RadiusNet:
    """Load what `train.py --model radius` saved; evaluation mode, on the CPU.

    Raises:
        UserError: no such file, unreadable, or not the weights of a radius network.
    """
    advice = "train it with --model radius, or see --radius"
    return RadiusNet.of_file(path, "radius network (latest_net_P.pth)", advice)


def look(x: torch.Tensor, mask: torch.Tensor, sigma: float) -> torch.Tensor:
    """What `RadiusNet` sees: `x` `[B,3,h,w] in [-1,1]`, softened by a Gaussian of `sigma` pixels, the mask
    `[B,1,h,w] in [0,1]` mapped to [-1,1], and 1 where the photo is: `[B,5,h,w]`. Beyond the photo all may be 0."""
    reach = max(1, round(3 * sigma))
    taps = torch.exp(-torch.arange(-reach, reach + 1, device=x.device).float().square() / (2 * sigma**2))
    taps = (taps / taps.sum()).to(x.dtype)
    rows = F.pad(x, (0, 0, reach, reach), mode="replicate")
    x = F.conv2d(rows, taps.view(1, 1, -1, 1).expand(x.shape[1], 1, -1, 1), groups=x.shape[1])
    columns = F.pad(x, (reach, reach, 0, 0), mode="replicate")
    x = F.conv2d(columns, taps.view(1, 1, 1, -1).expand(x.shape[1], 1, 1, -1), groups=x.shape[1])
    return torch.cat([x, 2 * mask - 1, torch.ones_like(mask)], dim=1)


def settled(blur: Blur, mask: torch.Tensor) -> torch.Tensor:
    """Levels `[B,1,h,w]`, not below 0, with those of uncertain places drawn to the mean of their row's background.

    Mirrors, people side by side at other distances: where it can't be known how far away a place is, the height in the
    picture is the best guess.

    Args:
        mask: `[B,1,h,w] in [0,1]`, 1 = subject, whose levels have no part in the means.
    """
    certainty = torch.exp(-torch.exp(blur.log_scale))
    level = blur.level.clamp(min=0)
    weight = certainty * (1 - mask) + 1e-6
    row = (weight * level).sum(-1, keepdim=True) / weight.sum(-1, keepdim=True)
    return certainty * level + (1 - certainty) * row


def behind(level: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Levels `[B,1,h,w]` in which the subject and its edge have those of the background beside them, in the same row.

    A map of few pixels mixes the subject's sharpness into what is next to it; a sharp rim around people would show.

    Args:
        mask: `[B,1,h,w] in [0,1]`, 1 = subject.
    """
    edge = F.max_pool2d((mask > EDGE).to(level.dtype), 3, stride=1, padding=1)
    column = torch.arange(level.shape[-1], device=level.device, dtype=level.dtype)
    nearness = torch.exp(-(column[:, None] - column).abs() / REACH)
    # A row that is all subject keeps its levels, more or less; nobody sees it.
    weight = 1 - edge + 1e-6
    beside = ((weight * level) @ nearness) / (weight @ nearness)
    return torch.where(edge > 0, beside, level)


def before_feet(level: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Levels `[B,1,h,w]` in which ground before the feet is at least as soft as the sharpest place as far behind them.

    On any plane the inverse distance 1/Z is affine in the picture's coordinates. So is a thin lens's signed circle of
    confusion, a constant times 1/Z - 1/Z_focus: from the row of the feet, which is in focus, its size grows as fast
    towards the camera as away from it. What stands on the ground behind hides ground that is softer: hence 'at least'.

    Args:
        level: of `behind`, so that the subject's own sharpness has no part.
        mask: `[B,1,h,w] in [0,1]`, 1 = subject; where it reaches the lower border, or is empty, nothing changes.
    """
    height = level.shape[-2]
    row = torch.arange(height, device=level.device)
    # `[B,1,1]`: the first row below the subject.
    stands = mask.amax(-1) > 0.5
    first = torch.where(stands.any(-1), (stands * (row + 1)).amax(-1), height)[..., None]
    as_far_behind = (2 * first - 1 - row).clamp(0, height - 1)
    # Softer with each row towards the camera.
    least = torch.where(row >= first, level.amin(-1).gather(-1, as_far_behind), 0.0).cummax(-1).values
    return torch.maximum(level, least[..., None])


def wide_open(radii: torch.Tensor, farthest: float) -> torch.Tensor:
    """Radii `[B,1,h,w]` as a lens leaves them that is open so wide that the largest is `farthest` at least.

    A photo shows how distances are spread, not how wide a lens was open; behind people who are small in it lenses were
    seldom. Radii of a thin lens are proportional to its aperture, all alike. Where the largest is below `LEAST_FAR`
    they grow as from there: all is near.
    """
    largest = radii.amax((1, 2, 3), keepdim=True).clamp(min=LEAST_FAR)
    return radii * (farthest / largest).clamp(min=1)
