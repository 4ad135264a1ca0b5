"""What a run leaves in its folder."""

from unittest.mock import Mock

import numpy as np
import pytest
import torch
from PIL import Image

import util.visualizer
from util.options import Options
from util.visualizer import Visualizer


def options(folder, **changes):
    values = {
        "checkpoints_dir": str(folder),
        "name": "run",
        "no_html": False,
        "display_id": 0,
        "display_ncols": 4,
        "display_winsize": 256,
        "logger": [],
        **changes,
    }
    return Options(**values)


def visuals(value):
    return {"real_A": torch.full((2, 3, 8, 12), value), "mask_A": torch.ones(2, 1, 8, 12)}


def test_sample_page_keeps_one_row_per_epoch_newest_first(tmp_path):
    first = Visualizer(options(tmp_path))
    for epoch in (1, 2, 3):
        first.display_current_results(visuals(epoch / 4), epoch, epoch * 100, save_html=True)
    Visualizer(options(tmp_path), 100).display_current_results(visuals(0.0), 2, 200, save_html=True)
    page = (tmp_path / "run/web/index.html").read_text()
    assert 0 < page.index(">epoch 2<") < page.index(">epoch 1<")
    assert ">epoch 3<" not in page  # of the run before the one continued
    stored = np.asarray(Image.open(tmp_path / "run/web/images/epoch002_real_A.png"))
    assert stored.shape == (8, 12, 3)
    assert stored[0, 0, 0] == 128
    assert page.index("epoch002_real_A") < page.index("epoch002_mask_A")  # the model's order


def test_no_page_where_none_is_wanted(tmp_path):
    Visualizer(options(tmp_path), 0).display_current_results(visuals(0.0), 1, 100, save_html=False)
    Visualizer(options(tmp_path, no_html=True)).display_current_results(visuals(0.0), 1, 100, save_html=True)
    assert not (tmp_path / "run/web/index.html").exists()


def test_sample_page_has_a_row_for_each_photo_of_an_epoch(tmp_path):
    both = visuals(0.0) | {"real_B": torch.zeros(1, 3, 8, 12), "fake_A": torch.zeros(1, 3, 8, 12)}
    Visualizer(options(tmp_path)).display_current_results(both, 7, 100, save_html=True)
    page = (tmp_path / "run/web/index.html").read_text()
    places = [
        page.index(text) for text in (">epoch 7, real_A<", "mask_A.png", ">epoch 7, real_B<", "fake_A.png")
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(("display_id", "asked_for"), [(1, True), (2, True), (0, False), (-1, False)])
def test_visdom_is_asked_for_by_a_positive_number_alone(display_id, asked_for, tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(util.visualizer, "start_dashboard", lambda opt, rows: started.append(opt.display_id))
    Visualizer(options(tmp_path, display_id=display_id))
    assert started == ([display_id] if asked_for else [])


def test_all_pictures_of_a_photo_are_in_a_row_unless_a_number_says_otherwise(tmp_path):
    widths = []
    for columns in (-1, 0, 1):
        shown = Visualizer(options(tmp_path, display_ncols=columns))
        shown._loggers = Mock()
        shown.display_current_results(visuals(0.0), 1, 100, save_html=False)
        (sheet, _, _), _ = shown._loggers.show_picture.call_args
        widths.append(sheet.width)
    assert widths[0] == widths[1] > widths[2]


def test_without_visdom_a_line_says_so_and_the_run_is_shown_elsewhere(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(util.visualizer, "find_spec", lambda name: None)
    shown = Visualizer(options(tmp_path, display_id=1))
    shown.display_current_results(visuals(0.0), 1, 100, save_html=True)
    shown.close()
    said = capsys.readouterr().out
    assert "visdom is not installed; run: pip install" in said and "--display_id 0" in said
    assert said.count("\n") == 1
    assert (tmp_path / "run/web/index.html").exists()
