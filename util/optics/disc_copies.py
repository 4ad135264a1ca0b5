"""`util.optics.blur.disc_blur` of one large photo in strips: small copies are kept, nothing of the photo's size is."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import NamedTuple

import cv2
import numpy as np

from util.optics.arrays import disc_kernel
from util.optics.blur import MAX_RADIUS, MIN_SHARE
from util.strips import cores, enlarged_rows, padded, shrunk

# Variance that a smaller copy adds to a disc, in squared pixels of the copy: by its area mean (1/12) and by the
# bilinear enlargement (1/6). A disc of radius r has r^2/4, so that its r^2 has to be less by four times as much.
SOFTENED = 4 * (1 / 12 + 1 / 6)


# Discs larger than this on a copy are laid on one of half its size. OpenCV needs as long for all that are above 6, and
# from 9 on they are within 1/255 of the disc at full size, but for the sharpest edges.
SMALL_RADIUS = 18.0

# Small copies have a pixel more on each side: so the enlargement has a value beyond the photo's border too.
RIM = ((0, 0), (1, 1), (1, 1))


def shrinking(radius: float) -> int:
    """By how much a photo is made smaller for a disc of `radius` pixels: a power of two."""
    shrink = 1
    while radius / shrink > (MAX_RADIUS if shrink == 1 else SMALL_RADIUS):
        shrink *= 2
    return shrink


def small_radius(radius: float, shrink: int) -> float:
    """Radius on a copy of 1/`shrink` of the size of the disc that ends up as one of `radius` pixels."""
    return ((radius / shrink) ** 2 - SOFTENED) ** 0.5


class Strip(NamedTuple):
    """Rows of a photo, and those above and below that discs on them reach.

    Args:
        top: number of the first of the rows.
        rows: how many.
        above: how many more there are above them; below there are as many, as far as the photo has so many.
        light: `[3,all of them,W] in [0,1]`.
        background: `[all of them,W] in [0,1]`, how much of each pixel is out of focus.
    """

    top: int
    rows: int
    above: int
    light: np.ndarray
    background: np.ndarray

    def own(self, rows: slice, columns: slice) -> np.ndarray:
        """The light of a part of the rows themselves."""
        return self.light[:, self.above + rows.start : self.above + rows.stop, columns]


class Piece(NamedTuple):
    """A part of a copy.

    Args:
        pixels: `[4,h,w]`.
        top, left: number, in the copy with its rim, of the first row and column.
    """

    pixels: np.ndarray
    top: int = 0
    left: int = 0


class DiscCopies:
    """Copies of a photo's background, each blurred with a disc, of which any rows can be had.

    First `add` every strip once, then `blur`, then ask for `rows`, or for rows blurred `by_radius`.

    Args:
        size: (height, width) of the photo.
    """

    def __init__(self, size: tuple[int, int]):
        self.size = size
        # Red, green and blue light that is out of focus, and how much of a pixel is, at half the size.
        self.half = np.zeros((4, -(-size[0] // 2), -(-size[1] // 2)), np.float32)
        self.radii: list[float] = []
        self.copies: list[Piece | None] = []

    def add(self, top: int, light: np.ndarray, background: np.ndarray) -> None:
        """Take a strip, `[3,rows,W]` and `[rows,W]`, from row `top`, an even number."""
        small = shrunk(padded(outside(light, background), 2), 2)
        self.half[:, top // 2 : top // 2 + small.shape[1]] = small

    def blur(self, radii: Sequence[float], radius: np.ndarray | None = None) -> None:
        """Blur with discs of `radii`; those that need the photo's own size are blurred in `rows`.

        Args:
            radii: ascending, if there is a `radius`.
            radius: small `[h,w]`; each copy is then made only where `by_radius` shows it to pixels whose radius is
                this, enlarged bilinearly. Without it all is made.
        """
        self.radii = list(radii)
        levels = {2: self.half}
        while shrinking(max(radii)) not in {1, *levels}:
            last = max(levels)
            levels[2 * last] = shrunk(padded(levels[last], 2), 2)
        wide = {shrink: np.pad(level, RIM) for shrink, level in levels.items()}

        def copy(step: tuple[int, float, float, float]) -> Piece | None:
            _, inner, outer, beyond = step
            shrink = shrinking(outer)
            if shrink == 1:
                return None
            parts, small = wide[shrink], small_radius(outer, shrink)
            if radius is None:
                return Piece(disc(parts, small))
            rows, columns = self._shown(radius, inner, beyond, shrink)
            return Piece(disc_within(parts, small, rows, columns), rows.start, columns.start)

        with ThreadPoolExecutor(cores()) as pool:
            self.copies = list(pool.map(copy, self._steps()))
        self.half = self.half[:, :0]

    @property
    def halo(self) -> int:
        """Rows beyond a strip that its discs reach."""
        return max(map(self._reach, range(len(self.radii))), default=0)

    def halo_of(self, radius: np.ndarray) -> int:
        """Those that the discs reach which pixels of these radii show: see `by_radius`."""
        least, largest = radius.min(), radius.max()
        shown = (k for k, inner, _, beyond in self._steps() if inner < largest and least < beyond)
        return max(map(self._reach, shown), default=0)

    def rows(self, strip: Strip) -> Iterator[np.ndarray]:
        """Each blurred copy of `strip` in turn, `[3,rows,W]`; where no background is near, its light."""
        for number in range(len(self.radii)):
            yield self._part(number, strip, slice(0, strip.rows), slice(0, self.size[1]))

    def by_radius(self, strip: Strip, radius: np.ndarray) -> np.ndarray:
        """`strip` `[3,rows,W]`, each pixel out of focus blurred with its own `radius` `[rows,W]`.

        It is mixed of the copies of the two nearest radii, as `util.optics.varying.varying_blur` does; of each copy
        only that part is made which pixels show.
        """
        mixed = strip.own(slice(0, strip.rows), slice(0, self.size[1])).copy()
        visible = strip.background[strip.above : strip.above + strip.rows] > 0
        for number, inner, outer, beyond in self._steps():
            box = bounds(visible & (radius > inner) & (radius < beyond))
            if box is None:
                continue
            share = np.clip((radius[box] - inner) / np.float32(outer - inner), 0, 1)
            below = mixed[:, box[0], box[1]]
            step = self._part(number, strip, *box) - below
            step *= share
            below += step
        return mixed

    def _steps(self) -> Iterator[tuple[int, float, float, float]]:
        """Of each copy its number, the radius before, its own, and the one behind, from which on no pixel shows it."""
        return zip(count(), [0.0, *self.radii], self.radii, [*self.radii[1:], np.inf], strict=False)

    def _shown(self, radius: np.ndarray, inner: float, beyond: float, shrink: int) -> tuple[slice, slice]:
        """Rows and columns of a copy, its rim counted in, that pixels whose radius lies between these two look at."""
        around = np.ones((3, 3), np.uint8)
        # A pixel's radius lies between those of its own cell and the cells around it.
        box = bounds((cv2.dilate(radius, around) > inner) & (cv2.erode(radius, around) < beyond))
        if box is None:
            return slice(0, 0), slice(0, 0)
        # The enlargement looks a pixel further, and the part that it is made of begins a pixel before.
        rows, columns = (
            slice(
                max(0, math.floor(part.start * side / cells / shrink) - 1),
                math.ceil(part.stop * side / cells / shrink) + 3,
            )
            for part, side, cells in zip(box, self.size, radius.shape, strict=True)
        )
        return rows, columns

    def _reach(self, number: int) -> int:
        """Pixels of the photo that the disc number `number` reaches beyond what it is laid on; 0 on a small copy."""
        return int(np.ceil(self.radii[number] - 0.5)) if self.copies[number] is None else 0

    def _part(self, number: int, strip: Strip, rows: slice, columns: slice) -> np.ndarray:
        """These rows and columns of `strip`, of the copy number `number`, `[3,h,w]`."""
        radius, small = self.radii[number], self.copies[number]
        own = strip.own(rows, columns)
        if radius <= 0.5:
            return own
        if small is None:
            copy = disc_in(strip, rows, columns, radius)
        else:
            top = strip.top + rows.start
            copy = self._enlarged(small, shrinking(radius), top, strip.top + rows.stop, columns)
        unseen = copy[3] <= MIN_SHARE
        if unseen.any():
            np.copyto(copy[:3], own, where=unseen)
        return copy[:3]

    def _enlarged(self, piece: Piece, factor: int, top: int, bottom: int, columns: slice) -> np.ndarray:
        """Rows `top` to `bottom` and these columns of a copy, enlarged by `factor`."""
        first = columns.start // factor
        small = piece.pixels[:, :, first - piece.left : (columns.stop - 1) // factor + 3 - piece.left]
        whole = (small.shape[1] * factor, small.shape[2] * factor)
        # The rim is a pixel of the copy.
        down, across = ((1 - begin) * factor for begin in (piece.top, first))
        copy = enlarged_rows(small, top + down, bottom + down, whole)
        left = columns.start + across
        return copy[:, :, left : left + columns.stop - columns.start]


def bounds(shown: np.ndarray) -> tuple[slice, slice] | None:
    """The rows and columns of `shown`, bool `[h,w]`, between its first and last place that is true; None if none is."""
    rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
    if not len(rows):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def disc_within(parts: np.ndarray, radius: float, rows: slice, columns: slice) -> np.ndarray:
    """These rows and columns of `disc` of `parts` `[4,h,w]`."""
    (high, wide), (tall, broad) = with_margin(rows, columns, radius)
    return disc(parts[:, high, wide], radius)[:, tall, broad]


def with_margin(
    rows: slice, columns: slice, radius: float
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """These rows and columns with what a disc of `radius` reaches around them, and where they lie in that."""
    reach = int(np.ceil(radius - 0.5))
    top, left = max(0, rows.start - reach), max(0, columns.start - reach)
    around = slice(top, rows.stop + reach), slice(left, columns.stop + reach)
    return around, (
        slice(rows.start - top, rows.stop - top),
        slice(columns.start - left, columns.stop - left),
    )


def disc_in(strip: Strip, rows: slice, columns: slice, radius: float) -> np.ndarray:
    """`disc` of the light and background of these rows and columns of `strip`, with what lies around them."""
    rows = slice(strip.above + rows.start, strip.above + rows.stop)
    (high, wide), (tall, broad) = with_margin(rows, columns, radius)
    return disc(outside(strip.light[:, high, wide], strip.background[high, wide]), radius)[:, tall, broad]


def outside(light: np.ndarray, background: np.ndarray) -> np.ndarray:
    """`[4,rows,W]`: the light of what is out of focus, and how much of each pixel is."""
    return np.concatenate([light * background, background[None]])


def disc(parts: np.ndarray, radius: float) -> np.ndarray:
    """The first three of `parts` `[4,h,w]`, blurred with a disc, over the fourth, which is blurred as well."""
    kernel, out = disc_kernel(radius), np.empty_like(parts)
    for part, blurred in zip(parts, out, strict=True):
        cv2.filter2D(part, -1, kernel, dst=blurred, borderType=cv2.BORDER_CONSTANT)
    out[:3] /= np.maximum(out[3], MIN_SHARE)
    # Rounding in OpenCV's transforms may leave a trace outside the range.
    np.clip(out[:3], 0, 1, out=out[:3])
    return out
