"""Depth that phones keep inside of their photos.

- HEIC: an auxiliary image of depth (ISO/IEC 23008-12), as iPhones write it.
- JPEG of an iPhone: one of the further images of the Multi-Picture Format (CIPA DC-007), whose XMP says what it holds.
- JPEG of an Android phone: XMP of Google's depth map (`GDepth`, the map itself in it as base64, mostly in the extended
  part of the XMP), or of Dynamic Depth 1.0 (the map is a file behind the photo, listed in a directory).
"""

import base64
import os
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image, ImageFile

from util.errors import say
from util.images import exif
from util.images.opening import opened

XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
# Behind that name: an identifier (32 bytes), the length of the whole (4), and the place of this part in it (4).
EXTENDED_HEADER = len(EXTENDED_XMP) + 40

DEPTH_MAP = ("http://ns.google.com/photos/1.0/depthmap/", "http://ns.google.com/photos/dd/1.0/depthmap/")
ITEM = ("http://ns.google.com/photos/1.0/container/item/", "http://ns.google.com/photos/dd/1.0/item/")
PIXEL_DATA = ("http://ns.apple.com/pixeldatainfo/1.0/",)

# Apple's names of pixel formats, numbers made of four letters: disparity (1/m) and depth (m), in half and full floats.
DISPARITY, DISTANCE = {b"hdis", b"fdis"}, {b"hdep", b"fdep"}
# libheif's number for depth that is a distance; all others are disparities or inverse distances.
UNIFORM_Z = 2

Properties = dict[str, str]


def own_depth(path: str | os.PathLike) -> np.ndarray | None:
    """Depth that the photo itself holds, upright as `read_image` reads it: float32 `[h,w] in [0,1]`, near is 1.

    None if it holds none that says anything; a line tells of one that can't be read.

    Raises:
        ImageError: the photo can't be opened.
    """
    with opened(path) as image:
        try:
            depth = _of_heif(image) if image.format == "HEIF" else _of_jpeg(image, Path(path))
        except Exception as error:
            # Whatever a broken map makes Pillow and the parsers raise.
            say(f"{path}: the depth in it can't be read ({error or type(error).__name__})")
            return None
    if depth is None or not np.isfinite(depth).all() or np.ptp(depth) == 0:
        return None
    return (depth - depth.min()) / np.ptp(depth)


def _of_heif(image: ImageFile.ImageFile) -> np.ndarray | None:
    """libheif turns the map as it turns the photo."""
    for found in image.info.get("depth_images") or ():
        told = found.info.get("metadata") or {}
        codes = _codes(found.to_pillow())
        if told.get("representation_type") == UNIFORM_Z and told.get("z_near"):
            return 1 / (told["z_near"] + codes * (told["z_far"] - told["z_near"]))
        return codes
    return None


def _of_jpeg(image: ImageFile.ImageFile, path: Path) -> np.ndarray | None:
    size, turn = image.size, exif.TURNS.get(exif.orientation(image))
    depth = _of_google(image, path)
    if depth is None:
        depth = _of_apple(image)
    if depth is None or turn is None:
        return depth
    # Some programs turn the photo's map, and leave the photo to its orientation.
    lies_as_the_photo = (depth.shape[1] > depth.shape[0]) == (size[0] > size[1])
    return np.asarray(Image.fromarray(depth).transpose(turn)) if lies_as_the_photo else depth


def _of_google(image: ImageFile.ImageFile, path: Path) -> np.ndarray | None:
    """GDepth and Dynamic Depth. A code c in [0,1] of RangeInverse is far (z - near) / (z (far - near)), of RangeLinear
    (z - near) / (far - near): near is dark."""
    roots = list(_packets(image))
    told = _properties(roots, DEPTH_MAP)
    content = _listed_file(roots, told.get("DepthURI"), path)
    if "Data" in told:
        content = base64.b64decode(told["Data"])
    if content is None:
        return None
    codes = _codes(Image.open(BytesIO(content)))
    if told.get("Format", "").lower() != "rangelinear":
        return 1 - codes
    near, far = float(told["Near"]), float(told["Far"])
    return 1 / (near + codes * (far - near))


def _listed_file(roots: list[ElementTree.Element], uri: str | None, path: Path) -> bytes | None:
    """The map behind the photo that a directory lists, counted from the end: the photo's own length is not told."""
    items = [item for root in roots for item in map(_item, root.iter()) if "Mime" in item]
    end = path.stat().st_size
    for item in reversed(items):
        start = end - int(item.get("Length", 0))
        if item.get("Semantic") == "Depth" or (uri and item.get("DataURI") == uri):
            with path.open("rb") as file:
                file.seek(start)
                return file.read(end - start)
        end = start - int(item.get("Padding", 0))
    return None


def _item(element: ElementTree.Element) -> Properties:
    """What a directory says of a file, in attributes or in children; empty if `element` is no such entry."""
    return _named(element.attrib.items(), ITEM) | _named(((c.tag, c.text or "") for c in element), ITEM)


def _of_apple(image: ImageFile.ImageFile) -> np.ndarray | None:
    """The image of the Multi-Picture Format that holds disparity or depth; mattes, which it may hold too, don't."""
    for frame in range(1, getattr(image, "n_frames", 1)):
        image.seek(frame)
        told = _properties(_packets(image), PIXEL_DATA)
        name = told.get("NativeFormat", "")
        kind = int(name).to_bytes(4, "big") if name.isdigit() else name.encode()
        if kind in DISPARITY | DISTANCE:
            codes = _codes(image)
            if kind in DISPARITY:
                return codes
            low, high = float(told["FloatMinValue"]), float(told["FloatMaxValue"])
            return 1 / (low + codes * (high - low))
    return None


def _codes(image: Image.Image) -> np.ndarray:
    """A map's values over the largest that its file can hold, `[h,w] in [0,1]`."""
    values = np.asarray(image if image.mode.startswith("I") else image.convert("L"))
    return values.astype(np.float32) / (65535 if image.mode.startswith("I") else 255)


def _packets(image: ImageFile.ImageFile) -> Iterator[ElementTree.Element]:
    """The XMP of a JPEG: the packet itself, and its extended part, which comes in pieces."""
    segments = [content for name, content in getattr(image, "applist", []) if name == "APP1"]
    for segment in segments:
        if segment.startswith(XMP):
            yield ElementTree.fromstring(segment[len(XMP) :].rstrip(b"\0"))
    pieces = [segment for segment in segments if segment.startswith(EXTENDED_XMP)]
    if pieces:
        pieces.sort(key=lambda piece: piece[EXTENDED_HEADER - 4 : EXTENDED_HEADER])
        yield ElementTree.fromstring(b"".join(piece[EXTENDED_HEADER:] for piece in pieces))


def _properties(roots: Iterable[ElementTree.Element], namespaces: tuple[str, ...]) -> Properties:
    """All properties of these namespaces, written as attributes or as elements."""
    found: Properties = {}
    for root in roots:
        for element in root.iter():
            found |= _named([(element.tag, (element.text or "").strip())], namespaces)
            found |= _named(element.attrib.items(), namespaces)
    return found


def _named(pairs: Iterable[tuple[str, str]], namespaces: tuple[str, ...]) -> Properties:
    """Those of (name, value) whose name, `{namespace}local`, is in one of `namespaces`, by their local names."""
    found = {}
    for name, value in pairs:
        namespace, _, local = name.removeprefix("{").rpartition("}")
        if namespace.rstrip("/") + "/" in namespaces:
            found[local] = value
    return found
