"""The tables on top of docs/ablation.md, written from the figures of a run: six rows first, then every method."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from scripts.seen_blur import REAL
from scripts.short_table import Row
from util.measure.distributions import Estimate
from util.measure.keeping import FAILS

NOTHING = "-"
# What is known of a method on a set of photos -> a cell of a table: evaluate.py's figures of each of its seeds.
Cell = Callable[[Sequence[dict]], str]


@dataclass(frozen=True)
class Column:
    """A column of figures of one set of photos.

    Attributes:
        title: with an arrow to what is better.
        measured: the set's name.
        cell: what it shows.
    """

    title: str
    measured: str
    cell: Cell


def estimate(found: dict, name: str) -> Estimate:
    """A median with its interval; JSON has no infinity, the file says "Infinity" where nothing was changed."""
    bounds = found["median"].get(name)
    if bounds is None or bounds["median"] is None:
        return Estimate(np.nan, np.nan, np.nan)
    return Estimate(*(float(bounds[bound]) for bound in ("median", "low", "high")))


def share_failing(found: dict, name: str) -> Estimate:
    """The share of photos above a figure's first limit, with Wilson's (1927) 95% interval."""
    counted = found["failures"][name]
    if not counted["photos"]:
        return Estimate(np.nan, np.nan, np.nan)
    share = binomtest(counted[f"above_{FAILS[name][0]:g}"], counted["photos"])
    interval = share.proportion_ci(0.95, "wilson")
    return Estimate(share.statistic, interval.low, interval.high)


def of_seeds(estimates: Sequence[Estimate]) -> Estimate:
    """The middle one of some seeds, and the interval that holds all of theirs."""
    low, high = min(x.low for x in estimates), max(x.high for x in estimates)
    return Estimate(float(np.median([x.median for x in estimates])), low, high)


def number(value: float, decimals: int) -> str:
    """A figure; `exact` where nothing was changed, `-` where nothing is known."""
    if np.isnan(value):
        return NOTHING
    return "exact" if np.isinf(value) else f"{value:.{decimals}f}"


def as_cell(found: Estimate, decimals: int, unit: str = "") -> str:
    """`median [low, high]`."""
    if np.isnan(found.median):
        return NOTHING
    bounds = f"{number(found.low, decimals)}, {number(found.high, decimals)}"
    return f"{number(found.median, decimals)}{unit} [{bounds}]"


def together(name: str, decimals: int) -> Cell:
    """A median of all seeds together, with its interval."""
    return lambda seeds: as_cell(of_seeds([estimate(found, name) for found in seeds]), decimals)


def failing_together(name: str) -> Cell:
    """How many per cent of the photos fail, of all seeds together."""

    def cell(seeds: Sequence[dict]) -> str:
        found = of_seeds([share_failing(found, name) for found in seeds])
        return as_cell(Estimate(100 * found.median, 100 * found.low, 100 * found.high), 0, "%")

    return cell


def each(name: str, decimals: int) -> Cell:
    """Each seed's median and its interval."""
    return lambda seeds: apart([as_cell(estimate(found, name), decimals) for found in seeds])


def each_of_set(name: str, decimals: int) -> Cell:
    """Each seed's figure of the set as a whole."""
    return lambda seeds: apart([number(float(found["set"].get(name, np.nan)), decimals) for found in seeds])


def each_failing(name: str) -> Cell:
    """How many photos fail with each seed, slightly and badly, of those that the figure tells about."""

    def of_seed(found: dict) -> str:
        counted = found["failures"][name]
        numbers = ", ".join(str(counted[f"above_{limit:g}"]) for limit in FAILS[name])
        return f"{numbers} of {counted['photos']}"

    return lambda seeds: apart([of_seed(found) for found in seeds])


def apart(cells: Sequence[str]) -> str:
    """The seeds' cells, told apart by a slash."""
    return NOTHING if all(cell == NOTHING for cell in cells) else " / ".join(cells)


# What people ask of a result, in the order in which they see it.
SHORT = (
    Column("photos with a blurred person ↓", "photos", failing_together("subject_blurred")),
    Column("photos with a sharp background ↓", "photos", failing_together("background_sharp")),
    Column("scenes: like a lens, dB ↑", "lab", together("psnr", 1)),
    Column("scenes: the person's edge, dB ↑", "lab", together("psnr_edge", 1)),
    Column("pairs: like a lens, dB ↑", "pairs", together("psnr", 1)),
    Column("portraits: person kept, dB ↑", "published", together("subject_psnr", 1)),
    Column("portraits: background's detail left ↓", "published", together("gradient_left", 2)),
)
LAB = (
    Column("PSNR ↑", "lab", each("psnr", 1)),
    Column("SSIM ↑", "lab", each("ssim", 3)),
    Column("background ↑", "lab", each("psnr_background", 1)),
    Column("edge ↑", "lab", each("psnr_edge", 1)),
    Column("hair ↑", "lab", each("psnr_hair", 1)),
    Column("mask's SAD ↓", "lab", each("alpha_sad", 2)),
    Column("lights' energy error ↓", "lab", each("light_energy", 2)),
    Column("lights' shape ↑", "lab", each("light_shape", 2)),
    Column("grain, 1 is right", "lab", each("grain", 2)),
    Column("focus error, px ↓", "lab", each("focus", 1)),
)
PHOTOS = (
    Column("person blurred ↓", "photos", each_failing("subject_blurred")),
    Column("background sharp ↓", "photos", each_failing("background_sharp")),
    Column("person blurred, twice the blur ↓", "photos_x2", each_failing("subject_blurred")),
    Column("background sharp, twice the blur ↓", "photos_x2", each_failing("background_sharp")),
)
PORTRAITS = tuple(
    Column(f"{title}: {figure}", measured, cell)
    for title, measured in (("published's", "published"), ("held out", "portraits"))
    for figure, cell in (
        ("person, dB ↑", each("subject_psnr", 1)),
        ("detail left ↓", each("gradient_left", 2)),
        ("blur match ↓", each_of_set("blur_match", 2)),
    )
)
BLUR_SEEN = (
    Column("in the background, px", "portraits", each("seen_background", 1)),
    Column("in the person, px ↓", "portraits", each("seen_subject", 2)),
)
PAIRS = (
    Column("PSNR, dB ↑", "pairs", each("psnr", 1)),
    Column("SSIM ↑", "pairs", each("ssim", 3)),
)

# Set -> what its photos are.
SETS = {
    "photos": "real photos of 480 to 1,800 pixels, none of which ours were trained on",
    "lab": "`test` scenes of the [lab](lab.md)",
    "pairs": "real pairs of a light-field camera",
    "published": "portraits that there are published results of, which ours and the published models learned from",
    "portraits": "portraits that ours did not learn from",
}
SHORT_NOTES = (
    "- **Photos**: how many per cent show a person of whom more than 3% lost detail, and a background of which more "
    "than 10% stayed sharp. They are judged where RVM's matte agrees with another one, so that what is told RVM's "
    "matte can hardly fail. A wall close behind somebody, which a lens leaves sharp too, counts as background.",
    "- **Scenes** and **pairs**: how near a result comes to what a lens made of the same view.",
    "- **Portraits**: what a method does to the person, and how much of the background's detail it leaves. Published "
    "results are there of portraits alone.",
    "- Brackets hold 95% intervals. Of several seeds the median counts, and the interval holds all of theirs.",
)
DETAIL_NOTE = (
    "Strength is the radius of the blur in pixels of a photo of 256 pixels (ours: that of what is "
    "farthest, 4 times the aperture); it was chosen on the lab's `val` scenes, once for each "
    "method. Seeds are told apart by a slash. What the figures mean: [lab.md](lab.md), [measuring.md](measuring.md)."
)


def section(rows: Sequence[Row]) -> list[str]:
    """The lines of the page."""
    counts = {measured: photos_of(rows, measured) for measured in SETS}
    return [
        "## In short",
        "",
        *markdown(
            ["method", *(column.title for column in SHORT)],
            [[title_of(row), *cells(row, SHORT)] for row in rows if row.method.in_short],
        ),
        "",
        *SHORT_NOTES,
        "",
        "; ".join(f"{count} {SETS[measured]}" for measured, count in counts.items() if count) + ".",
        "",
        "## Every method",
        "",
        DETAIL_NOTE,
        "",
        *details("Scenes of the lab", LAB, rows, with_strength=True),
        *details("Real photos: how many fail, slightly and badly", PHOTOS, rows),
        *details("Portraits of 256 pixels", PORTRAITS, rows),
        *details(f"Blur that a network sees in portraits held out{real_photos(rows)}", BLUR_SEEN, rows),
        *details("Pairs, the best strength of each photo", PAIRS, rows),
    ]


def photos_of(rows: Sequence[Row], measured: str) -> int:
    """On how many photos methods were measured on a set; 0 if it was not given."""
    return max((figures["photos"] for row in rows for figures in row.found.get(measured, ())), default=0)


def real_photos(rows: Sequence[Row]) -> str:
    """What the network sees in real photos of the other domain, as words of a title."""
    for figures in (found for row in rows for found in row.found.get("portraits", ())):
        if REAL in figures["methods"]:
            seen = [
                estimate(figures["methods"][REAL], f"seen_{place}") for place in ("background", "subject")
            ]
            return f"; in real photos of domain B {as_cell(seen[0], 1)} and {as_cell(seen[1], 2)}"
    return ""


def title_of(row: Row) -> str:
    """The method, and of how many seeds there are figures."""
    seeds = max(map(len, row.found.values()), default=1)
    return f"{row.method.title}, {seeds} seeds" if seeds > 1 else row.method.title


def cells(row: Row, columns: Sequence[Column]) -> list[str]:
    """A row's cells: each of its entries' files holds the figures of one method."""
    found = {
        measured: [next(iter(figures["methods"].values())) for figures in of_entries]
        for measured, of_entries in row.found.items()
    }
    return [
        column.cell(found[column.measured]) if column.measured in found else NOTHING for column in columns
    ]


def details(
    title: str, columns: Sequence[Column], rows: Sequence[Row], with_strength: bool = False
) -> list[str]:
    """A titled table of the methods that have any of these figures; no lines if none has."""
    lines = []
    for row in rows:
        figures = cells(row, columns)
        if any(figure != NOTHING for figure in figures):
            strength = [NOTHING if row.radius is None else f"{row.radius:g}"] if with_strength else []
            lines.append([title_of(row), *strength, *figures])
    if not lines:
        return []
    headers = ["method", *(["strength"] if with_strength else []), *(column.title for column in columns)]
    return [f"### {title}", "", *markdown(headers, lines), ""]


def markdown(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table's lines."""
    return [
        f"| {' | '.join(headers)} |",
        "|---" * len(headers) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
