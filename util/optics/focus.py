"""From depth to radii of blur: what is in focus, and how far out of it all else is."""

import cv2
import numpy as np

from util.optics.focus_options import Focus

# Pixels with more alpha are the subject's; two people that don't touch are two subjects.
INSIDE = 0.5
# Smaller parts of the alpha, as shares of all of it, belong to the largest.
CRUMB = 0.02


def plan_blur(
    alpha: np.ndarray, depth: np.ndarray | None, largest: float, focus: Focus
) -> tuple[np.ndarray, np.ndarray]:
    """Who is the subject, and how far out of focus all is, for `util.optics.camera.render`.

    The alpha overrides the depth: each person is as far as the middle of that person. The subject that is returned is
    who is in focus; other people are part of what is around. If nobody is, all people are.

    Args:
        alpha: float32 `[H,W] in [0,1]`.
        depth: inverse depth `[H,W] in [0,1]`, near is 1; None: people are near, all else is far.
        largest: radius in pixels, of what is farthest out of focus.

    Returns:
        alpha `[H,W]`, and signed radii `[H,W]` in pixels, positive nearer than the focus.

    Raises:
        PhotoError: a point outside the photo.
    """
    people = _people(alpha)
    inside = alpha > INSIDE
    if depth is None:
        depth = inside.astype(np.float32)
    else:
        depth = depth.astype(np.float32).copy()
        for person in range(1, people.max() + 1):
            body = (people == person) & inside
            depth[body] = np.median(depth[body])
    if focus.point:
        at = float(depth[focus.pixel(*alpha.shape)])
    elif focus.place == "subject":
        at = float(np.median(depth[inside])) if inside.any() else float(depth.max())
        if inside.any() and people.max() > 1:
            at = float(depth[(people == _largest(people)) & inside].max())
    else:
        at = float(depth.min() + (depth.max() - depth.min()) * float(focus.place))
    span = max(at - float(depth.min()), float(depth.max()) - at, 1e-6)
    radius = (largest * (depth - at) / span).astype(np.float32)
    sharp = np.abs(radius) <= 0.5
    in_focus = [person for person in range(1, people.max() + 1) if sharp[(people == person) & inside].all()]
    if in_focus and len(in_focus) < people.max():
        alpha = np.where(np.isin(people, in_focus) | (people == 0), alpha, 0)
    return alpha, radius


def _people(alpha: np.ndarray) -> np.ndarray:
    """Number of the person that each pixel belongs to, from 1; 0 where alpha is 0."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(np.uint8(alpha > INSIDE))
    sizes = stats[:, cv2.CC_STAT_AREA].copy()
    sizes[0] = 0
    kept = [part for part in range(1, len(sizes)) if sizes[part] >= CRUMB * sizes.sum()]
    if not kept:
        return np.zeros(alpha.shape, np.int32)
    seeds = np.zeros(alpha.shape, np.int32)
    for number, part in enumerate(kept, start=1):
        seeds[parts == part] = number
    # Soft edges and crumbs belong to the nearest person.
    _, labels = cv2.distanceTransformWithLabels(
        np.uint8(seeds == 0), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_label = np.zeros(labels.max() + 1, np.int32)
    of_label[labels[seeds > 0]] = seeds[seeds > 0]
    return np.where(alpha > 0, of_label[labels], 0)


def _largest(people: np.ndarray) -> int:
    return int(np.bincount(people.ravel())[1:].argmax()) + 1
