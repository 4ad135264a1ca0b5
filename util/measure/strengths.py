"""Methods that were tried at several strengths: the best for each photo, and whether strength does what it says."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from util.measure.better import CHOSEN_BY
from util.measure.evaluation import ComparedPhoto
from util.measure.radius import controllability

PerPhoto = dict[str, dict[str, dict[str, float]]]
Strengths = Mapping[str, Mapping[float, str]]  # method -> strength -> its title among the outputs


def controllabilities(per_photo: PerPhoto, strengths: Strengths) -> dict[str, float]:
    """Method -> median over the photos of the correlation of strength and measured radius.

    Methods with fewer than three strengths, or measured without masks, are left out.
    """
    found = {}
    for name, titles in strengths.items():
        if len(titles) < 3:
            continue
        of_photos = [
            controllability(
                list(titles), [methods[title].get("blur_radius", np.nan) for title in titles.values()]
            )
            for methods in per_photo.values()
        ]
        if not np.all(np.isnan(of_photos)):
            found[name] = float(np.nanmedian(of_photos))
    return found


def best_of(
    per_photo: PerPhoto, photos: list[ComparedPhoto], strengths: Strengths, figure: str
) -> tuple[PerPhoto, list[ComparedPhoto]]:
    """Each method with several strengths as one, which has the figures and the picture of the best for each photo.

    Where the figure is NaN at all strengths, the first counts.
    """
    several = {name: list(titles.values()) for name, titles in strengths.items() if len(titles) > 1}
    replaced = {title for titles in several.values() for title in titles}
    merged_figures, merged_photos = {}, []
    for photo in photos:
        methods = per_photo[photo.stem]
        chosen = {title: title for title in methods if title not in replaced}
        for name, titles in several.items():
            chosen[name] = _best(
                titles, [methods[title].get(figure, float("nan")) for title in titles], figure
            )
        merged_figures[photo.stem] = {name: methods[title] for name, title in chosen.items()}
        outputs = {name: photo.outputs[title] for name, title in chosen.items()}
        merged_photos.append(replace(photo, outputs=outputs))
    return merged_figures, merged_photos


def _best(titles: list[str], values: list[float], figure: str) -> str:
    signed = CHOSEN_BY[figure] * np.array(values)
    return titles[0] if np.isnan(signed).all() else titles[int(np.nanargmax(signed))]
