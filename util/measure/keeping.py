"""What a result keeps of a photo's detail, where two independent mattes agree: figures that need no truth.

The share of the subject that lost detail should be 0, and so should the share of the background that stayed sharp. The
first counts textured pixels alone: where the photo shows nothing, nothing can be lost. The second counts those that are
sharp in the photo: what was soft before can't stay sharp, and a blur takes little from it. Images are `[H,W,3]` in
[0,1] (sRGB values), mattes `[H,W]` in [0,1], 1 = subject; they are scaled to a shorter side of `SIDE` pixels before.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from util.optics.arrays import luma
from util.resize import resized

SIDE = 768  # pixels, the shorter side at which photos of any size are compared
AGREED = 0.9  # both mattes above it: subject; both below 1 - AGREED: background
WINDOW_SIGMA = 2.0  # pixels, of the Gaussian window in which detail is measured
TEXTURE = 0.015  # root mean square gradient per pixel above which a window shows something
LOST = 0.8  # a subject's pixel that keeps less of its detail is blurred
KEPT = 0.7  # a background's pixel that keeps more of its detail stayed sharp
SMALLEST_SHARE = 0.005  # of the photo's pixels; where fewer can be judged, there is nothing to judge
SLIGHT_BLUR = 1.5  # pixels, the sigma of a Gaussian that takes detail from what is sharp alone
TINY = 1e-9  # squared gradient of a flat place

# Shares of the judged pixels above which a photo fails, a little and badly.
FAILS = {"subject_blurred": (0.03, 0.10), "background_sharp": (0.10, 0.30)}


@dataclass(frozen=True)
class Agreement:
    """Boolean maps `[H,W]` where two mattes agree on the subject, and on the background above its middle."""

    subject: np.ndarray
    background: np.ndarray

    @classmethod
    def of_mattes(cls, first: np.ndarray, second: np.ndarray) -> "Agreement":
        """Both above `AGREED` or both below `1 - AGREED`, a pixel from all others.

        Below the row that halves the subject nothing is background: the ground that somebody stands on is as sharp
        as the feet are, and has to be.
        """
        one_pixel = np.ones((3, 3), np.uint8)
        subject, background = (
            cv2.erode(np.uint8(agreed), one_pixel, borderValue=1) > 0
            for agreed in (
                (first > AGREED) & (second > AGREED),
                (first < 1 - AGREED) & (second < 1 - AGREED),
            )
        )
        rows = np.nonzero(subject)[0]
        if rows.size:
            background[int(np.median(rows)) :] = False
        return cls(subject, background)


def detail(image: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Root mean square gradient of the luma `[H,W]` in a Gaussian window, of the pixels of `region` alone.

    What lies beyond the region's edge, sharp or not, has no part in it. 0 outside the region.
    """
    slopes = _slopes(image)
    return np.sqrt(np.maximum(_mean_in(region, slopes, slopes), 0))


def kept(output: np.ndarray, source: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Share of its own detail that each place kept `[H,W]`; what it says of places without texture is noise.

    It is the factor by which the source's gradients come nearest to the output's (least squares in the window). What
    a blur spreads there from strong edges nearby is no detail of this place, nor is new noise.
    """
    of_source = _slopes(source)
    energy = _mean_in(region, of_source, of_source)
    return _mean_in(region, _slopes(output), of_source) / np.maximum(energy, TINY)


def textured(source: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Boolean map `[H,W]` of the places of `region` that show something, so that something can be lost."""
    return detail(source, region) > TEXTURE


def sharp(source: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Boolean map `[H,W]` of the textured places that are sharp, so that they can stay sharp: a slight blur shows."""
    slightly = cv2.GaussianBlur(source, (0, 0), SLIGHT_BLUR)
    return textured(source, region) & (kept(slightly, source, region) < KEPT)


def _slopes(image: np.ndarray) -> np.ndarray:
    """The luma's gradient per pixel across and down, `[2,H,W]` (Sobel's kernels divided by 8)."""
    brightness = luma(image)
    return np.stack([cv2.Sobel(brightness, -1, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1))])


def _mean_in(region: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Mean `[H,W]` of the products of two gradients in a Gaussian window, of the pixels of `region`; 0 outside."""
    inside = region.astype(np.float32)
    products = (first * second).sum(axis=0) * inside
    return _window(products) / np.maximum(_window(inside), 1e-6) * inside


def figures_of_keeping(output: np.ndarray, source: np.ndarray, regions: Agreement) -> dict[str, float]:
    """`subject_blurred`: share of the subject's textured pixels that lost more than a fifth of their detail;
    `background_sharp`: share of the background's sharp pixels that kept more than 0.7. NaN where there is nothing to
    judge, as in a background that the photo itself shows soft."""
    subject = textured(source, regions.subject)
    background = sharp(source, regions.background)
    return {
        "subject_blurred": _share(kept(output, source, regions.subject) < LOST, subject),
        "background_sharp": _share(kept(output, source, regions.background) > KEPT, background),
    }


def _share(found: np.ndarray, judged: np.ndarray) -> float:
    """Share of the places `judged` where something is `found`, both boolean maps; NaN if they are too few."""
    return float(found[judged].mean()) if judged.sum() >= SMALLEST_SHARE * judged.size else float("nan")


def at_side(image: np.ndarray) -> np.ndarray:
    """A picture or matte scaled to a shorter side of `SIDE`: areas averaged where it shrinks, cubic where it grows."""
    height, width = image.shape[:2]
    scale = SIDE / min(height, width)
    size = (round(width * scale), round(height * scale))
    return np.clip(resized(image, size), 0, 1)


def _window(values: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(values, (0, 0), WINDOW_SIGMA)
