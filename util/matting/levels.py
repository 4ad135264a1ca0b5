"""Pixels of any kind as shares of white, and back."""

import numpy as np


def as_shares(pixels: np.ndarray) -> np.ndarray:
    """uint8 or uint16, or floating-point in [0,1], as float32 in [0,1]."""
    if pixels.dtype.kind != "u":
        return pixels.astype(np.float32, copy=False)
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)


def like(pixels: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """`shares` in [0,1] as pixels of the same kind as `pixels`."""
    if pixels.dtype.kind != "u":
        return shares.astype(pixels.dtype)
    return np.rint(shares * np.iinfo(pixels.dtype).max).astype(pixels.dtype)
