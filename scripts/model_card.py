"""The model card of a published model: `README.md`, as Hugging Face's hub shows it."""

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from util.errors import UserError
from util.files import write_text
from util.hub import MODEL_FILE, is_published, read_config
from util.images import read_image, write_image
from util.measure.distributions import Estimate, median_with_interval
from util.measure.report import TITLES, as_text

CARD_FILE = "README.md"
PICTURES = "images"
# Of pictures on the card, pixels of the longer side.
LARGEST = 2000
TAGS = ("bokeh", "cyclegan", "image-to-image")

TEXT = """# {title}

Gives photos a shallow depth of field. A generator of Bokeh CycleGAN, {what}.
It runs in a checkout of that project, after `pip install -e '.[hub]'`:

```sh
{shell}
```

```python
from PIL import Image

from models import load_generator

generator = load_generator("{where}")
generator(Image.open("me.jpg")).save("me_soft.jpg")
```

The weights are safetensors: nothing in them runs. `config.json` describes the network.
"""


def write_card(
    folder: Path, title: str, where: str, license: str, figures: Path | None, pictures: Sequence[Path]
) -> None:
    """Write the card of the published model in `folder`, and copies of the pictures, without metadata, beside it.

    Args:
        where: what users give to run it: `hf:user/model`, or the folder's name.
        license: of the weights; empty: none is stated.
        figures: `figures.json` or `figures.csv` of evaluate.py.

    Raises:
        UserError: a file that can't be read.
    """
    config = read_config(folder)
    head: dict[str, Any] = {"pipeline_tag": "image-to-image", "tags": list(TAGS)}
    if license:
        head["license"] = license
    parts = [f"---\n{yaml.safe_dump(head)}---\n"]
    run = f"--name {where}" if is_published(where) else f"--checkpoints_dir . --name {where}"
    masks = " --masks auto" if config["architecture"]["input_nc"] == 4 else ""
    shell = f"python test.py --input photos/ --output soft/ {run}{masks}"
    parts.append(TEXT.format(title=title, where=where, shell=shell, what=_network(config, folder)))
    if pictures:
        parts.append(
            "\n".join(f"![{path.stem}]({_copy(path, folder, place)})" for place, path in enumerate(pictures))
        )
        parts[-1] += "\n"
    if figures:
        parts.append(f"## Figures\n\n{_table(figures)}\n")
    if config["training"]:
        rows = [[name, str(value)] for name, value in config["training"].items()]
        parts.append(f"## Training\n\n{as_text(['option', 'value'], rows)}\n")
    write_text(folder / CARD_FILE, "\n".join(parts))


def _network(config: dict[str, Any], folder: Path) -> str:
    described = config["architecture"]
    size = (folder / MODEL_FILE).stat().st_size / 1e6
    return f"{described['netG']} with --output_mode {described['output_mode']}, {size:.1f} MB"


def _copy(path: Path, folder: Path, place: int) -> str:
    """Copy a picture; returns the copy's place in `folder`. Where a photo was taken is nobody's business."""
    picture = read_image(path)
    picture.thumbnail((LARGEST, LARGEST))
    name = f"{PICTURES}/{place + 1}_{path.stem}.jpg".replace(" ", "_")
    write_image(picture.convert("RGB"), folder / name, quality=92)
    return name


def _table(path: Path) -> str:
    """The medians of evaluate.py by method, with their 95% intervals."""
    try:
        read = _of_csv if path.suffix == ".csv" else _of_json
        photos, methods = read(path)
    except FileNotFoundError:
        raise UserError(f"--figures {path}: no such file; evaluate.py writes it") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"--figures {path}: not what evaluate.py writes, figures.json or figures.csv"
        ) from None
    names = [name for name in TITLES if any(name in of_method for of_method in methods.values())]
    rows = [
        [method, *(_cell(of_method.get(name), TITLES[name][1]) for name in names)]
        for method, of_method in methods.items()
    ]
    caption = f"Medians of {photos} photos, with 95% intervals."
    return f"{caption}\n\n{as_text(['method', *(TITLES[name][0] for name in names)], rows)}"


def _of_json(path: Path) -> tuple[int, dict[str, dict[str, Estimate]]]:
    content = json.loads(path.read_text(encoding="utf-8"))
    methods = {}
    for method, known in content["methods"].items():
        medians = {
            name: Estimate(**{bound: _number(value) for bound, value in bounds.items()})
            for name, bounds in known["median"].items()
        }
        # Of all photos together there is one number.
        sets = {name: Estimate(_number(value), math.nan, math.nan) for name, value in known["set"].items()}
        methods[method] = medians | sets
    return content["photos"], methods


def _number(value: float | str | None) -> float:
    """JSON has neither NaN nor infinity: they are null and a word there."""
    return math.nan if value is None else float(value)


def _of_csv(path: Path) -> tuple[int, dict[str, dict[str, Estimate]]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    methods: dict[str, dict[str, Estimate]] = {}
    for method in dict.fromkeys(row["method"] for row in rows):
        of_method = [row for row in rows if row["method"] == method]
        values = {name: [float(row[name]) for row in of_method if row.get(name)] for name in TITLES}
        methods[method] = {name: median_with_interval(known) for name, known in values.items() if known}
    return len({row["photo"] for row in rows}), methods


def _cell(estimate: Estimate | None, digits: int) -> str:
    if estimate is None or math.isnan(estimate.median):
        return ""
    if math.isnan(estimate.low):
        return f"{estimate.median:.{digits}f}"
    return f"{estimate.median:.{digits}f} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"
