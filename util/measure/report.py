"""What an evaluation leaves: a table, a CSV and a JSON of all figures, a comparison page, a contact sheet."""

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from util.files import write_text
from util.html import ResultPage, link_to_photo
from util.images import read_image, write_image
from util.measure.distributions import Estimate, blur_match_of_halves
from util.measure.evaluation import ComparedPhoto
from util.measure.keeping import FAILS
from util.sheet import contact_sheet

# Names in tables, and decimals; in this order.
TITLES = {
    "subject_psnr": ("subject PSNR, dB", 1),
    "subject_ssim": ("subject SSIM", 3),
    "subject_lpips": ("subject LPIPS", 3),
    "gradient_left": ("gradient left", 2),
    "grid": ("grid", 4),
    "color_error": ("colour error", 4),
    "halo": ("halo", 4),
    "psnr": ("PSNR to truth, dB", 1),
    "ssim": ("SSIM to truth", 3),
    "psnr_background": ("background PSNR", 1),
    "ssim_background": ("background SSIM", 3),
    "psnr_edge": ("edge PSNR", 1),
    "ssim_edge": ("edge SSIM", 3),
    "psnr_hair": ("hair PSNR", 1),
    "ssim_hair": ("hair SSIM", 3),
    "alpha_sad": ("alpha SAD", 2),
    "alpha_sad_hair": ("alpha SAD, hair", 3),
    "alpha_mse": ("alpha MSE", 4),
    "alpha_grad": ("alpha Grad", 2),
    "alpha_conn": ("alpha Conn", 2),
    "light_energy": ("light energy error", 3),
    "light_shape": ("light disc IoU", 2),
    "grain": ("grain", 2),
    "focus": ("focus error, px", 1),
    "blur_radius": ("blur radius, px", 2),
    "seen_background": ("background's radius seen, px", 2),
    "seen_subject": ("subject's radius seen, px", 2),
    "controllability": ("controllability", 3),
    "subject_blurred": ("subject blurred", 3),
    "background_sharp": ("background sharp", 3),
    "blur_match": ("blur match", 2),
    "fid": ("FID", 1),
    "kid": ("KID", 4),
}


@dataclass(frozen=True)
class RealPhotos:
    """What outputs are held against: the real photos' own figures.

    Attributes:
        halves_median, halves_high: blur match of random halves of them, median and 95% quantile.
        gradient_fifth, gradient_median: of their mean background gradients, as `--soft_range` takes them.
    """

    halves_median: float
    halves_high: float
    gradient_fifth: float
    gradient_median: float

    @classmethod
    def of_gradients(cls, gradients: Sequence[float]) -> "RealPhotos":
        """From the mean background gradient of each of them; NaN where there is no background."""
        return cls(*blur_match_of_halves(gradients), *map(float, np.nanquantile(gradients, (0.2, 0.5))))


@dataclass(frozen=True)
class Evaluation:
    """All figures of an evaluation.

    Attributes:
        per_photo: stem -> method -> figure -> value.
        medians: method -> figure -> its median over the photos.
        of_sets: method -> figure of the whole set (`blur_match`, `fid`, `kid`).
        real: what the real photos are by themselves, None where there are none.
    """

    per_photo: dict[str, dict[str, dict[str, float]]]
    medians: dict[str, dict[str, Estimate]]
    of_sets: dict[str, dict[str, float]]
    real: RealPhotos | None


def table(evaluation: Evaluation) -> tuple[list[str], list[list[str]]]:
    """Headers and rows, a row per method: medians with their 95% intervals, and the figures of the sets."""
    known = {name for found in evaluation.medians.values() for name in found}
    known |= {name for found in evaluation.of_sets.values() for name in found}
    names = [name for name in TITLES if name in known]
    rows = []
    for method, medians in evaluation.medians.items():
        cells = [method]
        for name in names:
            if name in FAILS and name in medians:
                cells.append(_failures(failures(evaluation, method, name), TITLES[name][1]))
            elif name in medians:
                cells.append(_estimate(medians[name], TITLES[name][1]))
            else:
                cells.append(_number(evaluation.of_sets[method].get(name, math.nan), TITLES[name][1]))
        rows.append(cells)
    return ["method", *(TITLES[name][0] for name in names)], rows


def failures(evaluation: Evaluation, method: str, name: str) -> dict[str, float]:
    """Of a figure that photos fail by: how many photos it was measured on, its median, its 90% quantile, and how
    many photos are above each of its limits."""
    values = np.array(
        [methods.get(method, {}).get(name, math.nan) for methods in evaluation.per_photo.values()]
    )
    values = values[~np.isnan(values)]
    median, high = np.quantile(values, (0.5, 0.9)) if values.size else (math.nan, math.nan)
    above = {f"above_{limit:g}": int(np.sum(values > limit)) for limit in FAILS[name]}
    return {"photos": values.size, "median": float(median), "quantile_90": float(high), **above}


def failing_most(evaluation: Evaluation, count: int = 12) -> tuple[list[str], list[list[Any]]]:
    """Headers and rows of the photos that fail most, worst first: of each method those above a figure's first limit.

    What counts is how many times the limit a figure is. The photo's cell is a link to it on the page.
    """
    found = [
        (value / FAILS[name][0], stem, method, name, value)
        for stem, methods in evaluation.per_photo.items()
        for method, figures in methods.items()
        for name in FAILS
        if (value := figures.get(name, math.nan)) > FAILS[name][0]
    ]
    rows = [
        [link_to_photo(stem), method, TITLES[name][0], f"{value:.0%}"]
        for _, stem, method, name, value in sorted(found, reverse=True)[:count]
    ]
    return ["photo", "method", "figure", "share"], rows


def real_photos_line(evaluation: Evaluation) -> str:
    """What to hold figures against, in two sentences; empty without real photos."""
    real = evaluation.real
    if real is None:
        return ""
    halves = (
        "Too few real photos to compare random halves of them"
        if math.isnan(real.halves_median)
        else f"Blur match of random halves of the real photos: median {real.halves_median:.2f}, 95% below "
        f"{real.halves_high:.2f}"
    )
    return (
        f"{halves}. Gradient of their backgrounds: lower fifth {real.gradient_fifth:.3g}, median "
        f"{real.gradient_median:.3g}."
    )


def as_text(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The table in Markdown, padded to be read in a terminal."""
    widths = [max(len(row[column]) for row in (headers, *rows)) for column in range(len(headers))]
    lines = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in (headers, *rows)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_files(evaluation: Evaluation, folder: Path) -> None:
    """Write `figures.csv` (a row per photo and method) and `figures.json` (medians, intervals, sets)."""
    rows = [
        {"photo": stem, "method": method, **figures}
        for stem, methods in evaluation.per_photo.items()
        for method, figures in methods.items()
    ]
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows(rows)
    write_text(folder / "figures.csv", buffer.getvalue())
    methods = {
        method: {
            "median": {name: asdict(estimate) for name, estimate in medians.items()},
            "set": evaluation.of_sets[method],
            "failures": {name: failures(evaluation, method, name) for name in FAILS if name in medians},
        }
        for method, medians in evaluation.medians.items()
    }
    content = {"photos": len(evaluation.per_photo), "methods": methods}
    if evaluation.real:
        content["real_photos"] = asdict(evaluation.real)
    write_text(folder / "figures.json", json.dumps(_plain(content), indent=2, allow_nan=False))


def write_page(evaluation: Evaluation, photos: Sequence[ComparedPhoto], folder: Path, title: str) -> Path:
    """Write the comparison page: a table on top, rows photos, columns methods, figures beneath.

    The pictures that `photos` name must lie in `folder`.
    """
    page = ResultPage(folder, title)
    caption = f"Medians of {len(photos)} photos [95% interval]. {real_photos_line(evaluation)}"
    headers, rows = table(evaluation)
    page.add_table(caption, headers, [[_broken(cell) for cell in row] for row in rows])
    headers, rows = failing_most(evaluation)
    if rows:
        page.add_table("Photos that fail most", headers, rows)
    for photo in photos:
        images = {method: path.relative_to(folder).as_posix() for method, path in photo.outputs.items()}
        shown = {method: titled(figures) for method, figures in evaluation.per_photo[photo.stem].items()}
        page.add(photo.stem, images, column_figures=shown)
    return page.save()


def write_grid(photos: Sequence[ComparedPhoto], path: Path) -> None:
    """Write a contact sheet: a row per photo, a titled column per method."""
    methods = list(photos[0].outputs)
    pictures = [read_image(photo.outputs[method]) for photo in photos for method in methods]
    write_image(contact_sheet(pictures, len(methods), methods), path)


def titled(figures: dict[str, float]) -> dict[str, float]:
    """Figures of one photo by the names that people read."""
    return {TITLES[name][0]: value for name, value in figures.items() if name in TITLES}


def _number(value: float, decimals: int) -> str:
    if math.isnan(value):
        return "-"
    return "exact" if math.isinf(value) else f"{value:.{decimals}f}"


def _estimate(estimate: Estimate, decimals: int) -> str:
    median, low, high = (_number(value, decimals) for value in (estimate.median, estimate.low, estimate.high))
    return f"{median} [{low}, {high}]" if not median == low == high else median


def _failures(found: dict[str, float], decimals: int) -> str:
    """Median, 90% quantile and the numbers of photos above the limits, in a cell."""
    counts = ", ".join(
        f"{number} > {float(name.removeprefix('above_')):.0%}"
        for name, number in found.items()
        if name.startswith("above_")
    )
    median, high = (_number(found[name], decimals) for name in ("median", "quantile_90"))
    return f"{median} [90% below {high}]; {counts}"


def _broken(cell: str) -> str:
    """The cell in lines: an estimate, its interval, what photos fail."""
    return cell.replace(" [", "\n[").replace("; ", "\n")


def _plain(content: object) -> object:
    """`content` with NaN as null and infinite values as "Infinity", which JSON has no numbers for."""
    if isinstance(content, dict):
        return {key: _plain(value) for key, value in content.items()}
    if isinstance(content, float) and not math.isfinite(content):
        return None if math.isnan(content) else "Infinity"
    return content
