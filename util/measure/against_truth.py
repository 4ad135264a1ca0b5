"""Figures of an output against a scene of the lab: where it errs, not only how much.

All images are sRGB `[H,W,3]` in [0,1]. A figure that a scene can't tell (no light, no noise) is NaN.
"""

import cv2
import numpy as np

from util.measure.keeping import detail
from util.measure.lab import Truth
from util.measure.matting import hair_band
from util.measure.metrics import psnr, ssim
from util.optics.arrays import luma, srgb_to_linear

EDGE_SHARE = 64  # the edge band reaches so many-th of the shorter side to both sides of the subject's edge
LIGHT_REACH = 3  # pixels beyond a light's disc
RING = 4  # pixels, width of the ring that tells what is around a light
BLURRED = 2.0  # pixels of radius from which the truth has no texture left, but the sensor's noise
TEXTURE = 0.01  # root mean square gradient from which a place of the photo tells whether it is sharp
EQUAL = 0.02  # shares of kept detail nearer to each other than that are equally sharp


def figures_against_truth(output: np.ndarray, source: np.ndarray, truth: Truth) -> dict[str, float]:
    """All figures by name:

    - `psnr`, `ssim` of the whole, and with the endings `_background`, `_edge`, `_hair` of these regions;
    - `light_energy`: relative error of the light that clear discs hold; `light_shape`: IoU of the discs with the true;
    - `grain`: noise of the background against the subject's, relative to the truth's ratio;
    - `focus`: circle of confusion, in pixels, where the output is sharpest; 0 is the focus asked for.
    """
    figures = {"psnr": psnr(output, truth.photo), "ssim": ssim(output, truth.photo)}
    for name, region in bands(truth.alpha, truth.hair).items():
        figures[f"psnr_{name}"] = psnr(output, truth.photo, region)
        figures[f"ssim_{name}"] = ssim(output, truth.photo, region)
    energy, shape = figures_of_lights(output, truth)
    grain = grain_ratio(output, truth) / grain_ratio(truth.photo, truth) if truth.has_noise else float("nan")
    return figures | {
        "light_energy": energy,
        "light_shape": shape,
        "grain": grain,
        "focus": focus_error(output, source, truth),
    }


def bands(alpha: np.ndarray, hair: np.ndarray) -> dict[str, np.ndarray]:
    """Boolean maps `[H,W]`: `edge`, along the subject's edge; `hair`, at loose hair; `background`, beyond both."""
    inside = np.uint8(alpha >= 0.5)
    reach = min(alpha.shape) / EDGE_SHARE
    distances = [
        cv2.distanceTransform(side, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for side in (inside, 1 - inside)
    ]
    edge = np.maximum(*distances) <= reach
    of_hair = hair_band(hair)
    return {"background": (alpha == 0) & ~edge & ~of_hair, "edge": edge, "hair": of_hair}


def figures_of_lights(output: np.ndarray, truth: Truth) -> tuple[float, float]:
    """Mean relative error of the energy of the clear lights' discs, and their mean IoU with the truth's discs."""
    errors, overlaps = [], []
    y, x = np.mgrid[: truth.alpha.shape[0], : truth.alpha.shape[1]]
    light, true_light = (srgb_to_linear(image).mean(axis=2) for image in (output, truth.photo))
    for lamp in truth.lights:
        if not lamp.clear:
            continue
        distance = np.hypot(x - lamp.x, y - lamp.y)
        radius = abs(truth.lens.aperture * (lamp.inverse_depth - truth.lens.focus)) + lamp.radius
        disc = distance <= radius + LIGHT_REACH
        ring = ~disc & (distance <= radius + LIGHT_REACH + RING)
        above, true_above = (image - np.median(image[ring]) for image in (light, true_light))
        true_energy = true_above[disc].sum()
        errors.append(abs(above[disc].sum() - true_energy) / true_energy)
        core = distance <= max(1, radius / 3)
        lit, truly_lit = ((image > np.median(image[core]) / 2) & disc for image in (above, true_above))
        overlaps.append((lit & truly_lit).sum() / max(1, (lit | truly_lit).sum()))
    if not errors:
        return float("nan"), float("nan")
    return float(np.mean(errors)), float(np.mean(overlaps))


def noise_level(image: np.ndarray, region: np.ndarray) -> float:
    """Standard deviation of the luma's noise in `region` (Immerkaer 1996): planes and straight edges don't count."""
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = cv2.filter2D(luma(image), -1, mask)[region]
    return float(np.sqrt(np.pi / 2) * np.abs(response).mean() / 6) if response.size else float("nan")


def grain_ratio(image: np.ndarray, truth: Truth) -> float:
    """Noise where the truth is blurred, divided by the noise of the subject in focus."""
    blurred = (np.abs(truth.radius) > BLURRED) & (truth.alpha == 0)
    sharp = (np.abs(truth.radius) < 0.5) & (truth.alpha == 1)
    level = noise_level(image, sharp)
    return noise_level(image, blurred) / level if level > 0 else float("nan")


def focus_error(output: np.ndarray, source: np.ndarray, truth: Truth) -> float:
    """|Circle of confusion| in whole pixels, through the true lens, of the distance where most detail was kept.

    Distances where as much was kept count as the farthest off of them: all in focus is no focus.
    """
    before = detail(source, np.ones_like(truth.alpha, dtype=bool))
    after = detail(output, np.ones_like(truth.alpha, dtype=bool))
    textured = before > TEXTURE
    steps = np.round(np.abs(truth.radius[textured])).astype(int)
    counts = np.bincount(steps)
    kept = np.bincount(steps, weights=np.minimum(1, after[textured] / before[textured]))
    enough = counts > 0.002 * textured.size
    if not enough.any():
        return float("nan")
    shares = np.where(enough, kept / np.maximum(counts, 1), 0)
    return float(np.nonzero(shares >= shares.max() - EQUAL)[0].max())
