"""Photos and masks from disk and back, the same for every program. No torch in here: workers stay light."""

from util.images.headers import plain_jpeg_size
from util.images.listing import (
    IMAGE_EXTENSIONS,
    NOT_IN_BROWSERS,
    find_by_stem,
    find_images,
    image_names,
    is_image,
    left_out,
    list_images,
    names_by_stem,
    require_unique,
    writable,
)
from util.images.masks import has_alpha, read_mask
from util.images.opening import ImageError, TooLargeError, image_size, is_cut_short
from util.images.photos import (
    Metadata,
    read_image,
    read_photo,
    read_pixels,
    to_gray,
    upper_byte,
    upright_rgb,
)
from util.images.writing import write_image, write_pixels

__all__ = [
    "IMAGE_EXTENSIONS",
    "NOT_IN_BROWSERS",
    "ImageError",
    "Metadata",
    "TooLargeError",
    "find_by_stem",
    "find_images",
    "has_alpha",
    "image_names",
    "image_size",
    "is_cut_short",
    "is_image",
    "left_out",
    "list_images",
    "names_by_stem",
    "plain_jpeg_size",
    "read_image",
    "read_mask",
    "read_photo",
    "read_pixels",
    "require_unique",
    "to_gray",
    "upper_byte",
    "upright_rgb",
    "writable",
    "write_image",
    "write_pixels",
]
