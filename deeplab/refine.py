"""Masks sharpened to the photo's own edges by a guided filter (He et al.: Guided Image Filtering, 2010)."""

import numpy as np

EPSILON = 1e-5  # squared contrast, in [0,1] units, below which the photo is taken as flat
WORKING_SIDE = 1024  # longer side, pixels, above which the fast filter (He and Sun, 2015) subsamples


def refine_mask(photo: np.ndarray, subject: np.ndarray) -> np.ndarray:
    """Alpha matte float32 [H,W] in [0,1] of `subject` bool [H,W], along the edges of `photo` uint8 [H,W,3].

    It takes a hard mask because the filter is linear: edges that come soft stay soft, wherever the photo's are.
    The window's radius is 1/64 of the longer side, as a segmenter sees a few hundred pixels at most; photos
    smaller than that window stay as they are.
    """
    import torch  # here, as torch takes seconds to import and few runs refine

    from util.guided_filter import guided_filter

    height, width = subject.shape
    mask = subject.astype(np.float32)
    radius = max(2, round(max(height, width) / 64))
    if radius >= min(height, width):
        return mask
    guide = torch.from_numpy(photo.astype(np.float32) / 255).permute(2, 0, 1)[None]
    refined = guided_filter(
        guide,
        torch.from_numpy(mask)[None, None],
        radius,
        EPSILON,
        subsample=-(-max(height, width) // WORKING_SIDE),
    )
    return refined[0, 0].clamp(0, 1).numpy()
