"""Which parts of a mask are sure, and the band between, as wide as the mask is soft and the bodies are large."""

import cv2
import numpy as np

SURE = 0.95  # of a mask above it, and below 1 less it, only what lies near the other is uncertain
PRESENT = 0.05
# Bodies smaller than this share of the largest one are islands.
SMALLEST_BODY = 0.05
# Parts of a mask nearer to each other than this share of the longer side touch.
TOUCH = 1 / 200
# Hair stands off as far as this share of the largest disc within the body, or of the longer side if that is less; edges
# of masks err by a smaller one.
HAIR_REACH = 0.2
LONGEST_REACH = 1 / 20
EDGE_REACH = 0.03
# What a segmenter of a few hundred pixels can't see, as a share of the longer side.
LEAST_REACH = 1 / 400


def without_islands(mask: np.ndarray) -> np.ndarray:
    """`mask` float32 `[H,W]` in [0,1], 0 where it belongs to no body.

    Parts of it that touch count together; they are a body if more than half of the mask's value is there on a twentieth
    of the largest one's area.
    """
    reach = max(1, round(max(mask.shape) * TOUCH))
    present = np.uint8(mask > PRESENT)
    if not present.any():
        return mask
    near = np.ones((2 * reach + 1,) * 2, np.uint8)
    count, clusters = cv2.connectedComponents(cv2.dilate(present, near), connectivity=8)
    areas = np.bincount(clusters[mask > 0.5], minlength=count)
    bodies = areas >= SMALLEST_BODY * areas.max()
    bodies[0] = False
    return np.where(bodies[clusters], mask, 0).astype(np.float32)


def connected(alpha: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """`alpha` `[H,W]`, 0 where it hangs together with no pixel of `foreground`, over gaps of two pixels at most."""
    present = np.uint8((alpha > PRESENT) | foreground)
    count, parts = cv2.connectedComponents(cv2.dilate(present, np.ones((3, 3), np.uint8)), connectivity=8)
    held = np.zeros(count, bool)
    held[parts[foreground]] = True
    held[0] = False
    return np.where(held[parts], alpha, 0).astype(np.float32)


def sure_parts(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bool `[H,W]` what is subject and what is background for sure; the rest is the band.

    Args:
        mask: float32 `[H,W]` in [0,1], without islands.
    """
    inside, outside = mask > SURE, mask < 1 - SURE
    count, bodies = cv2.connectedComponents(np.uint8(mask > 0.5), connectivity=8)
    least = max(2.0, max(mask.shape) * LEAST_REACH, softness(mask) / 2)
    depth = _distance_within(mask > 0.5)
    thickest = float(depth.max())
    foreground = _distance_within(inside) > max(least, EDGE_REACH * thickest)
    background = outside
    areas = np.bincount(bodies.ravel(), minlength=count)
    for body in range(1, count):
        # Crumbs of a body reach as far as anything.
        if areas[body] < SMALLEST_BODY * areas[1:].max():
            continue
        here = bodies == body
        reach = max(least, min(HAIR_REACH * float(depth[here].max()), LONGEST_REACH * max(mask.shape)))
        background = background & (_distance_within(~here) > reach)
    return foreground, background & (_distance_within(outside) > least)


def softness(mask: np.ndarray) -> float:
    """Mean width in pixels of the mask's soft edges."""
    inside = np.uint8(mask > 0.5)
    edge = cv2.morphologyEx(inside, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).sum() / 2
    soft = ((mask > 1 - SURE) & (mask < SURE)).sum()
    return float(soft / edge) if edge else 0.0


def _distance_within(region: np.ndarray) -> np.ndarray:
    """Distance of each pixel of `region` from what is not in it; beyond the border lies nothing."""
    if region.all():
        return np.full(region.shape, np.inf, np.float32)
    return cv2.distanceTransform(np.uint8(region), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
