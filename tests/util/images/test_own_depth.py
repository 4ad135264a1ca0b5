"""Depth inside of photos, in files that are written here as phones write them."""

import base64
import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from util.images import own_depth as module
from util.images import read_image
from util.images.own_depth import own_depth

NEAR, FAR = 0.5, 4.0
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


@pytest.fixture
def true() -> np.ndarray:
    """Inverse distances `[48,64]` of a scene from `NEAR` to `FAR` metres, in [0,1]: near is on the left, and on top."""
    y, x = np.mgrid[:48, :64]
    distance = NEAR + (FAR - NEAR) * (0.7 * x / 63 + 0.3 * y / 47)
    return (1 / distance - 1 / FAR) / (1 / NEAR - 1 / FAR)


def distances(true: np.ndarray) -> np.ndarray:
    return 1 / (1 / FAR + true * (1 / NEAR - 1 / FAR))


def picture(codes: np.ndarray, kind: str = "PNG") -> bytes:
    """A gray image file of codes in [0,1], with 8 bits."""
    file = BytesIO()
    Image.fromarray((255 * codes).round().astype(np.uint8)).save(file, kind, quality=98)
    return file.getvalue()


def segment(content: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content


def xmp(body: str, *spaces: str) -> bytes:
    """A packet with one description: `spaces` are its namespaces and attributes, `body` its children."""
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description rdf:about="" {" ".join(spaces)}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def jpeg(path: Path, segments: list[bytes], behind: bytes = b"", **options) -> Path:
    """A photo of 96 x 72 with more segments after its first marker, and files behind its end."""
    file = BytesIO()
    Image.new("RGB", (96, 72), (90, 120, 60)).save(file, "JPEG", **options)
    photo = file.getvalue()
    path.write_bytes(photo[:2] + b"".join(map(segment, segments)) + photo[2:] + behind)
    read_image(path)
    return path


GDEPTH = 'xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/"'


def with_gdepth(path: Path, codes: np.ndarray, of_format: str, pieces: int, **options) -> Path:
    """As Google's camera: what the map means in the packet, the map in the extended part, in pieces out of order."""
    identifier = b"0123456789ABCDEF0123456789ABCDEF"
    data = base64.b64encode(picture(codes)).decode()
    whole = xmp("", GDEPTH, f'GDepth:Data="{data}"')
    size = -(-len(whole) // pieces)
    parts = [
        b"http://ns.adobe.com/xmp/extension/\0"
        + identifier
        + struct.pack(">II", len(whole), start)
        + whole[start : start + size]
        for start in range(0, len(whole), size)
    ]
    packet = xmp(
        "",
        GDEPTH,
        f'GDepth:Format="{of_format}" GDepth:Near="{NEAR}" GDepth:Far="{FAR}" GDepth:Mime="image/png"',
    )
    return jpeg(path, [b"http://ns.adobe.com/xap/1.0/\0" + packet, *reversed(parts)], **options)


def test_google_depth_in_the_extended_part(true, tmp_path):
    """RangeInverse is far (z - near) / (z (far - near)), RangeLinear (z - near) / (far - near)."""
    z = distances(true)
    inverse = FAR * (z - NEAR) / (z * (FAR - NEAR))
    for name, codes in (("RangeInverse", inverse), ("RangeLinear", (z - NEAR) / (FAR - NEAR))):
        found = own_depth(with_gdepth(tmp_path / "a.jpg", codes, name, pieces=3))
        # The linear one has few codes where near is: 1 of 255 there is 7 of them here.
        assert np.abs(found - true).max() < (0.003 if name == "RangeInverse" else 0.03), name


def test_the_map_turns_with_the_photo(true, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    path = with_gdepth(tmp_path / "a.jpg", 1 - true, "RangeInverse", pieces=1, exif=exif)
    assert read_image(path).size == (72, 96)
    found = own_depth(path)
    assert found.shape == (64, 48)
    assert np.abs(found - np.rot90(true, -1)).max() < 0.003


SPACES = (
    'xmlns:Device="http://ns.google.com/photos/dd/1.0/device/"',
    'xmlns:Camera="http://ns.google.com/photos/dd/1.0/camera/"',
    'xmlns:DepthMap="http://ns.google.com/photos/dd/1.0/depthmap/"',
    'xmlns:Container="http://ns.google.com/photos/dd/1.0/container/"',
    'xmlns:Item="http://ns.google.com/photos/dd/1.0/item/"',
)


@pytest.mark.parametrize("semantic", [True, False])
def test_dynamic_depth_behind_the_photo(true, tmp_path, semantic):
    """A directory of three files behind the photo, of which one is the map, named by what it is or by its address."""
    files = [b"confidence" * 7, picture(1 - true, "JPEG"), b"video" * 11]
    names = ["android/confidencemap", "android/depthmap", "android/video"]
    items = "".join(
        f'<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg" Item:DataURI="{name}" '
        f'Item:Length="{len(content)}" {extra}/></rdf:li>'
        for name, content, extra in zip(
            names, files, ["", 'Item:Semantic="Depth"' if semantic else "", ""], strict=True
        )
    )
    primary = '<rdf:li><Container:Item Item:Mime="image/jpeg" Item:DataURI="android/primary"/></rdf:li>'
    body = (
        f"<Device:Container><Container:Directory><rdf:Seq>{primary}{items}</rdf:Seq></Container:Directory>"
        "</Device:Container><Device:Cameras><rdf:Seq><rdf:li><Device:Camera><Camera:DepthMap>"
        f'<rdf:Description DepthMap:Format="RangeInverse" DepthMap:Near="{NEAR}" DepthMap:Far="{FAR}" '
        'DepthMap:Units="Meters" DepthMap:DepthURI="android/depthmap"/>'
        "</Camera:DepthMap></Device:Camera></rdf:li></rdf:Seq></Device:Cameras>"
    )
    packet = b"http://ns.adobe.com/xap/1.0/\0" + xmp(body, *SPACES)
    found = own_depth(jpeg(tmp_path / "a.jpg", [packet], b"".join(files)))
    assert np.abs(found - true).max() < 0.03


APPLE = 'xmlns:apdi="http://ns.apple.com/pixeldatainfo/1.0/"'


def further(codes: np.ndarray, native: bytes, kind: str) -> Image.Image:
    """A further image of an iPhone's JPEG, with the XMP that says what it holds."""
    words = {
        "AuxiliaryImageType": kind,
        "NativeFormat": str(int.from_bytes(native, "big")),
        "FloatMinValue": str(NEAR),
        "FloatMaxValue": str(FAR),
    }
    image = Image.fromarray((255 * codes).round().astype(np.uint8))
    body = "".join(f"<apdi:{name}>{value}</apdi:{name}>" for name, value in words.items())
    image.encoderinfo = {"xmp": xmp(body, APPLE), "quality": 98}
    return image


@pytest.mark.parametrize(("native", "kind"), [(b"hdis", "disparity"), (b"fdep", "depth")])
def test_an_iphones_jpeg_holds_it_among_its_images(true, tmp_path, native, kind):
    """A matte comes first, which calls itself depth too; disparity is bright where near, depth where far."""
    codes = true if native == b"hdis" else (distances(true) - NEAR) / (FAR - NEAR)
    matte = further(np.eye(48), b"L008", "depth")
    photo = Image.new("RGB", (96, 72), (90, 120, 60))
    photo.save(
        tmp_path / "a.jpg",
        format="MPO",
        save_all=True,
        append_images=[matte, further(codes, native, kind)],
    )
    found = own_depth(tmp_path / "a.jpg")
    assert np.abs(found - true).max() < (0.03 if native == b"hdis" else 0.1)
    assert np.abs(found - true).mean() < 0.01


@pytest.mark.parametrize("turned", [False, True])
def test_heic_holds_it_as_an_auxiliary_image(true, tmp_path, turned):
    """Written as an image's alpha, which is an auxiliary image of another name, by which it becomes depth."""
    photo = Image.new("RGB", (64, 48), (90, 120, 60))
    photo.putalpha(Image.fromarray((255 * true).round().astype(np.uint8)))
    exif = Image.Exif()
    exif[0x0112] = 6 if turned else 1
    photo.save(tmp_path / "a.heic", quality=100, exif=exif.tobytes())
    content = (tmp_path / "a.heic").read_bytes()
    assert content.count(b"2015:auxid:1") == 1
    (tmp_path / "a.heic").write_bytes(content.replace(b"2015:auxid:1", b"2015:auxid:2"))
    found = own_depth(tmp_path / "a.heic")
    assert read_image(tmp_path / "a.heic").size == ((48, 64) if turned else (64, 48))
    assert np.abs(found - (np.rot90(true, -1) if turned else true)).max() < 0.03


def test_heic_that_keeps_distances(true, monkeypatch, tmp_path):
    """Of libheif's kinds of depth, one is a distance: far is bright."""

    class Map:
        info = {"metadata": {"representation_type": 2, "z_near": NEAR, "z_far": FAR}}  # noqa: RUF012

        @staticmethod
        def to_pillow():
            codes = (distances(true) - NEAR) / (FAR - NEAR)
            return Image.fromarray((65535 * codes).round().astype(np.uint16))

    image = Image.new("RGB", (64, 48))
    image.info["depth_images"] = [Map]
    found = module._of_heif(image)
    assert np.abs((found * NEAR * FAR - NEAR) / (FAR - NEAR) - true).max() < 1e-3


def test_photos_without_depth_and_with_one_that_says_nothing(tmp_path, capsys):
    for name in ("a.jpg", "a.png", "a.tif", "a.heic"):
        Image.new("RGB", (64, 48)).save(tmp_path / name)
        assert own_depth(tmp_path / name) is None
    assert own_depth(with_gdepth(tmp_path / "b.jpg", np.full((48, 64), 0.5), "RangeInverse", 1)) is None
    assert capsys.readouterr().err == ""


def test_broken_depth_is_a_line_and_no_end(tmp_path, capsys):
    cases = {
        "xml.jpg": [b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta"],
        "data.jpg": [b"http://ns.adobe.com/xap/1.0/\0" + xmp("", GDEPTH, 'GDepth:Data="aGFsbG8="')],
    }
    for name, segments in cases.items():
        assert own_depth(jpeg(tmp_path / name, segments)) is None
        assert f"{name}: the depth in it can't be read" in capsys.readouterr().err
