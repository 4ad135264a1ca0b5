"""The models of the rembg package, which is installed apart: `pip install "rembg[cpu]"`."""

import numpy as np
from PIL import Image

from deeplab.segmenter import InputSize, Segmenter
from util.errors import UserError

SIDE = 1600  # longer side, pixels, of the largest photo that is seen as it is; rembg scales it to each model's own size


class RembgSegmenter(Segmenter):
    """Any of rembg's models by its name, `u2net_human_seg` say; rembg fetches it and keeps it in its own cache."""

    input_size = InputSize(SIDE, keep_aspect=True, enlarge=False)

    def __init__(self, model: str) -> None:
        try:
            import rembg
        except ImportError as error:
            raise UserError(
                f'--segmenter rembg:{model}: needs the package rembg ({error}); pip install "rembg[cpu]"'
            ) from None
        try:
            self._session = rembg.new_session(model)
        except Exception as error:  # unknown names, no network, damaged files: each model its own kinds
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise UserError(f"--segmenter rembg:{model}: rembg can't load it ({reason})") from None

    def predict(self, images: np.ndarray) -> np.ndarray:
        """uint8 [N,h,w,3] -> float32 [N,h,w] in [0,1]; where a model gives several masks, their union."""
        return np.stack([self._probability(Image.fromarray(image)) for image in images])

    def _probability(self, photo: Image.Image) -> np.ndarray:
        masks = [np.asarray(mask.convert("L"), np.float32) for mask in self._session.predict(photo)]
        return np.max(masks, axis=0) / 255
