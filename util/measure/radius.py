"""How far a photo's background was blurred: the radius of a disc, measured by comparing with the photo itself.

Needs no truth and no network: the photo is blurred by discs of known radii, and the output is placed between them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import cv2
import numpy as np

from util.measure.metrics import Regions
from util.optics.arrays import disc_kernel, srgb_to_linear
from util.optics.presets import REFERENCE_SIDE
from util.resize import resized

SIDE = 384  # pixels, the shorter side at which radii are measured
RADII = (0.0, 0.75, 1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.5, 7.5, 10.0, 14.0, 20.0)  # pixels at SIDE
LEAST_BACKGROUND = 0.02  # share of background under a disc below which its colour is rounding noise

# A network that sees blur: photo uint8 [H,W,3] -> radius [h,w], of any size, in pixels of a photo whose shorter side is
# REFERENCE_SIDE.
RadiusMap = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Ladder:
    """A photo's background behind discs of growing radius, linear light at the pixels `region` `[H,W]`.

    Attributes:
        steps: `[K,N,3]`, one for each of `RADII`.
        size: (width, height) at which it was made.
    """

    steps: np.ndarray
    region: np.ndarray
    size: tuple[int, int]

    @classmethod
    def of_photo(cls, source: np.ndarray, background: np.ndarray) -> "Ladder":
        """From sRGB `[H,W,3]` in [0,1] and a boolean map of its background `[H,W]`."""
        height, width = background.shape
        scale = SIDE / min(height, width)
        size = (round(width * scale), round(height * scale))
        light = srgb_to_linear(_scaled(source, size))
        share = _scaled(background.astype(np.float32), size)
        region = share > 0.99
        steps = []
        for radius in RADII:
            kernel = _kernel(radius)
            blurred = cv2.filter2D(light * share[..., None], -1, kernel)
            under = cv2.filter2D(share, -1, kernel)[..., None]
            steps.append((blurred / np.maximum(under, LEAST_BACKGROUND))[region])
        return cls(np.stack(steps), region, size)

    def radius_of(self, output: np.ndarray) -> float:
        """Radius of the disc, at `REFERENCE_SIDE`, that comes nearest to what `output` did; NaN without background.

        Between two steps the photo is mixed, and the square of the radius with it: spreads add up.
        """
        if not self.region.any():
            return float("nan")
        seen = srgb_to_linear(_scaled(output, self.size))[self.region]
        best, found = np.inf, 0.0
        for (near, far), (first, second) in zip(pairwise(self.steps), pairwise(RADII), strict=True):
            difference = far - near
            share = np.vdot(difference, seen - near) / max(float(np.vdot(difference, difference)), 1e-12)
            share = float(np.clip(share, 0, 1))
            error = float(np.square(near + share * difference - seen).sum())
            if error < best:
                best, found = error, np.sqrt((1 - share) * first**2 + share * second**2)
        return float(found * REFERENCE_SIDE / SIDE)


def seen_radii(image: np.ndarray, regions: Regions, radius_map: RadiusMap) -> dict[str, float]:
    """`seen_background`, `seen_subject`: medians of the radius that a network sees there in `image`, uint8 `[H,W,3]`;
    NaN where a region is empty."""
    height, width = image.shape[:2]
    radius = cv2.resize(radius_map(image).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    places = {"seen_background": regions.background, "seen_subject": regions.subject}
    return {name: float(np.median(radius[at])) if at.any() else float("nan") for name, at in places.items()}


def controllability(strengths: list[float], radii: list[float]) -> float:
    """Correlation (Pearson) of the strength that was asked for and the radius measured; NaN below three strengths."""
    if len(strengths) < 3 or np.std(strengths) == 0 or np.isnan(radii).any():
        return float("nan")
    if np.std(radii) == 0:
        return 0.0
    return float(np.corrcoef(strengths, radii)[0, 1])


_kernel = cache(disc_kernel)


def _scaled(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.clip(resized(image, size), 0, 1)
