"""Alpha in a band by the matting Laplacian, from a small copy of the photo to the whole."""

import cv2
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import cg

from util.matting.laplacian import band_system
from util.resize import resized

# How much a pixel in the band holds on to the mask; a window's wish counts 1.
HOLD = 0.02
TOLERANCE = 1e-3  # of the equations, relative
STEPS = (200, 60)  # of conjugate gradients: on the smallest copy, and on each that starts from a smaller one
SMALLEST = 128  # shorter side of the smallest copy


def solve_alpha(
    photo: np.ndarray, mask: np.ndarray, foreground: np.ndarray, background: np.ndarray
) -> np.ndarray:
    """Alpha float32 `[H,W]` in [0,1]: 1 in `foreground`, 0 in `background`, between them as colours mix.

    Args:
        photo: float32 `[H,W,3]` in [0,1].
        mask: float32 `[H,W]`, which decides where colours tell nothing.
        foreground, background: bool `[H,W]`.
    """
    start, steps = mask, STEPS[0]
    height, width = mask.shape
    if min(height, width) >= 2 * SMALLEST:
        half = (width // 2, height // 2)
        parts = [resized(x.astype(np.float32), half) for x in (photo, mask, foreground, background)]
        small = solve_alpha(parts[0], parts[1], parts[2] > 0.99, parts[3] > 0.99)
        start, steps = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), STEPS[1]
    alpha = foreground.astype(np.float32)
    unknown = ~(foreground | background)
    if not unknown.any():
        return alpha
    matrix, right = band_system(photo, unknown, alpha)
    matrix = matrix + HOLD * sparse.identity(len(right), format="csr", dtype=matrix.dtype)
    right = right + HOLD * mask[unknown]
    jacobi = sparse.diags_array(1 / matrix.diagonal())
    found, _ = cg(
        matrix, right, x0=start[unknown].astype(np.float64), rtol=TOLERANCE, maxiter=steps, M=jacobi
    )
    alpha[unknown] = np.clip(found, 0, 1)
    return alpha
