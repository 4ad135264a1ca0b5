"""A thin lens that looks at planes: the truth that results are measured against.

A photo is the mean of what is seen from many points of the aperture, each a pinhole in which near things hide far ones
exactly. A point at distance Z is seen from the aperture's point a (in metres, from its middle) shifted by
f * a * (1/Z - 1/Z_focus) pixels, f being the focal length in pixels: things in focus stay where they are, all others
move, and the mean over a round aperture of radius R spreads them over a disc of radius f * R * |1/Z - 1/Z_focus|, the
circle of confusion (Potmesil and Chakravarty 1981; Cook, Porter and Carpenter 1984, Distributed Ray Tracing).

The inverse distance is linear in the pixel coordinates of every plane, whatever its slant. So the picture of a plane
from the lens's middle is all that is needed of it: any other view of it is an affine map of that picture.

Light is linear throughout; nothing is clipped or rounded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

SMALLEST_SHIFT = 1e-3  # pixels; less is no shift


@dataclass(frozen=True)
class Layer:
    """A plane as the middle of the lens sees it.

    Attributes:
        light: premultiplied linear light and coverage, float32 `[4,h,w]`. What moves into the frame has to be in it.
        top, left: frame coordinates of its first pixel, negative beyond the frame's corner.
        inverse_depth: (q, q_x, q_y): 1/Z in 1/m is q + q_x * x + q_y * y at pixel (x, y) of the frame.
    """

    light: np.ndarray
    top: int
    left: int
    inverse_depth: tuple[float, float, float]

    def inverse_depths(self, size: int) -> np.ndarray:
        """1/Z of the plane `[size,size]` at each pixel of the frame."""
        y, x = np.mgrid[:size, :size].astype(np.float32)
        q, q_x, q_y = self.inverse_depth
        return q + q_x * x + q_y * y


@dataclass(frozen=True)
class ThinLens:
    """Aperture and focus.

    Attributes:
        aperture: focal length in pixels times the aperture's radius in metres: circles of confusion, in pixels,
            per difference of inverse depth. 0 is a pinhole.
        focus: inverse depth of the plane in focus, 1/m.
    """

    aperture: float
    focus: float

    def radius(self, inverse_depth: np.ndarray | float) -> np.ndarray | float:
        """Signed radius of the circle of confusion in pixels; positive nearer than the focus."""
        return self.aperture * (inverse_depth - self.focus)


def aperture_points(count: int) -> np.ndarray:
    """`[count,2]` points of the unit disc, of equal area each: Vogel's spiral (1979)."""
    number = np.arange(count)
    angle = number * np.pi * (3 - np.sqrt(5))
    return np.sqrt((number + 0.5) / count)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def points_for(radius: float) -> int:
    """How many points of the aperture a largest circle of confusion needs: two thirds of its pixels, 48 to 200."""
    return int(np.clip(2 * radius**2, 48, 200))


def render(layers: Sequence[Layer], size: int, lens: ThinLens, count: int | None = None) -> np.ndarray:
    """Linear light `[size,size,3]` that reaches the sensor.

    Args:
        layers: from back to front, in an order that holds for all points of the aperture; the first is opaque.
        count: points of the aperture; default: by the largest circle of confusion in the frame.
    """
    if lens.aperture == 0:
        points = np.zeros((1, 2))
    else:
        largest = max(np.abs(lens.radius(layer.inverse_depths(size))).max() for layer in layers)
        points = aperture_points(count or points_for(float(largest)))
    total = np.zeros((3, size, size), np.float32)
    for point in points:
        total += _view(layers, size, lens, point)
    return np.moveaxis(total / len(points), 0, -1)


def depth_of(layers: Sequence[Layer], size: int) -> np.ndarray:
    """Inverse depth `[size,size]` of what the middle of the lens sees: the nearest layer that covers half a pixel."""
    depth = layers[0].inverse_depths(size)
    for layer in layers[1:]:
        depth = np.where(frame_of(layer, size)[3] >= 0.5, layer.inverse_depths(size), depth)
    return depth


def frame_of(layer: Layer, size: int) -> np.ndarray:
    """The layer's `light` in the frame, `[4,size,size]`, as the middle of the lens sees it."""
    frame = np.zeros((4, size, size), np.float32)
    inside, source = _overlap(layer.light.shape[1:], layer.top, layer.left, size)
    frame[:, inside[0], inside[1]] = layer.light[:, source[0], source[1]]
    return frame


def _view(layers: Sequence[Layer], size: int, lens: ThinLens, point: np.ndarray) -> np.ndarray:
    """What is seen from one point of the aperture, `[3,size,size]`."""
    seen = np.zeros((3, size, size), np.float32)
    for layer in layers:
        q, q_x, q_y = layer.inverse_depth
        shift = lens.aperture * (q - lens.focus) * point
        if q_x or q_y:
            light, top, left = _moved(layer, size, lens.aperture * point, shift), 0, 0
        else:
            light, top, left = _shifted(layer, shift)
        inside, source = _overlap(light.shape[1:], top, left, size)
        covered = seen[:, inside[0], inside[1]]
        light = light[:, source[0], source[1]]
        covered *= 1 - light[3]
        covered += light[:3]
    return seen


def _shifted(layer: Layer, shift: np.ndarray) -> tuple[np.ndarray, int, int]:
    """A layer parallel to the sensor, so that pixel p shows what was at p + `shift` (x, y); and its new place."""
    if np.abs(shift).max() < SMALLEST_SHIFT:
        return layer.light, layer.top, layer.left
    whole = np.floor(shift).astype(int)
    across, down = (_catmull_rom(fraction) for fraction in shift - whole)
    planes = [
        cv2.sepFilter2D(plane, -1, across, down, anchor=(1, 1), borderType=cv2.BORDER_REPLICATE)
        for plane in layer.light
    ]
    return np.stack(planes), layer.top - int(whole[1]), layer.left - int(whole[0])


def _catmull_rom(fraction: float) -> np.ndarray:
    """Weights of the pixels -1, 0, 1, 2 for the value at `fraction`: keeps sums, means and spreads of all that moves
    (Keys 1981: its sum, first and second moment are exact)."""
    t = fraction
    weights = [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2]
    return np.array(weights, np.float32) / 2


def _moved(layer: Layer, size: int, reach: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """A slanted layer in the frame, `[4,size,size]`: pixel p shows what was at p', p' = p + shift + reach (g . p'), g
    being the gradient of the inverse depth."""
    gradient = np.array(layer.inverse_depth[1:])
    # Sherman and Morrison's inverse of 1 - reach g^T.
    inverse = np.eye(2) + np.outer(reach, gradient) / (1 - reach @ gradient)
    offset = inverse @ shift - (layer.left, layer.top)
    matrix = np.column_stack([inverse, offset])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REPLICATE
    return np.stack(
        [cv2.warpAffine(plane, matrix, (size, size), flags=flags, borderMode=border) for plane in layer.light]
    )


def _overlap(shape: tuple[int, int], top: int, left: int, size: int) -> tuple[tuple, tuple]:
    """Slices (rows, columns) of the frame that a picture placed at (top, left) covers, and those of the picture."""
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = max(y0, min(top + shape[0], size)), max(x0, min(left + shape[1], size))
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
