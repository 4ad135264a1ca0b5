"""The four figures of image matting (Rhemann et al. 2009, A Perceptually Motivated Online Benchmark for Image Matting).

`alpha` and `truth` are `[H,W]` in [0,1]. Sums are over all pixels, divided by 1000 but for `mse`, as the benchmark's
tables have them; 0 is perfect. Where the benchmark counts inside a trimap, these count everywhere: there is none.
"""

import cv2
import numpy as np

GRADIENT_SIGMA = 1.4
CONNECTED_STEP = 0.1
CONNECTED_TOLERANCE = 0.15
HAIR_REACH = 2  # pixels
VISIBLE_HAIR = 0.02
THOUSAND = 1000.0


def figures_of_alpha(alpha: np.ndarray, truth: np.ndarray, hair: np.ndarray) -> dict[str, float]:
    """All four by name, and `alpha_sad_hair`, of the band around loose hair (`hair`: its share of each pixel)."""
    return {
        "alpha_sad": sad(alpha, truth),
        "alpha_sad_hair": sad(alpha, truth, hair_band(hair)),
        "alpha_mse": mse(alpha, truth),
        "alpha_grad": gradient_error(alpha, truth),
        "alpha_conn": connectivity_error(alpha, truth),
    }


def hair_band(hair: np.ndarray) -> np.ndarray:
    """Boolean map `[H,W]` of what lies within two pixels of loose hair."""
    around = np.ones((2 * HAIR_REACH + 1,) * 2, np.uint8)
    return cv2.dilate(np.uint8(hair > VISIBLE_HAIR), around) > 0


def sad(alpha: np.ndarray, truth: np.ndarray, region: np.ndarray | None = None) -> float:
    """Sum of absolute differences, in thousands, over `region` or everywhere."""
    difference = np.abs(alpha - truth)
    return float((difference if region is None else difference[region]).sum(dtype=np.float64) / THOUSAND)


def mse(alpha: np.ndarray, truth: np.ndarray) -> float:
    """Mean squared difference."""
    return float(np.mean(np.square(alpha - truth), dtype=np.float64))


def gradient_error(alpha: np.ndarray, truth: np.ndarray) -> float:
    """Sum of squared differences of the gradients' magnitudes, by first derivatives of a Gaussian of sigma 1.4."""
    return float(np.square(_slope(alpha) - _slope(truth)).sum(dtype=np.float64) / THOUSAND)


def connectivity_error(alpha: np.ndarray, truth: np.ndarray) -> float:
    """How differently pixels hang together with the largest region that both call opaque.

    l(p) is the highest threshold at which p is connected with it in both; what alpha has above l(p), if it is at least
    0.15, counts as unconnected. The sum over all pixels of the difference of 1 minus that.
    """
    thresholds = np.arange(CONNECTED_STEP, 1 + CONNECTED_STEP / 2, CONNECTED_STEP)
    level = np.full(alpha.shape, -1.0)
    for number, threshold in enumerate(thresholds):
        largest = _largest_component((alpha >= threshold) & (truth >= threshold))
        lost = (level == -1) & ~largest
        # It is at the threshold before this one.
        level[lost] = number * CONNECTED_STEP
    level[level == -1] = 1
    connected = [1 - _above(x - level) for x in (alpha, truth)]
    return float(np.abs(connected[0] - connected[1]).sum(dtype=np.float64) / THOUSAND)


def _above(distance: np.ndarray) -> np.ndarray:
    return distance * (distance >= CONNECTED_TOLERANCE)


def _largest_component(region: np.ndarray) -> np.ndarray:
    """The largest 4-connected part of a boolean map; nothing of an empty one."""
    count, labels = cv2.connectedComponents(np.uint8(region), connectivity=4)
    if count == 1:
        return np.zeros_like(region)
    return labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])


def _slope(alpha: np.ndarray) -> np.ndarray:
    """Magnitude of the gradient of `alpha` behind a Gaussian."""
    reach = int(np.ceil(GRADIENT_SIGMA * 3))
    x = np.arange(-reach, reach + 1)
    smooth = np.exp(-(x**2) / (2 * GRADIENT_SIGMA**2)) / (GRADIENT_SIGMA * np.sqrt(2 * np.pi))
    derivative = -x * smooth / GRADIENT_SIGMA**2
    # The benchmark scales the two-dimensional filter to unit length.
    derivative, smooth = derivative / np.linalg.norm(derivative), smooth / np.linalg.norm(smooth)
    plane = alpha.astype(np.float64)
    across = cv2.sepFilter2D(plane, -1, derivative, smooth, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(plane, -1, smooth, derivative, borderType=cv2.BORDER_REPLICATE)
    return np.hypot(across, down)
