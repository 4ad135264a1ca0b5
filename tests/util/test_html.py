"""Result pages, read back by an HTML parser that knows nothing of how they are written."""

import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import ExifTags, Image

from util.errors import UserError
from util.html import ResultPage

HOSTILE = "a \"q\" 'x' <script>boom()<&#39;> ü # 50%20 ?=.y"


class Elements(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.found, self.text = [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag, **wanted):
        return [a for t, a in self.found if t == tag and all(a.get(k) == v for k, v in wanted.items())]


def picture(folder, file, size=(40, 30)):
    path = Path(folder, file)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (200, 30, 30)).save(path)
    return file


def test_names_of_any_characters_lead_to_their_files_and_start_no_script(tmp_path):
    page = ResultPage(tmp_path, HOSTILE)
    files = {label: picture(tmp_path, f"images/{HOSTILE}_{label}.png") for label in ("real_A", "fake_B")}
    page.add(HOSTILE, files, {HOSTILE: 1.5})
    page.add_table(HOSTILE, [HOSTILE], [[HOSTILE, HOSTILE]])
    elements = Elements(page.save())
    sources = {a["src"] for a in elements.all("img") if "src" in a}
    assert {unquote(source) for source in sources} == set(files.values())
    assert not any(set(source) & set("#?<>\"' ") for source in sources)
    assert len(elements.all("script")) == 1
    assert elements.all("article")[0]["data-name"] == HOSTILE
    assert json.loads(elements.all("article")[0]["data-figures"]) == {HOSTILE: 1.5}
    assert elements.text.count(HOSTILE) >= 6  # title, heading, photo, figure, table


def test_page_needs_nothing_from_elsewhere(tmp_path):
    page = ResultPage(tmp_path, "t")
    page.add("p", {"real_A": picture(tmp_path, "images/p.png")})
    elements = Elements(page.save())
    addresses = [a[key] for _, a in elements.found for key in ("src", "href") if key in a]
    assert addresses
    assert not any(":" in address and not address.startswith("data:") for address in addresses)
    assert not any(address.startswith("/") for address in addresses)


def test_large_pictures_get_thumbnails_and_links_to_the_whole(tmp_path):
    page = ResultPage(tmp_path, "t")
    page.add("p", {"real_A": picture(tmp_path, "images/p.png", (1200, 600))})
    elements = Elements(page.save())
    image = elements.all("img", loading="lazy")[0]
    assert (image["width"], image["height"]) == ("512", "256")
    with Image.open(tmp_path / image["src"]) as thumbnail:
        assert thumbnail.size == (512, 256)
    assert elements.all("a")[0]["href"] == "images/p.png"


def test_pictures_stand_upright_and_deep_ones_are_scaled(tmp_path):
    page = ResultPage(tmp_path, "t")
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6  # a quarter turn clockwise
    for side in (100, 1200):
        photo = Image.new("RGB", (side, side // 2), (200, 30, 30))
        photo.paste((0, 0, 250), (0, 0, side // 2, side // 2))  # left half, the upper one upright
        photo.save(tmp_path / f"{side}.jpg", exif=turned)
        page.add(str(side), {"a": f"{side}.jpg"})
    Image.fromarray(np.full((600, 600), 100 * 257, np.uint16)).save(tmp_path / "deep.png")
    page.add("deep", {"a": "deep.png"})
    sizes = [(a["width"], a["height"]) for a in Elements(page.save()).all("img", loading="lazy")]
    assert sizes == [("50", "100"), ("256", "512"), ("512", "512")]
    with Image.open(tmp_path / "thumbnails/1200.jpg.jpg") as thumbnail:
        assert thumbnail.size == (256, 512)
        assert thumbnail.getpixel((200, 100))[2] > 200
        assert thumbnail.getpixel((50, 400))[0] > 150
    with Image.open(tmp_path / "thumbnails/deep.png.jpg") as thumbnail:
        assert thumbnail.getpixel((9, 9)) == pytest.approx((100, 100, 100), abs=1)


def test_thumbnail_follows_its_picture(tmp_path):
    page = ResultPage(tmp_path, "t")
    page.add("p", {"real_A": picture(tmp_path, "images/p.png", (1200, 600))})
    page.save()
    Image.new("RGB", (1200, 600), (0, 0, 250)).save(tmp_path / "images/p.png")
    page.save()
    with Image.open(tmp_path / "thumbnails/images/p.png.jpg") as thumbnail:
        assert thumbnail.getpixel((100, 100))[2] > 200


def test_sort_values_are_numbers_that_json_has(tmp_path):
    page = ResultPage(tmp_path, "t")
    figures = {"psnr": float("nan"), "exact": float("inf")}
    page.add("p", {"a": picture(tmp_path, "images/p.png")}, figures, {"a": {"ssim": 0.5}})
    elements = Elements(page.save())
    assert "-" in elements.text and "∞" in elements.text and "nan" not in elements.text
    row = elements.all("article")[0]
    values = json.loads(row["data-figures"], parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert values.keys() == {"a: ssim", "exact"}
    assert values["exact"] > 1e300


def test_missing_picture_is_named(tmp_path):
    page = ResultPage(tmp_path, "t")
    page.add("p", {"a": "images/gone.png"})
    with pytest.raises(UserError, match=r"gone\.png: no such file"):
        page.save()
