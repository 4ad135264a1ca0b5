"""`util.optics.blur.disc_blur` of one large photo in strips: small copies are kept, nothing of the photo's size is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

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


class DiscCopies:
    """Copies of a photo's background, each blurred with a disc, of which any rows can be had.

    First `add` every strip once, then `blur`, then ask for `rows`.

    Args:
        size: (height, width) of the photo.
    """

    def __init__(self, size: tuple[int, int]):
        self.size = size
        # Red, green and blue light that is out of focus, and how much of a pixel is, at half the size.
        self.half = np.zeros((4, -(-size[0] // 2), -(-size[1] // 2)), np.float32)
        self.radii: list[float] = []
        self.copies: list[np.ndarray | None] = []

    def add(self, top: int, light: np.ndarray, background: np.ndarray) -> None:
        """Take a strip, `[3,rows,W]` and `[rows,W]`, from row `top`, an even number."""
        small = shrunk(padded(outside(light, background), 2), 2)
        self.half[:, top // 2 : top // 2 + small.shape[1]] = small

    def blur(self, radii: Sequence[float]) -> None:
        """Blur with discs of `radii`; those that need the photo's own size are blurred in `rows`."""
        self.radii = list(radii)
        levels = {2: self.half}
        while shrinking(max(radii)) not in {1, *levels}:
            last = max(levels)
            levels[2 * last] = shrunk(padded(levels[last], 2), 2)
        with ThreadPoolExecutor(cores()) as pool:
            self.copies = [
                disc(np.pad(levels[shrink], RIM), small_radius(radius, shrink), pool.map)
                if shrink > 1
                else None
                for radius, shrink in ((radius, shrinking(radius)) for radius in radii)
            ]
        self.half = self.half[:, :0]

    @property
    def halo(self) -> int:
        """Rows beyond a strip that its discs reach."""
        near = [radius for radius, copy in zip(self.radii, self.copies, strict=True) if copy is None]
        return max([0, *(int(np.ceil(radius - 0.5)) for radius in near)])

    def rows(
        self, top: int, bottom: int, light: np.ndarray, background: np.ndarray, above: int
    ) -> Iterator[np.ndarray]:
        """Rows `top` to `bottom` of each blurred copy in turn, `[3,rows,W]`; where no background is near, `light`.

        Args:
            light: `[3,rows,W]`, in [0,1].
            background: `[rows,W] in [0,1]`. Both begin `above` rows above `top` and end as far below `bottom`, by the
                `halo` as far as the photo has so many.
            above: rows of them above `top`.
        """
        inner = slice(above, above + bottom - top)
        own = light[:, inner]
        for radius, small in zip(self.radii, self.copies, strict=True):
            if radius <= 0.5:
                yield own
                continue
            if small is None:
                copy = disc(outside(light, background), radius)[:, inner]
            else:
                factor = shrinking(radius)
                whole = (small.shape[1] * factor, small.shape[2] * factor)
                copy = enlarged_rows(small, top + factor, bottom + factor, whole)
                copy = copy[:, :, factor : factor + self.size[1]]
            unseen = copy[3] <= MIN_SHARE
            if unseen.any():
                np.copyto(copy[:3], own, where=unseen)
            yield copy[:3]


def outside(light: np.ndarray, background: np.ndarray) -> np.ndarray:
    """`[4,rows,W]`: the light of what is out of focus, and how much of each pixel is."""
    return np.concatenate([light * background, background[None]])


def disc(parts: np.ndarray, radius: float, each: Callable[..., Iterable[np.ndarray]] = map) -> np.ndarray:
    """The first three of `parts` `[4,h,w]`, blurred with a disc, over the fourth, which is blurred as well.

    `each` is `map`, or that of a pool which blurs parts beside each other.
    """
    kernel = disc_kernel(radius)
    out = np.stack(
        list(each(lambda part: cv2.filter2D(part, -1, kernel, borderType=cv2.BORDER_CONSTANT), parts))
    )
    out[:3] /= np.maximum(out[3], MIN_SHARE)
    # Rounding in OpenCV's transforms may leave a trace outside the range.
    np.clip(out[:3], 0, 1, out=out[:3])
    return out
