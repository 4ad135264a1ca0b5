"""The published comparison: photo, segmentation map and blurs behind the mask, side by side."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from deeplab.smoothing import disc_blur, gaussian_blur, mean_blur

PASCAL_PERSON = (192, 128, 128)  # class 15 in the colour map of PASCAL VOC; class 0, background, is black
PANEL = 512  # longer side of a panel at most, pixels
CAPTION = 24  # height of the caption above each panel, pixels


def comparison_figure(photo: Image.Image, mask: np.ndarray) -> Image.Image:
    """Five captioned panels for a photo (RGB) and its mask float [H,W] in [0,1].

    Photo; map in PASCAL colours; mean 5x5; Gaussian 9x9; disc of radius 4 in linear light. Photos larger than
    a panel are scaled down first, so that the published kernel sizes show as they did on small photos.
    """
    if max(photo.size) > PANEL:
        photo = ImageOps.contain(photo, (PANEL, PANEL))
        mask = np.asarray(Image.fromarray(mask.astype(np.float32)).resize(photo.size))
    pixels = np.asarray(photo)
    segmentation = (mask[..., None] * np.array(PASCAL_PERSON) + 0.5).astype(np.uint8)
    panels = {
        "input": pixels,
        "person": segmentation,
        "mean 5x5": mean_blur(pixels, mask),
        "Gaussian 9x9": gaussian_blur(pixels, mask),
        "disc, radius 4": disc_blur(pixels, mask, 4),
    }
    width, height = photo.size
    width = max(width, 110)  # room for the caption
    figure = Image.new("RGB", (len(panels) * width, height + CAPTION), "white")
    draw = ImageDraw.Draw(figure)
    font = ImageFont.load_default(14)
    for i, (caption, panel) in enumerate(panels.items()):
        draw.text((i * width + width / 2, CAPTION / 2), caption, "black", font, anchor="mm")
        figure.paste(Image.fromarray(panel), (i * width + (width - photo.width) // 2, CAPTION))
    return figure
