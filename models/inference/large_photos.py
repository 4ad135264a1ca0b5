"""Photos of 12 to 50 megapixels in bounded memory: in overlapping tiles, or small with the detail carried over."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from data.transforms import image_to_tensor
from models.inference.generator import Generator
from models.inference.translator import NOTHING, Told
from util.errors import UserError
from util.guided_filter import apply_coefficients, guided_coefficients
from util.tensors import tensor_to_pixels

OVERLAP = 192  # of tiles, in pixels
MARGIN = 88  # pixels at a tile's edge that know too little: the reach of resnet_9blocks
STATISTICS_SIDE = 512  # of the pass that instance norms take their statistics from, geometric mean, in pixels
STRIP = 256  # rows of the full-size photo that are floating-point at a time


class PhotoByPhoto(ABC):
    """A translator that takes one photo at a time, whatever its size, and looks at nothing else."""

    # Tiles share the statistics of norms, which stand in the network while a photo is done.
    at_once = 1

    def batch(self, photos: list[np.ndarray], told: Told = NOTHING) -> list[np.ndarray]:
        """Results of `photos`, see `Translator`."""
        return [self._translate(photo) for photo in photos]

    @abstractmethod
    def _translate(self, photo: np.ndarray) -> np.ndarray:
        """The result of one photo."""


class FullResolution(PhotoByPhoto):
    """Runs the generator at its training scale and carries the result to the photo's size by a guided filter.

    The effect has the size, relative to the picture, that it was trained for; fine detail comes from the photo.
    """

    def __init__(self, generator: Generator, side: int, radius: int = 4, eps: float = 1e-3):
        """Args:
        side: shorter side of what the generator sees, in pixels.
        radius, eps: of the guided filter at that size; images in [-1,1].

        Raises:
            UserError: a generator that needs no such help.
        """
        if generator.net.scales_itself:
            raise UserError("--full_res: this generator carries its result to the photo's size by itself")
        self.generator, self.side, self.radius, self.eps = generator, side, radius, eps

    @torch.inference_mode()
    def _translate(self, photo: np.ndarray) -> np.ndarray:
        height, width = photo.shape[:2]
        small = shrink(photo, self.side / min(height, width))
        guide = image_to_tensor(small)[None]
        target = self.generator.translate(self.generator.prepare(small)[None]).cpu()
        coefficients = guided_coefficients(guide, target, self.radius, self.eps)
        result = np.empty((height, width, target.shape[1]), photo.dtype)
        for top in range(0, height, STRIP):
            strip = image_to_tensor(photo[top : top + STRIP])[None]
            full_size = apply_coefficients(coefficients, strip, top, height)[0]
            result[top : top + STRIP] = tensor_to_pixels(full_size, photo.dtype)
        return result


class Tiled(PhotoByPhoto):
    """Runs a generator that can be tiled, a ResNet, over overlapping tiles at full size and blends them.

    Instance norms would see another picture in each tile, and seams would show. So they take mean and variance from
    one pass over the whole photo, scaled down, and keep them for all tiles.
    """

    def __init__(self, generator: Generator, tile: int):
        """Args:
        tile: side of the tiles in pixels.

        Raises:
            UserError: a generator or a size that can't be tiled.
        """
        if not generator.net.can_tile:
            raise UserError("--tile works with ResNet generators alone; others see the whole photo at once")
        if tile < 2 * OVERLAP:
            raise UserError(f"--tile {tile}: must be at least {2 * OVERLAP}, twice the overlap")
        self.generator, self.tile = generator, tile

    @torch.inference_mode()
    def _translate(self, photo: np.ndarray) -> np.ndarray:
        height, width = photo.shape[:2]
        small = shrink(photo, STATISTICS_SIDE / (height * width) ** 0.5)
        with fixed_statistics(self.generator.net, lambda: self._run(small)):
            rows = tile_spans(height, self.tile, self.generator.net.divisor)
            bands = ((top, self._band(photo[top:bottom])) for top, bottom in rows)
            return np.concatenate(
                [tensor_to_pixels(part, photo.dtype) for part in join(bands, height, axis=1)], axis=0
            )

    def _band(self, photo: np.ndarray) -> torch.Tensor:
        """One row of tiles, blended: `[C,h,W] in [-1,1]`."""
        width = photo.shape[1]
        columns = tile_spans(width, self.tile, self.generator.net.divisor)
        tiles = ((left, self._run(photo[:, left:right])) for left, right in columns)
        return torch.cat(list(join(tiles, width, axis=2)), dim=2)

    def _run(self, photo: np.ndarray) -> torch.Tensor:
        return self.generator.translate(self.generator.prepare(photo)[None])[0].cpu()


def shrink(photo: np.ndarray, factor: float) -> np.ndarray:
    """`photo` `[H,W,3]` scaled by `factor` where that is below 1, each pixel the mean of those it covers."""
    if factor >= 1:
        return photo
    height, width = (max(1, round(side * factor)) for side in photo.shape[:2])
    return cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)


def tile_spans(length: int, tile: int, divisor: int) -> list[tuple[int, int]]:
    """Starts and ends of tiles that cover `length` and overlap by `OVERLAP` at least.

    Starts are multiples of `divisor`, so that a network's strides fall on the same pixels in all tiles. The last
    tile reaches to the end and may be up to `divisor - 1` longer.
    """
    if length <= tile:
        return [(0, length)]
    count = -(-(length - OVERLAP) // (tile - OVERLAP - divisor))
    starts = [(length - tile) * number // (count - 1) // divisor * divisor for number in range(count)]
    return [(start, start + tile) for start in starts[:-1]] + [(starts[-1], length)]


def join(parts: Iterator[tuple[int, torch.Tensor]], length: int, axis: int) -> Iterator[torch.Tensor]:
    """Pieces, end to end, of overlapping `parts` (start, `[C,H,W]`); where two overlap, one fades into the next."""
    start, current = next(parts)
    for next_start, following in parts:
        overlap = start + current.shape[axis] - next_start
        yield current.narrow(axis, 0, next_start - start)
        fade = ((torch.arange(overlap) + 0.5 - MARGIN) / (overlap - 2 * MARGIN)).clamp(0, 1)
        fade = fade.view(-1, *[1] * (current.ndim - 1 - axis))
        blended = torch.lerp(
            current.narrow(axis, next_start - start, overlap), following.narrow(axis, 0, overlap), fade
        )
        rest = following.narrow(axis, overlap, following.shape[axis] - overlap)
        start, current = next_start, torch.cat([blended, rest], dim=axis)
    yield current.narrow(axis, 0, length - start)


@contextmanager
def fixed_statistics(net: nn.Module, run: Callable[[], object]) -> Iterator[None]:
    """Within the block instance norms of `net` use the mean and variance that they met in one call of `run`."""
    norms = [module for module in net.modules() if isinstance(module, nn.InstanceNorm2d)]

    def measure(norm: nn.InstanceNorm2d, inputs: tuple[torch.Tensor]) -> None:
        variance, mean = torch.var_mean(inputs[0].float(), dim=(0, 2, 3), correction=0)
        # An attribute of the instance hides the method of the class, until it is deleted below.
        fixed = partial(F.batch_norm, running_mean=mean, running_var=variance, eps=norm.eps)
        norm.forward = fixed  # type: ignore[method-assign]

    hooks = [norm.register_forward_pre_hook(measure) for norm in norms]
    try:
        run()
        for hook in hooks:
            hook.remove()
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for norm in norms:
            norm.__dict__.pop("forward", None)
