"""Levels of blur put over and under each other, from far to near or from near to far."""

from collections.abc import Callable, Sequence

import torch

from util.optics.copies import by_rows, enlarged, is_plain
from util.optics.layers import Layers, Level


def grown(x: torch.Tensor, factor: int, size: Sequence[int]) -> torch.Tensor:
    """`factor` times larger, bilinearly, cut to `size`."""
    if factor > 1:
        x = enlarged(x, [factor * side for side in x.shape[-2:]])
    return x[..., : size[0], : size[1]]


def put_over(below: torch.Tensor, above: torch.Tensor, cover: torch.Tensor) -> torch.Tensor:
    """What is `above`, premultiplied with its `cover`, over what is below; all of one size, `[B,C or 1,h,w]`."""
    return above + (1 - cover) * below


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
        self.blurred = first.blurred().clone()

    def paint_over(self, level: Level) -> None:
        """Put a nearer level over what is there, which is opaque."""
        place = self._place(level)
        self.light = _put(put_over, self.light, place, level.light, level.cover)
        self.blurred = _put(put_over, self.blurred, place, level.blurred(), level.cover)

    def paint_under(self, level: Level) -> None:
        """Put a farther level under what is there."""
        place = self._place(level)
        cover = self.cover[place].clone()

        def put_under(above: torch.Tensor, below: torch.Tensor, cover: torch.Tensor) -> torch.Tensor:
            return put_over(below, above, cover)

        self.light = _put(put_under, self.light, place, level.light, cover)
        self.cover = _put(put_under, self.cover, place, level.cover, cover)
        self.blurred = _put(put_under, self.blurred, place, level.blurred(), cover)

    def grow(self, shrink: int) -> None:
        """Go on at the size of a copy that is `shrink` times smaller than the picture."""
        factor = self.shrink // shrink
        if factor > 1:
            size = [-(-side // shrink) for side in self.size]
            parts = (self.light, self.cover, self.blurred)
            self.light, self.cover, self.blurred = (grown(part, factor, size) for part in parts)
            self.shrink = shrink

    def _place(self, level: Level) -> tuple:
        self.grow(level.shrink)
        height, width = level.cover.shape[-2:]
        return ..., slice(level.top, level.top + height), slice(level.left, level.left + width)


def _put(
    function: Callable[..., torch.Tensor], x: torch.Tensor, place: tuple, *others: torch.Tensor
) -> torch.Tensor:
    """`x` with `function` of what is at `place`, and of `others`, there: in place unless that is all of it."""
    part = x[place]
    new = by_rows(function, part, *others, into=part)
    if part.shape == x.shape:
        return new
    if not is_plain(x):
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
    parts = grown(torch.cat([level.light, level.cover], dim=1), factor, size)
    return Level(parts[:, :3], parts[:, 3:], top, left, shrink, level.in_focus)
