"""A picture as layers of equal blur, from far to near: each blurred with its own radius, near ones over far ones.

A pixel of signed radius r lies between two levels and is shared among them as in linear interpolation: w_k is its share
of level k, and d_k = 1 - (shares of all nearer levels) is how much of it is not hidden from level k. With K the pupil
of the level and L the light, level k is seen as

    light C_k = K * (w_k L) / (K * d_k),   coverage A_k = K * w_k / (K * d_k),

so that a surface which goes on through many levels stays opaque, light of near things does not get into far ones, and
far ones go on behind near ones as far as the pupil sees. Where it sees nothing, push-pull continues C_k and A_k.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch

from util.optics.copies import by_rows, halved, is_plain
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

    def blurred(self) -> torch.Tensor:
        """How much of each pixel it covers and is out of focus, `[1,1,h,w]`."""
        return torch.zeros_like(self.cover) if self.in_focus else self.cover


class _Memory:
    """Memory that is used again and again: new one takes as long to get as the work that is done in it."""

    def __init__(self) -> None:
        self._kept: dict[str, torch.Tensor] = {}

    def of(self, name: str, like: torch.Tensor, shape: Sequence[int]) -> torch.Tensor | None:
        """Memory of this name and `shape`; None where pictures `like` this one can't be worked on in place."""
        if not is_plain(like):
            return None
        number = math.prod(shape)
        if name not in self._kept or len(self._kept[name]) < number:
            self._kept[name] = like.new_empty(number)
        return self._kept[name][:number].view(*shape)


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
        self._memory = _Memory()
        # Parts of levels are put into the picture in place, which gradients don't allow.
        self.whole = torch.is_grad_enabled() and (light.requires_grad or radius.requires_grad)
        r = radius.detach()[0, 0]
        self._extremes = [(r.amin(dim), r.amax(dim)) for dim in (1, 0)]

    def level(self, k: int, whole: bool = False) -> Level | None:
        """Level k; None if no pixel belongs to it. Unless it is whole, the next level is made in the same memory.

        Args:
            whole: as large as its copy.
        """
        shrink = shrink_of(self.levels[k])
        # Shares are found at twice the size, where pixels that are half near and half far are half as wide.
        finer = max(1, shrink // 2)
        box = self._box(k, shrink, whole or self.whole)
        if box is None:
            return None
        rows, columns = (slice(side.start * shrink // finer, side.stop * shrink // finer) for side in box)
        pictures = [x[..., rows, columns] for x in self._copy(finer)]
        parts = self._spread_parts(k, shrink, box, pictures, _Memory() if whole else self._memory)
        # Nothing lies farther than the first: what is seen of it covers all.
        seen, known = parts[:, :4], parts[:, 3:4] if k == 0 else parts[:, 4:]
        # Only pupils larger than its own look far enough behind the edges of nearer things to miss it.
        has_gaps = (k == 0 or self.levels[-1] > abs(self.levels[k])) and float(known.detach().min()) < UNSEEN
        sureness = by_rows(lambda known: (known / UNSEEN).clamp(0, 1), known) if has_gaps else known
        shown = by_rows(_divided, seen, known, into=seen)
        if has_gaps:
            shown = push_pull(shown, sureness, into=shown)
        in_focus = abs(self.levels[k]) <= SHARP
        return Level(shown[:, :3], shown[:, 3:], box[0].start, box[1].start, shrink, in_focus)

    def _spread_parts(
        self, k: int, shrink: int, box: list[slice], pictures: list[torch.Tensor], memory: "_Memory"
    ) -> torch.Tensor:
        """w_k L, w_k and d_k of the formulas above, spread over the pupil, `[1,5,h,w]`.

        Args:
            pictures: light and radius, of the size of the result or twice that.
        """
        shape = (1, 5, *(side.stop - side.start for side in box))

        def parts(light: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
            nearer = nearer_share(radius, self.levels, k + 1)
            weight = nearer_share(radius, self.levels, k) - nearer
            found = torch.cat([light * weight, weight, 1 - nearer], dim=1)
            return found if shrink == 1 else halved(found)

        kept = [memory.of(name, pictures[0], shape) for name in ("parts", "spread")]
        found = by_rows(parts, *pictures, into=kept[0], shrink=min(shrink, 2))
        return spread(found, self.levels[k] / shrink, self.aperture, self._field(box, shrink), kept[1])

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


def _divided(seen: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """C_k and A_k, `[1,4,h,w]`, of what they are made of."""
    shown = seen / known.clamp(min=1e-6)
    return torch.cat([shown[:, :3], shown[:, 3:].clamp(0, 1)], dim=1)
