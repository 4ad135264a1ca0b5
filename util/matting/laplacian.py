"""The matting Laplacian (Levin, Lischinski, Weiss 2008, A Closed Form Solution to Natural Image Matting), in a band."""

import numpy as np
from scipy import sparse

# Variance of colours in [0,1] below which a window of 3x3 pixels counts as flat, times its nine pixels. A strand of
# hair shows little contrast, but what is smaller is noise, and the blocks of JPEGs become haze.
EPSILON = 1e-5
BLOCK = 16384  # windows at a time, which bounds memory
WINDOW = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]


def band_system(
    photo: np.ndarray, unknown: np.ndarray, alpha: np.ndarray, epsilon: float = EPSILON
) -> tuple[sparse.csr_matrix, np.ndarray]:
    """The equations `L x = b` of alpha in a band, everything else being known.

    Each window of 3x3 pixels asks that alpha in it be a linear function of the colours (equation 12). Windows without
    an unknown pixel ask for nothing.

    Args:
        photo: float32 `[H,W,3]` in [0,1].
        unknown: bool `[H,W]`, N pixels.
        alpha: float32 `[H,W]`; what is not unknown counts.
        epsilon: see `EPSILON`.

    Returns:
        L `[N,N]`, symmetric, positive semidefinite, and b `[N]`; pixels in the order of rows.
    """
    width = unknown.shape[1]
    centres = _window_centres(unknown)
    pixels = centres + np.array([[y * width + x] for y, x in WINDOW])  # [9,M]
    weights = _window_weights(photo.reshape(-1, 3), pixels, epsilon)  # [9,9,M]
    places = np.flatnonzero(unknown)
    number = np.full(unknown.size, -1, np.int32)
    number[places] = np.arange(len(places), dtype=np.int32)
    numbers = number[pixels]
    known = np.where(numbers < 0, alpha.reshape(-1)[pixels], 0)
    pulls = np.einsum("ijm,jm->im", weights, known)
    right = -np.bincount(numbers[numbers >= 0], pulls[numbers >= 0], minlength=len(places))
    # Pairs that are as far from each other in all windows are one diagonal of the matrix. Number -1, what is known, is
    # the last place of each, which is dropped.
    diagonals: dict[int, np.ndarray] = {}
    for i, j in np.ndindex(9, 9):
        offset = (WINDOW[j][0] - WINDOW[i][0]) * width + WINDOW[j][1] - WINDOW[i][1]
        diagonal = diagonals.setdefault(offset, np.zeros(len(places) + 1, np.float64))
        # A pixel is the i-th of one window only: no other place is met twice.
        diagonal[numbers[i]] += weights[i, j]
    return _assembled(diagonals, number, places), right


def _assembled(diagonals: dict[int, np.ndarray], number: np.ndarray, places: np.ndarray) -> sparse.csr_matrix:
    rows, columns, values = [], [], []
    for offset, weight in diagonals.items():
        # Beyond the picture nothing has a weight.
        column = number[np.clip(places + offset, 0, len(number) - 1)]
        used = np.flatnonzero((weight[:-1] != 0) & (column >= 0))
        rows.append(used.astype(np.int32))
        columns.append(column[used])
        values.append(weight[used])
    entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
    return sparse.csr_matrix(entries, shape=(len(places),) * 2)


def _window_centres(unknown: np.ndarray) -> np.ndarray:
    """Flat indices of the pixels, not on the border, whose window has an unknown pixel."""
    near = np.zeros_like(unknown)
    height, width = unknown.shape
    for y, x in WINDOW:
        near[1 : height - 1, 1 : width - 1] |= unknown[1 + y : height - 1 + y, 1 + x : width - 1 + x]
    return np.flatnonzero(near)


def _window_weights(colors: np.ndarray, pixels: np.ndarray, epsilon: float) -> np.ndarray:
    """What the windows `pixels` `[9,M]` add to the Laplacian, float32 `[9,9,M]`: delta_ij - (1 + d_i C^-1 d_j) / 9.

    C is the colours' covariance in the window, d_i the difference of the i-th from their mean.
    """
    weights = np.empty((9, *pixels.shape), np.float32)
    for start in range(0, pixels.shape[1], BLOCK):
        block = colors[pixels[:, start : start + BLOCK].T].astype(np.float64)  # [M,9,3]
        deviations = block - block.mean(axis=1, keepdims=True)
        covariance = deviations.transpose(0, 2, 1) @ deviations / 9 + (epsilon / 9) * np.eye(3)
        products = deviations @ np.linalg.inv(covariance) @ deviations.transpose(0, 2, 1)
        weights[..., start : start + BLOCK] = (np.eye(9) - (1 + products) / 9).transpose(1, 2, 0)
    return weights
