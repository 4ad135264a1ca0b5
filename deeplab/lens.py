"""The camera behind a mask: what `--smooth lens` makes of a photo, with the depth and the focus that are asked for."""

from argparse import Namespace
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from deeplab.depth_maps import DepthSource
from util.errors import PhotoError
from util.optics.camera import Camera, render
from util.optics.focus import plan_blur
from util.optics.focus_options import Focus
from util.optics.photo_lens import lens_of_photo
from util.optics.presets import DEFAULT_RADIUS, REFERENCE_SIDE, camera_of_options, radius_of_options
from util.tensors import tensor_to_pixels


@dataclass(frozen=True)
class LensBlur:
    """How photos are blurred.

    Attributes:
        radius: of what is farthest out of focus, pixels of the photo; None: `radius_at_256`.
        radius_at_256: that radius where the photo's shorter side is 256; None: by the photo's EXIF.
        depth: None: one distance for all that is not subject.
    """

    camera: Camera
    radius: float | None = None
    radius_at_256: float | None = DEFAULT_RADIUS
    focus: Focus = field(default_factory=Focus)
    depth: DepthSource | None = None

    @classmethod
    def of_options(cls, args: Namespace) -> "LensBlur":
        """What the command line states.

        Raises:
            UserError: a value that can't be.
        """
        return cls(
            camera_of_options(args, args.lens_light == "linear"),
            args.radius,
            radius_of_options(args),
            Focus.parse(args.focus),
            DepthSource.of_options(args),
        )

    def __call__(self, path: Path, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """uint8 `[H,W,3]` RGB and its mask `[H,W] in [0,1]` -> uint8 `[H,W,3]`.

        Raises:
            UserError: a depth map or a focus that this photo can't have; EXIF that tells no radius.
        """
        depth = self.depth(path, image) if self.depth else None
        largest = self.radius
        if largest is None:
            at_256 = lens_of_photo(path).radius() if self.radius_at_256 is None else self.radius_at_256
            largest = at_256 * min(image.shape[:2]) / REFERENCE_SIDE
        try:
            alpha, radius = plan_blur(mask.astype(np.float32), depth, largest, self.focus)
        except PhotoError as error:
            raise PhotoError(f"{path}: {error}") from None
        photo = torch.from_numpy(image.astype(np.float32).transpose(2, 0, 1) / 127.5 - 1)[None]
        with torch.inference_mode():
            result = render(
                photo, torch.from_numpy(alpha)[None, None], torch.from_numpy(radius)[None, None], self.camera
            )
        return tensor_to_pixels(result[0])
