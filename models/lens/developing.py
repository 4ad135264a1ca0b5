"""A photo through a `LensGenerator` on a CPU: the same formulas, in strips, from pixels to pixels.

The tensors of `LensGenerator.forward` hold a photo of 12 megapixels twenty times over. Here nothing in floating point
is as large as the photo: a first pass over it collects the background at half its size, the discs are laid on such
copies, and a second pass mixes them into the result. What is in focus is computed in both, which costs less than to
keep it. `tests/models/lens/test_developing.py` holds the two ways against each other.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeGuard

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from data.transforms import image_to_tensor
from models.lens.generator import LensGenerator
from models.lens.matting import told_prior
from models.lens.softening import reference_size, share_of_blur
from models.lens.weights import coefficients
from util.matting import alpha_of, colors_behind, import_solver
from util.optics.arrays import linear_to_srgb, srgb_to_linear
from util.optics.disc_copies import DiscCopies, Strip
from util.optics.varying import knots
from util.strips import enlarged_rows, over_threads

# The network sees a copy that is made in two steps; after the first, by area, it is at least so many times too large.
SPARE = 4


def can_develop(net: nn.Module, device: torch.device) -> TypeGuard[LensGenerator]:
    """Whether photos can go through `net` this way: a lens without a camera, on a CPU."""
    return (
        device.type == "cpu"
        and isinstance(net, LensGenerator)
        and net.input_nc >= 3
        and net.settings.camera is None
    )


@torch.inference_mode()
def develop(lens: LensGenerator, photo: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """`photo` `[H,W,3]`, uint8 or uint16, through the lens, of the same kind; where it is in focus, its own pixels.

    Args:
        lens: in evaluation mode, on the CPU.
        photo: RGB.
        mask: `[H,W] in [0,1]`, 1 = subject, for a lens that is told.
    """
    return _Development(lens, photo, mask).result()


class _Development:
    """One photo on its way; its values in [0,1] go by the name `x`, as planes `[3,rows,W]`."""

    def __init__(self, lens: LensGenerator, photo: np.ndarray, mask: np.ndarray | None):
        self.lens, self.photo = lens, photo
        self.height, self.width = photo.shape[:2]
        side = SPARE * lens.settings.weights_size
        self.small = image_to_tensor(_smaller(photo, side))[None]
        told = None if mask is None else torch.from_numpy(_smaller(mask.astype(np.float32, copy=False), side))
        told = None if told is None else told[None, None]
        with ThreadPoolExecutor(1) as beside:
            if lens.mattes:
                beside.submit(import_solver)
            self.weights = lens.logits(self.small, told, photo.shape[:2]).softmax(dim=1)
        # With alpha and radii all is said.
        if not lens.mattes or lens.radius_net is None:
            # [K+1,4,h,w]: those of red, green and blue, for values in [0,1] and not [-1,1], and the constant.
            self.coefficients = coefficients(self.weights, self.small)[0].numpy()
            self.coefficients[:, 3] -= self.coefficients[:, :3].sum(1)
            self.coefficients[:, :3] *= 2
        values = np.arange(self._limit + 1, dtype=np.float32) / self._limit
        self.light = srgb_to_linear(values) if lens.settings.linear_light else None
        self.copies = DiscCopies((self.height, self.width))
        self.radius: np.ndarray | None = None
        self.alpha: np.ndarray | None = None
        # What is blurred: the photo, but for pixels that the subject has a share of.
        self.behind = photo
        if lens.mattes:
            whole = None if mask is None else torch.from_numpy(mask)[None, None].float()
            prior = told_prior(lens.in_range(self.weights[:, :1]), photo.shape[:2], whole)
            self.alpha = alpha_of(photo, prior[0, 0].numpy())
            self.behind = colors_behind(photo, self.alpha)

    def result(self) -> np.ndarray:
        """The photo through the lens."""
        share, in_focus = self._first_pass()
        scale = share * self.lens.scale((self.height, self.width))
        if self.lens.radius_net is None:
            self.copies.blur([scale * radius for radius in self.lens.settings.radii])
        else:
            subject = in_focus if self.alpha is not None else self.lens.in_range(self.weights[:, :1])
            radii = self.lens.radius_net.radii(self.small, subject, self.lens.settings.farthest)
            self.radius = scale * radii[0].numpy()
            self.copies.blur(knots(float(self.radius.max())), self.radius[0])
        result = np.empty_like(self.photo)

        def mix(top: int, bottom: int) -> None:
            result[top:bottom] = self._mixed(top, bottom)

        over_threads(mix, self.height)
        return result

    def _first_pass(self) -> tuple[float, torch.Tensor]:
        """Collect the background; how much of the blur it needs, and what is in focus, small, `[1,1,h,w]`."""
        height, width = reference_size((self.height, self.width))
        # Luma and in-focus weight, of the small width and the full height.
        narrow = np.empty((2, self.height, width), np.float32)

        def collect(top: int, bottom: int) -> None:
            x = self._values(top, bottom)
            background = self._background(x, top)
            self.copies.add(top, self._light(x, top), background)
            luma = cv2.cvtColor(self.photo[top:bottom], cv2.COLOR_RGB2GRAY).astype(np.float32) / self._limit
            maps = torch.from_numpy(np.stack([luma, 1 - background]))
            narrow[:, top:bottom] = F.adaptive_avg_pool2d(maps, (bottom - top, width)).numpy()

        over_threads(collect, self.height)
        luma, in_focus = F.adaptive_avg_pool2d(torch.from_numpy(narrow), (height, width))[:, None, None]
        return float(share_of_blur(luma, in_focus, self.lens.settings)), in_focus

    @property
    def _limit(self) -> int:
        return np.iinfo(self.photo.dtype).max

    def _values(self, top: int, bottom: int) -> np.ndarray:
        """Rows of the photo, `[3,rows,W] in [0,1]`."""
        return self._planes(self.photo[top:bottom])

    def _values_behind(self, x: np.ndarray, top: int) -> np.ndarray:
        """Rows behind the subject of rows `x` that begin at `top`, `[3,rows,W] in [0,1]`."""
        return x if self.behind is self.photo else self._planes(self.behind[top : top + x.shape[1]])

    def _planes(self, pixels: np.ndarray) -> np.ndarray:
        planes = np.stack(cv2.split(pixels)).astype(np.float32)
        planes *= np.float32(1 / self._limit)
        return planes

    def _light(self, x: np.ndarray, top: int) -> np.ndarray:
        """The light behind the subject of rows `x` that begin at `top`: looked up, since the photo has few values."""
        if self.light is None:
            return self._values_behind(x, top)
        planes = cv2.split(self.behind[top : top + x.shape[1]])
        return np.stack([cv2.LUT(plane, self.light) for plane in planes])

    def _weight(self, k: int, x: np.ndarray, top: int) -> np.ndarray:
        """The weight number `k` of rows `x` that begin at `top`, `[rows,W] in [0,1]`, before it is stretched."""
        parts = enlarged_rows(self.coefficients[k], top, top + x.shape[1], (self.height, self.width))
        parts[:3] *= x
        weight = parts[3]
        for part in parts[:3]:
            weight += part
        return np.clip(weight, 0, 1, out=weight)

    def _background(self, x: np.ndarray, top: int) -> np.ndarray:
        """How much of each pixel is out of focus, `[rows,W] in [0,1]`: see `LensGenerator.stretch`."""
        if self.alpha is not None:
            return 1 - self.alpha[top : top + x.shape[1]]
        low, high = self.lens.settings.focus_range
        background = self._weight(0, x, top)
        np.subtract(high, background, out=background)
        background *= np.float32(1 / (high - low))
        np.clip(background, 0, 1, out=background)
        exponent = self.lens.stretching()
        return background if exponent == 1 else cv2.pow(background, exponent)

    def _mixed(self, top: int, bottom: int) -> np.ndarray:
        """Rows of the result, `[rows,W,3]`, of the photo's kind."""
        radius = self._radius(top, bottom)
        halo = self.copies.halo if radius is None else self.copies.halo_of(radius)
        first = max(0, top - halo)
        x = self._values(first, min(self.height, bottom + halo))
        background = self._background(x, first)
        inner = slice(top - first, bottom - first)
        own, share = x[:, inner], background[inner]
        if not share.any():
            return self.photo[top:bottom]
        strip = Strip(top, bottom - top, top - first, self._light(x, first), background)
        if radius is None:
            mixed = self._by_weight(self.copies.rows(strip), own, top)
        else:
            mixed = self.copies.by_radius(strip, radius)
        if self.light is not None:
            mixed = linear_to_srgb(mixed)
        mixed -= self._values_behind(own, top)
        mixed *= share
        mixed += own
        mixed *= self._limit
        np.rint(mixed, out=mixed)
        np.clip(mixed, 0, self._limit, out=mixed)
        return cv2.merge(list(mixed.astype(self.photo.dtype)))

    def _radius(self, top: int, bottom: int) -> np.ndarray | None:
        """Radii of rows of the photo, `[rows,W]`, pixels; None where one blur is for all."""
        if self.radius is None:
            return None
        return enlarged_rows(self.radius, top, bottom, (self.height, self.width))[0]

    def _by_weight(self, copies: Iterable[np.ndarray], own: np.ndarray, top: int) -> np.ndarray:
        """The copies' mean by their weights: see `util.optics.blur.render`."""
        mixed, total = np.zeros_like(own), np.full(own.shape[1:], 1e-6, np.float32)
        for k, copy in enumerate(copies, start=1):
            weight = self._weight(k, own, top)
            total += weight
            mixed += weight * copy
        mixed /= total
        return mixed


def _smaller(picture: np.ndarray, side: int) -> np.ndarray:
    """`picture` `[H,W]` or `[H,W,3]` shrunk by area, by a whole factor, to a shorter side of at least `side`."""
    height, width = picture.shape[:2]
    factor = min(height, width) // side
    if factor < 2:
        return picture
    return cv2.resize(picture, (round(width / factor), round(height / factor)), interpolation=cv2.INTER_AREA)
