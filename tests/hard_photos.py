"""Photos of every kind that real folders hold, good, odd and broken."""

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def scene(width: int = 80, height: int = 60, seed: int = 0) -> Image.Image:
    """Smooth random colours whose right half is red: 255 in R, at most 60 in G and B."""
    coarse = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    pixels = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).copy()
    pixels[..., 0] = 0
    pixels[:, width // 2 :] //= 4
    pixels[:, width // 2 :, 0] = 255
    return Image.fromarray(pixels)


def _bomb(path: Path) -> None:
    """A PNG of a few bytes that claims 30,000 x 30,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))


def write_good_photos(folder: Path) -> dict[str, tuple[int, int]]:
    """Odd but sound photos; returns their sizes (width, height) as one sees them, by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    photo = scene()
    gray16 = (np.asarray(scene(seed=1).getchannel("R")).astype(np.uint16)) * 257
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side; the viewer turns it by 90 degrees clockwise
    photo.save(folder / "plain.jpg", quality=95)
    Image.fromarray(gray16).save(folder / "sixteen.png")
    scene(seed=2).convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    scene(seed=3).quantize(64).save(folder / "palette.png")
    frames = [scene(seed=4), Image.new("RGB", photo.size, "white")]
    frames[0].save(folder / "animated.webp", save_all=True, append_images=frames[1:], lossless=True)
    scene(seed=5).transpose(Image.Transpose.ROTATE_90).save(folder / "turned.jpg", exif=exif, quality=95)
    scene(4000, 3000, seed=6).save(folder / "large.jpg", quality=80)
    alpha = scene(seed=7)
    alpha.putalpha(255)
    alpha.save(folder / "alpha.png")
    sizes = dict.fromkeys(sorted(path.name for path in folder.iterdir()), photo.size)
    return sizes | {"large.jpg": (4000, 3000)}


def write_bad_photos(folder: Path) -> dict[str, str]:
    """Files that look like photos and can't be used; returns what is wrong with each, by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "zero.jpg").write_bytes(b"")
    (folder / "page.jpg").write_bytes(b"<!DOCTYPE html><html><body>Sorry</body></html>")
    scene(seed=8).save(folder / "cut.jpg", quality=95)
    content = (folder / "cut.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(content[: len(content) // 2])
    _bomb(folder / "bomb.png")
    return {
        "zero.jpg": "the file is empty",
        "page.jpg": "not an image",
        "cut.jpg": "can't be decoded",
        "bomb.png": "220 megapixels",
    }
