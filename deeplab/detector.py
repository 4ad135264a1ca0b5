"""NanoDet (RangiLyu 2020, Apache-2.0): boxes around people. It knows the 80 kinds of things of COCO, at 416 pixels.

Its boxes are those of generalised focal loss (Li et al. 2020, arXiv 2006.04388): each place tells how likely its
distance to each of the four sides is 0, 1, ... 10 steps, and the mean counts.
"""

import cv2
import numpy as np

from deeplab.tfjs_graph import load_function, tf
from deeplab.weights import detector_files

SIDE = 416  # pixels; photos are squeezed to a square, as in its training
STEPS = (8, 16, 32)  # pixels between places, of its three maps
DISTANCES = 11
PERSON = 0

# Of blue, green and red in [0,255], in that order, as in its training.
MEAN = (103.53, 116.28, 123.675)
DEVIATION = (57.375, 57.12, 58.395)

INPUT = "input_1:0"
# Kinds, then distances, of the maps from fine to coarse.
OUTPUTS = ("Identity:0", "Identity_1:0", "Identity_2:0", "Identity_3:0", "Identity_4:0", "Identity_5:0")

SURE = 0.25  # how likely somebody is in a box that counts
SAME = 0.6  # share of what two boxes cover that both do, from which the likelier one counts alone


class PeopleDetector:
    """Boxes around the people of a photo; a twentieth of a second on a CPU."""

    def __init__(self) -> None:
        self._run = load_function(*detector_files(), [INPUT], OUTPUTS)

    def __call__(self, photo: np.ndarray) -> np.ndarray:
        """`[N,4]`, left, top, right and bottom as shares of width and height, of a photo uint8 `[H,W,3]`."""
        small = cv2.resize(photo, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        values = (small[..., ::-1].astype(np.float32) - MEAN) / DEVIATION
        outputs = self._run(tf.constant(values.transpose(2, 0, 1)[None], tf.float32))
        maps = [output.numpy()[0] for output in outputs]
        found = [
            boxes_of(kinds[:, PERSON], distances, step)
            for kinds, distances, step in zip(maps[:3], maps[3:], STEPS, strict=True)
        ]
        boxes, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return np.clip(boxes[distinct(boxes, scores)] / SIDE, 0, 1)


def boxes_of(scores: np.ndarray, distances: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Boxes `[N,4]` in pixels and their scores `[N]` of the places of a square map that are sure.

    Args:
        scores: `[n * n] in [0,1]`, row by row.
        distances: `[n * n,4 * DISTANCES]`, logits of steps from the place to the left, upper, right and lower side.
        step: pixels between places.
    """
    sure = np.flatnonzero(scores >= SURE)
    logits = distances[sure].reshape(-1, 4, DISTANCES)
    likely = np.exp(logits - logits.max(-1, keepdims=True))
    reach = step * (likely @ np.arange(DISTANCES)) / likely.sum(-1)
    rows, columns = np.divmod(sure, round(len(scores) ** 0.5))
    place = step * (np.stack([columns, rows], axis=1) + 0.5)
    return np.concatenate([place - reach[:, :2], place + reach[:, 2:]], axis=1), scores[sure]


def distinct(boxes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Which of `boxes` `[N,4]` remain where each takes the place of all less likely ones that nearly equal it."""
    sized = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(sized.tolist(), scores.tolist(), SURE, SAME)
    return np.asarray(kept, dtype=int).ravel()
