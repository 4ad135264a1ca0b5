"""The curves and kernels of this folder for NumPy code: float32 arrays in, float32 arrays out."""

from collections.abc import Callable

import numpy as np
import torch

from util.optics import apertures, light


def _on_arrays(function: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[np.ndarray], np.ndarray]:
    def of_array(x: np.ndarray) -> np.ndarray:
        return function(torch.from_numpy(np.array(x, dtype=np.float32))).numpy()

    of_array.__doc__ = function.__doc__
    return of_array


srgb_to_linear = _on_arrays(light.srgb_to_linear)
linear_to_srgb = _on_arrays(light.linear_to_srgb)


def disc_kernel(radius: float) -> np.ndarray:
    """`util.optics.apertures.disc_kernel` as float32 `[2n+1,2n+1]`."""
    return apertures.disc_kernel(radius).numpy()
