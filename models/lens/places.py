"""Where in a picture each place is, seen from the subject: ground begins at the feet, and higher is farther."""

import torch

from models.lens.settings import LOOK_SIDE

# Channels of `places`.
CHANNELS = 5

# Distances count up to so many heights of the subject; a subject counts as at least so tall, in shorter sides.
FARTHEST, SHORTEST = 3.0, 0.1


def places(subject: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """`[B,5,h,w]`: how far each place is below the top of the picture and below the subject's lowest point, in shorter
    sides; the latter and how far it is beside the subject's middle, in heights of the subject; and, at each place the
    same, the room below the subject, 0 where the photo cuts it off: half bodies stand on no ground that is seen.

    Args:
        subject: boolean `[B,1,h,w]`; where there is none its lowest point is the top.
        inside: boolean `[B,1,h,w]`, the photo; beside and below it the picture may be filled up.
    """
    height, width = subject.shape[-2:]
    row = _counted(height, subject.device).view(-1, 1).expand_as(subject)
    column = _counted(width, subject.device).view(1, -1).expand_as(subject)
    lowest = _largest(row, subject)
    tall = (lowest + _largest(-row, subject)).clamp(min=SHORTEST)
    middle = (_largest(column, subject) - _largest(-column, subject)) / 2
    below = row - lowest
    room = _largest(row, inside) - lowest
    far = [(distance / tall).clamp(-FARTHEST, FARTHEST) for distance in (below, (column - middle).abs())]
    return torch.cat([row, below, *far, room.expand_as(row)], dim=1)


def _counted(length: int, device: torch.device) -> torch.Tensor:
    """0, 1, 2, ... pixels, in shorter sides of the photo."""
    return torch.arange(length, device=device, dtype=torch.float32) / LOOK_SIDE


def _largest(x: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """The largest of `x` `[B,1,h,w]` at the places `where`; 0 if there are none."""
    found = torch.where(where, x, -torch.inf).amax((2, 3), keepdim=True)
    return torch.where(found.isfinite(), found, 0.0)
