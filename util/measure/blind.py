"""A page on which two results stand side by side without names, and the rater says which is better.

Works from the disk without a server. Answers stay in the browser until they are saved as a CSV; `util.measure.votes`
reads them with the key, which the page does not load.
"""

import json
import secrets
from collections.abc import Sequence
from pathlib import Path

from dominate import document, tags
from dominate.util import raw

from util.files import write_text
from util.html import ASSETS
from util.images import read_image, write_image
from util.measure.evaluation import ComparedPhoto
from util.measure.votes import KEY_FILE, pairs_to_judge

QUESTION = "Which looks more like a photo taken with a large lens?"


def write_blind_page(photos: Sequence[ComparedPhoto], folder: Path, seed: int = 0) -> Path:
    """Write `folder/index.html`, its pictures under names that tell nothing, and the key; returns the page's path.

    Args:
        photos: each with the outputs of the same methods.
        seed: another one gives another order.
    """
    tokens = {(photo.stem, method): secrets.token_hex(8) for photo in photos for method in photo.outputs}
    for photo in photos:
        for method, path in photo.outputs.items():
            picture = read_image(path)
            # Neither profile nor EXIF tells who made it; one format for all.
            picture.info = {}
            write_image(picture, folder / "images" / f"{tokens[photo.stem, method]}.png")
    methods = list(photos[0].outputs)
    pairs = pairs_to_judge(methods, [photo.stem for photo in photos], seed)
    shown = [[tokens[photo, left], tokens[photo, right]] for photo, left, right in pairs]
    key = {token: list(of) for of, token in tokens.items()}
    write_text(folder / KEY_FILE, json.dumps(key, indent=0, ensure_ascii=False))
    path = folder / "index.html"
    write_text(path, _page(shown))
    return path


def _page(pairs: list[list[str]]) -> str:
    page = document(title=QUESTION)
    page["lang"] = "en"
    with page.head:
        tags.meta(charset="utf-8")
        tags.meta(name="viewport", content="width=device-width, initial-scale=1")
        tags.link(rel="icon", href="data:,")
        tags.style(raw((ASSETS / "blind.css").read_text(encoding="utf-8")))
    with page.body:
        with tags.header():
            tags.h1(QUESTION)
            tags.p("Keys: ← left, → right, ↓ the same, Backspace takes the last answer back.")
        with tags.main():
            tags.img(id="left", alt="left result")
            tags.img(id="right", alt="right result")
        with tags.footer():
            for answer, label in (("left", "← left"), ("same", "↓ the same"), ("right", "right →")):
                tags.button(label, type="button", value=answer)
            tags.output(id="progress")
            tags.button("save answers", type="button", id="save")
        tags.script(raw(f"const pairs = {json.dumps(pairs)};"))
        tags.script(raw((ASSETS / "blind.js").read_text(encoding="utf-8")))
    return page.render(pretty=False)
