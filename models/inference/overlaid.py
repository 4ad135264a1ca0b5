"""The mask overlay on photos of any size: the real subject pasted over results, by the mask or by a matte of it."""

import numpy as np

from models.inference.translator import NOTHING, Told, Translator
from util.images import to_gray
from util.matting import matte
from util.present import present


class Overlaid:
    """A translator whose results get the subject of their photo: `m*photo + (1-m)*result`, in the photo's depth.

    With `matting`, m is the alpha that `util.matting` solves from the mask, and the colours are the subject's own.
    """

    def __init__(self, translator: Translator, matting: bool = False):
        self.translator = translator
        self.matting = matting

    @property
    def at_once(self) -> int:
        """As the translator's."""
        return self.translator.at_once

    def batch(self, photos: list[np.ndarray], told: Told = NOTHING) -> list[np.ndarray]:
        """Results of `photos`, see `Translator`; the masks are needed."""
        results, masks = self.translator.batch(photos, told), present(told.masks)
        if self.matting:
            subjects = [matte(*parts) for parts in zip(photos, masks, strict=True)]
            photos, masks = (
                [subject.foreground for subject in subjects],
                [subject.alpha for subject in subjects],
            )
        return [overlaid(*parts) for parts in zip(results, photos, masks, strict=True)]


def overlaid(result: np.ndarray, photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """`[H,W,C]` uint8 or uint16, with the `[H,W,3]` photo where `mask` `[H,W] in [0,1]` is 1; grey if the result is."""
    real = to_gray(photo) if result.shape[2] == 1 else photo
    m = mask[..., None].astype(np.float64)
    return np.rint(m * real + (1 - m) * result).astype(photo.dtype)
