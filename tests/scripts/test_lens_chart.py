"""The chart shows the aperture that was asked for."""

import numpy as np
import pytest

from scripts.lens_chart import CELL, COLUMNS, RADIUS, main
from util.images import read_image


def test_chart_shows_pentagons_turned_before_the_focus(tmp_path):
    main([str(tmp_path / "chart.png"), "--blades", "5"])
    chart = np.asarray(read_image(tmp_path / "chart.png"))[..., 0]
    disc = chart[:CELL, :CELL] > 127
    assert disc.sum() == pytest.approx(5 / 2 * np.sin(2 * np.pi / 5) * RADIUS**2, rel=0.02)
    turned = chart[:CELL, COLUMNS * CELL : (COLUMNS + 1) * CELL] > 127
    rows = [np.flatnonzero(shape.any(axis=1)) for shape in (disc, turned)]
    # A corner is one pixel wide, an edge many: the corner points up, then down.
    assert disc[rows[0][0]].sum() < 8 < disc[rows[0][-1]].sum()
    assert turned[rows[1][-1]].sum() < 8 < turned[rows[1][0]].sum()
