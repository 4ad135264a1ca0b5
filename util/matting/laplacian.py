"""The matting Laplacian (Levin, Lischinski, Weiss 2008, A Closed Form Solution to Natural Image Matting), in a band.

Two pixels have an entry in it if they share a window of 3x3. Since it is symmetric, it is first summed up as thirteen
diagonals: for each of `OFFSETS`, an entry between each pixel and the one that lies so far behind it. Windows are taken
some rows of the photo at a time, on all cores, and in blocks that stay in a processor's cache.
"""

from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from util.strips import cores, spans

if TYPE_CHECKING:
    from scipy import sparse

# Variance of colours in [0,1] below which a window of 3x3 pixels counts as flat, times its nine pixels. A strand of
# hair shows little contrast, but what is smaller is noise, and the blocks of JPEGs become haze.
EPSILON = 1e-5
ROWS = 64  # of the photo at a time
BLOCK = 4096  # windows at a time
EQUATIONS = 8192  # at a time
WINDOW = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
# From a pixel to itself and to those behind it, in the order of rows, that share a window with it.
OFFSETS = [(y, x) for y in range(3) for x in range(-2, 3) if (y, x) >= (0, 0)]


def import_solver() -> None:
    """Import what solving takes, a fifth of a second: a program may do so beside other work, before its first matte."""
    import scipy.sparse  # noqa: F401


class Band(NamedTuple):
    """Equations of the pixels in a band, in the order of rows, together with the known ones that these look at.

    Args:
        parts: the Laplacian's rows of unknown pixels, float32, some at a time; those of known ones are empty.
        diagonal: float32 `[N]`.
        places: int64 `[N]`, flat indices of the pixels.
        unknown: bool `[N]`.
    """

    parts: list["sparse.csr_matrix"]
    diagonal: np.ndarray
    places: np.ndarray
    unknown: np.ndarray

    def times(self, alpha: np.ndarray, pool: Executor) -> np.ndarray:
        """The Laplacian times `alpha` `[N]`, its parts beside each other."""
        return np.concatenate(list(pool.map(lambda part: part @ alpha, self.parts)))


def band_system(photo: np.ndarray, unknown: np.ndarray, epsilon: float = EPSILON) -> Band:
    """What each window of 3x3 pixels asks of alpha: that it be a linear function of the colours (equation 12).

    Windows without an unknown pixel ask for nothing.

    Args:
        photo: float32 `[H,W,3]` in [0,1].
        unknown: bool `[H,W]`.
        epsilon: see `EPSILON`.
    """
    near = cv2.dilate(np.uint8(unknown), np.ones((5, 5), np.uint8)).astype(bool)
    numbers = _Numbers(near)
    diagonals = _diagonals(photo, unknown, numbers, epsilon)
    places = np.flatnonzero(near)
    is_unknown = unknown.ravel()[places]
    with ThreadPoolExecutor(cores()) as pool:
        parts = pool.map(
            lambda of_part: _rows(diagonals, numbers, *of_part),
            zip(np.array_split(places, cores()), np.array_split(is_unknown, cores()), strict=True),
        )
        return Band(list(parts), diagonals[0, :-1], places, is_unknown)


class _Numbers:
    """Numbers of chosen pixels, in the order of rows; all others have the one behind the last, `count`."""

    def __init__(self, chosen: np.ndarray):
        self.count = int(np.count_nonzero(chosen))
        self.width = chosen.shape[1]
        # Offsets lead beyond the photo, by two rows and two pixels at most.
        self._rim = 2 * self.width + 2
        self._numbers = np.full(chosen.size + 2 * self._rim, self.count)
        self._numbers[self._rim : -self._rim][chosen.ravel()] = np.arange(self.count)

    def at(self, places: np.ndarray, y: int, x: int) -> np.ndarray:
        """Those of the pixels `y` rows below and `x` pixels behind the flat indices `places`."""
        return self._numbers.take(places + (self._rim + y * self.width + x))


def _diagonals(photo: np.ndarray, unknown: np.ndarray, numbers: _Numbers, epsilon: float) -> np.ndarray:
    """Entries between each of the numbered pixels and that at each of `OFFSETS`: float32 `[13,N+1]`, the last 0."""
    height, width = unknown.shape
    centres = np.zeros((height, width), bool)
    # Of windows on the border a part is missing, so there are none.
    around = cv2.dilate(np.uint8(unknown), np.ones((3, 3), np.uint8))
    centres[1:-1, 1:-1] = around[1:-1, 1:-1]
    colors = photo.reshape(-1, 3)

    def of_rows(span: tuple[int, int]) -> tuple[int, np.ndarray]:
        top, bottom = span
        return _sum_of_windows(colors, np.flatnonzero(centres[top:bottom]) + top * width, numbers, epsilon)

    total = np.zeros((len(OFFSETS), numbers.count + 1), np.float32)
    with ThreadPoolExecutor(cores()) as pool:
        for first, part in pool.map(of_rows, spans(height, ROWS)):
            total[:, first : first + part.shape[1]] += part
    return total


def _sum_of_windows(
    colors: np.ndarray, centres: np.ndarray, numbers: _Numbers, epsilon: float
) -> tuple[int, np.ndarray]:
    """Diagonals of the windows around the flat indices `centres` alone, and the number that their columns begin at."""
    if not len(centres):
        return 0, np.zeros((len(OFFSETS), 0), np.float32)
    first, last = (
        int(numbers.at(centre, y, x)) for centre, (y, x) in zip(centres[[0, -1]], WINDOW[::8], strict=True)
    )
    total = np.zeros((len(OFFSETS), last + 1 - first), np.float32)
    for start in range(0, len(centres), BLOCK):
        block = centres[start : start + BLOCK]
        pixels = block + np.array([[y * numbers.width + x] for y, x in WINDOW])
        leanings = _leanings(colors[pixels], epsilon)
        for i, (y, x) in enumerate(WINDOW):
            columns = numbers.at(block, y, x) - first
            shares = np.einsum("cm,cjm->jm", leanings[:, i], leanings[:, i:])
            for share, (below, behind) in zip(shares, WINDOW[i:], strict=True):
                # No other window has two pixels in these places: no column is met twice.
                total[OFFSETS.index((below - y, behind - x))][columns] -= share
            total[0][columns] += 1
    return first, total


def _leanings(colors: np.ndarray, epsilon: float) -> np.ndarray:
    """g float32 `[4,9,M]` of windows with `colors` `[9,M,3]`, with `g_i g_j = (1 + d_i C^-1 d_j) / 9`.

    C is the colours' covariance in the window, d_i the difference of the i-th from their mean. With Cholesky's
    `C = R R^T` three parts of g are R^-1 d / 3, and the fourth is 1/3.
    """
    d = np.ascontiguousarray(colors.transpose(2, 0, 1), np.float64)
    d -= d.mean(axis=1, keepdims=True)
    rest = np.einsum("aim,bim->abm", d, d) / 9
    rest[range(3), range(3)] += epsilon / 9
    for k in range(3):
        pivot = np.sqrt(rest[k, k])
        d[k] /= pivot
        column = rest[k + 1 :, k] / pivot
        d[k + 1 :] -= column[:, None] * d[k]
        rest[k + 1 :, k + 1 :] -= column[:, None] * column
    leanings = np.full((4, *d.shape[1:]), 1 / 3, np.float32)
    np.divide(d, 3, out=leanings[:3], casting="same_kind")
    return leanings


def _rows(
    diagonals: np.ndarray, numbers: _Numbers, places: np.ndarray, unknown: np.ndarray
) -> "sparse.csr_matrix":
    """The matrix of the `diagonals`, both halves of it: rows of `places`, 25 entries in those that are `unknown`."""
    # Here and not above: programs that solve no mattes do without, and start sooner.
    from scipy import sparse

    middle = len(OFFSETS) - 1
    row, place = numbers.at(places[unknown], 0, 0), places[unknown]
    weights = np.empty((len(row), 2 * middle + 1), np.float32)
    columns = np.empty(weights.shape, np.int32)
    for start in range(0, len(row), EQUATIONS):
        block = slice(start, start + EQUATIONS)
        for k, (y, x) in enumerate(OFFSETS):
            before, behind = numbers.at(place[block], -y, -x), numbers.at(place[block], y, x)
            weights[block, middle - k], columns[block, middle - k] = diagonals[k].take(before), before
            weights[block, middle + k], columns[block, middle + k] = diagonals[k].take(row[block]), behind
    # Beyond the photo: the weight there is 0.
    np.minimum(columns, numbers.count - 1, out=columns)
    ends = np.concatenate([[0], np.cumsum(unknown, dtype=np.int32) * np.int32(weights.shape[1])])
    shape = (len(places), numbers.count)
    return sparse.csr_matrix((weights.ravel(), columns.ravel(), ends), shape=shape)
