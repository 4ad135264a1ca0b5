"""A picture as layers of equal blur, from far to near: each blurred with its own radius, near ones over far ones.

A pixel of signed radius r lies between two levels and is shared among them as in linear interpolation: w_k is its share
of level k, and d_k = 1 - (shares of all nearer levels) is how much of it is not hidden from level k. With K the pupil
of the level and L the light, level k is seen as

    light C_k = K * (w_k L) / (K * d_k),   coverage A_k = K * w_k / (K * d_k),

so that a surface which goes on through many levels stays opaque, light of near things does not get into far ones, and
far ones go on behind near ones as far as the pupil sees. Where it sees nothing, push-pull continues C_k and A_k.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F

from util.optics.fill import push_pull
from util.optics.pupil import Aperture
from util.optics.spread import Field, spread

# Larger pupils work on copies of a half, a quarter, ... of the size: what they leave has no finer detail.
MAX_RADIUS = 10.0
# Radii up to this are sharp: the pupil does not reach beyond its pixel.
SHARP = 0.5
# Below this share of what the pupil sees, a level is continued by push-pull.
UNSEEN = 0.05
# Radii that lie this share of the way to the next level still belong to theirs.
SNAP = 0.2

BINS = 1024
LLOYD_STEPS = 12


def choose_levels(radius: torch.Tensor, importance: torch.Tensor, count: int) -> list[float]:
    """Up to `count` radii, ascending (far to near), 0 among them, placed where the picture's light is.

    Lloyd's algorithm (1982) on the logarithm of 1 + |radius|, as what shows is the ratio of radii; on each side of the
    focus by itself.

    Args:
        radius: signed radii, positive in front of the focus.
        importance: of each pixel, of the same shape, not negative.
        count: at least 3.
    """
    r, weight = radius.detach().flatten().float(), importance.detach().flatten().float()
    place = torch.where(r.abs() <= SHARP, 0.0, r.sign() * r.abs().log1p())
    reach = {side: float((side * place).max().clamp(min=0)) for side in (-1, 1)}
    total = sum(reach.values())
    levels = [0.0]
    for side, extent in reach.items():
        if extent:
            number = max(1, round((count - 1) * extent / total))
            number = min(number, count - 2) if min(reach.values()) > 0 else number
            chosen = side * place > 0
            places = _lloyd(side * place[chosen], weight[chosen], extent, number)
            levels += [side * float(x) for x in torch.tensor(places).expm1()]
    return sorted(levels)


def _lloyd(place: torch.Tensor, weight: torch.Tensor, extent: float, number: int) -> list[float]:
    """Means of up to `number` clusters of places in (0, extent]."""
    index = (place / extent * BINS).long().clamp(0, BINS - 1)
    place, weight = place.double(), weight.double()
    mass = place.new_zeros(BINS).index_add(0, index, weight).cpu()
    moment = place.new_zeros(BINS).index_add(0, index, weight * place).cpu()
    used = (mass > 1e-4 * mass.sum()).nonzero()[:, 0]
    if len(used) == 0:
        return [extent]
    centres = moment[used] / mass[used]
    # Starting at equal shares of the range keeps rare radii from being forgotten.
    start = torch.linspace(0, len(used) - 1, min(number, len(used))).round().long()
    means = centres[start].unique()
    for _ in range(LLOYD_STEPS):
        nearest = (centres[:, None] - means).abs().argmin(dim=1)
        shares = torch.zeros(len(means), dtype=torch.double).index_add(0, nearest, mass[used])
        sums = torch.zeros(len(means), dtype=torch.double).index_add(0, nearest, moment[used])
        means = (sums / shares.clamp(min=1e-12))[shares > 0]
    return means.tolist()


def nearer_share(radius: torch.Tensor, levels: Sequence[float], k: int) -> torch.Tensor:
    """How much of each pixel belongs to level k or nearer ones: 1 for k = 0, and 0 beyond the last.

    Radii close to a level belong to it wholly: a thousandth of a bright light left at a much smaller radius would
    outshine the rest of it.
    """
    if k <= 0:
        return torch.ones_like(radius)
    if k >= len(levels):
        return torch.zeros_like(radius)
    ramp = (1 - 2 * SNAP) * (levels[k] - levels[k - 1])
    start = levels[k - 1] + SNAP * (levels[k] - levels[k - 1])
    return ((radius - start) / ramp).clamp(0, 1)


class Level(NamedTuple):
    """A blurred level, or that part of it in which there is anything.

    Attributes:
        light, cover: C_k `[1,3,h,w]` and A_k `[1,1,h,w]`.
        top, left: where they begin in the picture's copy.
        shrink: by how much that copy is smaller than the picture.
        in_focus: whether its radius is 0.
    """

    light: torch.Tensor
    cover: torch.Tensor
    top: int
    left: int
    shrink: int
    in_focus: bool


class Layers:
    """The levels of a picture, with its copies at every size that they need.

    Args:
        light: `[1,3,H,W]`, not negative.
        radius: `[1,1,H,W]`, signed, positive in front of the focus.
        levels: ascending radii.
    """

    def __init__(
        self, light: torch.Tensor, radius: torch.Tensor, levels: Sequence[float], aperture: Aperture
    ):
        self.levels, self.aperture = list(levels), aperture
        self.size = tuple(light.shape[-2:])
        self._copies = {1: (light, radius)}
        # Parts of levels are put into the picture in place, which gradients don't allow.
        self.whole = torch.is_grad_enabled() and (light.requires_grad or radius.requires_grad)
        r = radius.detach()[0, 0]
        self._extremes = [(r.amin(dim), r.amax(dim)) for dim in (1, 0)]

    def level(self, k: int, whole: bool = False) -> Level | None:
        """Level k; None if no pixel belongs to it. With `whole` it is as large as its copy."""
        shrink = shrink_of(self.levels[k])
        # Shares are found at twice the size, where pixels that are half near and half far are half as wide.
        finer = max(1, shrink // 2)
        box = self._box(k, shrink, whole or self.whole)
        if box is None:
            return None
        rows, columns = (slice(side.start * shrink // finer, side.stop * shrink // finer) for side in box)
        light, radius = (x[..., rows, columns] for x in self._copy(finer))
        nearer = nearer_share(radius, self.levels, k + 1)
        weight = nearer_share(radius, self.levels, k) - nearer
        parts = torch.cat([light * weight, weight, 1 - nearer], dim=1)
        if shrink > 1:
            parts = halved(parts)
        parts = spread(parts, self.levels[k] / shrink, self.aperture, self._field(box, shrink))
        seen, known = parts[:, :4], parts[:, 4:]
        if k == 0:
            # Nothing lies farther: what is seen of this level covers all.
            known = seen[:, 3:]
        shown = seen / known.clamp(min=1e-6)
        # Only pupils larger than its own look far enough behind the edges of nearer things to miss it.
        if (k == 0 or self.levels[-1] > abs(self.levels[k])) and bool((known < UNSEEN).any()):
            shown = push_pull(shown, (known / UNSEEN).clamp(0, 1))
        in_focus = abs(self.levels[k]) <= SHARP
        return Level(shown[:, :3], shown[:, 3:].clamp(0, 1), box[0].start, box[1].start, shrink, in_focus)

    def _copy(self, shrink: int) -> tuple[torch.Tensor, torch.Tensor]:
        if shrink not in self._copies:
            light, radius = self._copy(shrink // 2)
            self._copies[shrink] = (halved(light), halved(radius))
        return self._copies[shrink]

    def _box(self, k: int, shrink: int, whole: bool) -> list[slice] | None:
        """Rows and columns of the copy that level k can reach."""
        below = self.levels[k - 1] if k else -math.inf
        above = self.levels[k + 1] if k + 1 < len(self.levels) else math.inf
        reach = math.ceil(abs(self.levels[k]) / shrink) + 1
        box = []
        for side, (low, high) in zip(self.size, self._extremes, strict=True):
            used = ((high > below) & (low < above)).nonzero()
            if len(used) == 0:
                return None
            length = -(-side // shrink)
            first, last = int(used[0]) // shrink, int(used[-1]) // shrink
            box.append(
                slice(0, length) if whole else slice(max(0, first - reach), min(length, last + reach + 1))
            )
        return box

    def _field(self, box: list[slice], shrink: int) -> Field:
        height, width = (-(-side // shrink) for side in self.size)
        return Field(box[0].start, box[1].start, height, width)


def shrink_of(radius: float) -> int:
    """By how much the copy is smaller on which a pupil of this radius works, a power of 2."""
    shrink = 1
    while abs(radius) / shrink > MAX_RADIUS:
        shrink *= 2
    return shrink


def halved(x: torch.Tensor) -> torch.Tensor:
    """Half the size, rounded up, each pixel the mean of those it covers."""
    return F.avg_pool2d(x, 2, ceil_mode=True)


def enlarged(x: torch.Tensor, factor: int, size: Sequence[int]) -> torch.Tensor:
    """`factor` times larger, bilinearly, cut to `size`."""
    if factor > 1:
        x = F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
    return x[..., : size[0], : size[1]]


class Canvas:
    """Levels composited, on a copy that grows as smaller radii come.

    Attributes:
        light: `[1,3,h,w]`.
        cover: `[1,1,h,w]`, how much of each pixel has been painted.
        blurred: `[1,1,h,w]`, how much of each pixel is out of focus.
    """

    def __init__(self, size: Sequence[int], first: Level):
        """Begin with a level as large as its copy."""
        self.size, self.shrink = size, first.shrink
        self.light, self.cover = first.light, first.cover
        self.blurred = first.cover * (not first.in_focus)

    def paint_over(self, level: Level) -> None:
        """Put a nearer level over what is there, which is opaque."""
        place = self._place(level)
        blurred = level.cover * (not level.in_focus)
        left = 1 - level.cover
        self.light = _put(self.light, place, lambda x: level.light + left * x)
        self.blurred = _put(self.blurred, place, lambda x: blurred + left * x)

    def paint_under(self, level: Level) -> None:
        """Put a farther level under what is there."""
        place = self._place(level)
        left = 1 - self.cover[place]
        self.light = _put(self.light, place, lambda x: x + left * level.light)
        self.cover = _put(self.cover, place, lambda x: x + left * level.cover)
        self.blurred = _put(self.blurred, place, lambda x: x + left * level.cover * (not level.in_focus))

    def grow(self, shrink: int) -> None:
        """Go on at the size of a copy that is `shrink` times smaller than the picture."""
        factor = self.shrink // shrink
        if factor > 1:
            size = [-(-side // shrink) for side in self.size]
            parts = enlarged(torch.cat([self.light, self.cover, self.blurred], dim=1), factor, size)
            self.light, self.cover, self.blurred = parts.split([3, 1, 1], dim=1)
            self.shrink = shrink

    def _place(self, level: Level) -> tuple:
        self.grow(level.shrink)
        height, width = level.cover.shape[-2:]
        return ..., slice(level.top, level.top + height), slice(level.left, level.left + width)


def _put(x: torch.Tensor, place: tuple, function: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """`x` with `function` of what is at `place` there: in place unless that is all of it."""
    part = x[place]
    new = function(part)
    if part.shape == x.shape:
        return new
    part.copy_(new)
    return x


def over(layers: Layers, last: int) -> Canvas | None:
    """The levels up to `last` from back to front, the first of them opaque; None if no pixel belongs to any.

    In front of the focus radii grow again: what comes there at a smaller size is enlarged.
    """
    canvas = None
    for k in range(last + 1):
        level = layers.level(k, whole=canvas is None)
        if level is None:
            continue
        if canvas is None:
            canvas = Canvas(layers.size, _opaque(level))
        elif level.shrink > canvas.shrink:
            canvas.paint_over(_enlarged_level(level, canvas.shrink, layers.size))
        else:
            canvas.paint_over(level)
    return canvas


def under(layers: Layers, first: int) -> Canvas | None:
    """The levels from the nearest back to `first`, light premultiplied; None if no pixel belongs to any."""
    canvas = None
    for k in range(len(layers.levels) - 1, first - 1, -1):
        level = layers.level(k, whole=canvas is None)
        if level is None:
            continue
        if canvas is None:
            canvas = Canvas(layers.size, level)
        elif level.shrink > canvas.shrink:
            canvas.paint_under(_enlarged_level(level, canvas.shrink, layers.size))
        else:
            canvas.paint_under(level)
    return canvas


def _opaque(level: Level) -> Level:
    cover = level.cover.clamp(min=1e-6)
    return level._replace(light=level.light / cover, cover=torch.ones_like(cover))


def _enlarged_level(level: Level, shrink: int, picture: Sequence[int]) -> Level:
    """A level at the size of a larger copy of the picture."""
    factor = level.shrink // shrink
    top, left = level.top * factor, level.left * factor
    size = (-(-picture[0] // shrink) - top, -(-picture[1] // shrink) - left)
    parts = enlarged(torch.cat([level.light, level.cover], dim=1), factor, size)
    return Level(parts[:, :3], parts[:, 3:], top, left, shrink, level.in_focus)
