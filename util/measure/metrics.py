"""Figures of one photo: what an output keeps of the subject and what it does to the background.

Images are `[H,W,3]` in [0,1] (sRGB values), masks `[H,W]` in [0,1], 1 = subject. Distances are pixels.
A figure over an empty region is NaN.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from util.optics.arrays import luma, srgb_to_linear
from util.optics.sharpness import OUTLINE, gradient_magnitude

ERODED = 3  # pixels taken off the subject, so that the mask's own error does not count
DILATED = OUTLINE  # pixels added to it, so that neither the edge nor hair counts as background
COLOR_SIGMA = 12.0
SSIM_SIGMA = 1.5
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2


@dataclass(frozen=True)
class Regions:
    """Three disjoint boolean maps `[H,W]` that cover a photo."""

    subject: np.ndarray
    ring: np.ndarray
    background: np.ndarray

    @classmethod
    def of_mask(cls, mask: np.ndarray, eroded: float = ERODED, dilated: float = DILATED) -> "Regions":
        """Subject: the mask (at least 0.5) eroded by a disc of radius `eroded`; background: outside the mask
        dilated by a disc of radius `dilated`; ring: between them. The photo's border erodes nothing."""
        inside = mask >= 0.5
        subject = _distance_to(~inside) > eroded
        background = _distance_to(inside) > dilated
        return cls(subject, ~(subject | background), background)


def _distance_to(region: np.ndarray) -> np.ndarray:
    """Euclidean distance `[H,W]` of each pixel to the nearest one of `region`; infinite if it is empty."""
    if not region.any():
        return np.full(region.shape, np.inf, dtype=np.float32)
    return cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def figures_of_output(output: np.ndarray, source: np.ndarray, regions: Regions) -> dict[str, float]:
    """All figures of an `output` made from the photo `source`, by name:

    - `subject_psnr` (dB), `subject_ssim`: inside the subject;
    - `gradient_left`: mean gradient of the background, output divided by source;
    - `color_error`: mean absolute difference of the low frequencies of the background's linear light;
    - `halo`: mean absolute difference in the ring around the subject's edge;
    - `grid`: amplitude of the pattern that repeats every 4 pixels of the background;
    - `background_gradient`: the output's mean gradient itself, for the blur match.
    """
    gradient = background_gradient(output, regions.background)
    source_gradient = background_gradient(source, regions.background)
    return {
        "subject_psnr": psnr(output, source, regions.subject),
        "subject_ssim": ssim(output, source, regions.subject),
        "gradient_left": gradient / source_gradient if source_gradient > 0 else float("nan"),
        "color_error": color_error(output, source, regions.background),
        "halo": _mean(np.abs(output - source), regions.ring),
        "grid": grid_amplitude(output, regions.background),
        "background_gradient": gradient,
    }


def psnr(output: np.ndarray, reference: np.ndarray, region: np.ndarray | None = None) -> float:
    """Peak signal-to-noise ratio in dB over all channels of `region` (default: everywhere); inf if equal."""
    error = _mean(np.square(output - reference), region)
    if np.isnan(error):
        return error
    return float("inf") if error == 0 else float(-10 * np.log10(error))


def ssim(output: np.ndarray, reference: np.ndarray, region: np.ndarray | None = None) -> float:
    """Mean structural similarity of `region`, all channels (Wang et al. 2004, Gaussian of sigma 1.5)."""
    # A channel at a time: a large photo's temporaries are large.
    channels = zip(np.moveaxis(output, -1, 0), np.moveaxis(reference, -1, 0), strict=True)
    return float(np.mean([_mean(_ssim_map(x, y), region) for x, y in channels]))


def _ssim_map(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Structural similarity at each pixel of two single channels `[H,W]`."""
    mean_x, mean_y = _window(x), _window(y)
    variances = _window(x * x) - mean_x**2 + _window(y * y) - mean_y**2
    covariance = _window(x * y) - mean_x * mean_y
    similarity = (2 * mean_x * mean_y + SSIM_C1) * (2 * covariance + SSIM_C2)
    return similarity / ((mean_x**2 + mean_y**2 + SSIM_C1) * (variances + SSIM_C2))


def gradient(image: np.ndarray) -> np.ndarray:
    """Magnitude `[H,W]` of the luma's gradient, per pixel (Sobel's kernels divided by 8)."""
    return gradient_magnitude(torch.from_numpy(luma(image))[None, None])[0, 0].numpy()


def background_gradient(image: np.ndarray, region: np.ndarray) -> float:
    """Mean of `gradient` over `region`."""
    return _mean(gradient(image), region)


def color_error(output: np.ndarray, source: np.ndarray, region: np.ndarray) -> float:
    """Mean absolute difference of linear light over `region` and the channels, after a Gaussian of sigma 12.

    A lens spreads light and keeps its sum: of sRGB values the mean changes, where fine bright patterns blur.
    """
    difference = cv2.GaussianBlur(srgb_to_linear(output) - srgb_to_linear(source), (0, 0), COLOR_SIGMA)
    return _mean(np.abs(difference), region)


def grid_amplitude(image: np.ndarray, region: np.ndarray | None = None) -> float:
    """Root mean square over the 16 phases of a 4x4 grid of the luma's mean in that phase, in `region`.

    Networks that double the size twice can print patterns of period 2 and 4, which such means keep, while all else
    averages out. Slopes go before, by a filter that has no response at these periods.
    """
    brightness = np.float64(luma(image))
    taps = np.array([1, 2, 2, 2, 1]) / 8
    pattern = brightness - cv2.sepFilter2D(brightness, -1, taps, taps)
    rows, columns = np.indices(pattern.shape) % 4
    chosen = slice(None) if region is None else region
    phases = (4 * rows + columns)[chosen].ravel()
    count = np.bincount(phases, minlength=16)
    if not count.all():
        return float("nan")
    means = np.bincount(phases, weights=pattern[chosen].ravel(), minlength=16) / count
    return float(means.std())


def _window(image: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(image, (11, 11), SSIM_SIGMA, borderType=cv2.BORDER_REFLECT)


def _mean(values: np.ndarray, region: np.ndarray | None) -> float:
    chosen = values if region is None else values[region]
    return float(chosen.mean(dtype=np.float64)) if chosen.size else float("nan")
