"""The camera's figures: the truth gets the ideal ones, what keeps the photo as it is the worst."""

import math

import numpy as np
import pytest
import torch

from datasets.make_lab import main as make_lab
from scripts import measure_camera
from scripts.measure_camera import MARKS, main, measure, one_disc, tensor, three_discs
from util.errors import UserError
from util.images import read_image, read_pixels
from util.marked import write_between
from util.measure.lab import read_truth
from util.optics.blur import render


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A scene with two lights that are seen whole and alone."""
    root = tmp_path_factory.mktemp("lab")
    flags = ("--size", "128", "--n_val", "0", "--n_test", "1", "--seed", "2", "--num_workers", "0")
    make_lab(["--dataroot", str(root), *flags])
    return root


def test_the_truth_is_ideal_and_the_photo_is_not(lab, monkeypatch):
    """Stand-ins for methods: one looks the truth up, by the radii that it is given, one does nothing."""
    truths = {lens: read_truth(lab, "test_000", lens) for lens in ("wide", "far")}

    def cheat(photo, alpha, radius):
        # The point in focus is a part of the backdrop or of the subject.
        lens = "wide" if float(radius[0, 0][truths["wide"].alpha > 0.9].abs().max()) < 0.5 else "far"
        return tensor(truths[lens].photo)

    monkeypatch.setattr(
        measure_camera, "methods", lambda: {"truth": cheat, "photo": lambda photo, alpha, radius: photo}
    )
    found = measure(lab, "test", None)
    truth, photo = ({name: values[0] for name, values in found[row].items()} for row in ("truth", "photo"))
    assert truth["psnr"] == math.inf and truth["light_shape"] == 1 and truth["light_energy"] == 0
    assert truth["light_told"] < 0.02
    assert {value for value in found["truth"]["focus"] if not math.isnan(value)} <= {1.0}
    assert photo["psnr"] < 30 and photo["light_shape"] < 0.5 and photo["control"] < 1e-6
    assert 0.0 in found["photo"]["focus"]


def test_the_camera_keeps_the_light_that_a_photo_tells(lab, tmp_path, capsys):
    """The whole program: its table has a row for each method, and stands between the marks, other text untouched."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{MARKS[0]}\nold\n{MARKS[1]}\nafter\n")
    main(["--dataroot", str(lab), "--write", str(page)])
    text = page.read_text()
    assert text.startswith(f"before\n{MARKS[0]}\n1 scenes (`make_lab.py --seed 2`, test)")
    assert text.endswith(f"{MARKS[1]}\nafter\n") and "\nold\n" not in text and text.count("|---") == 10
    rows = {line.split("|")[1].strip(): line.split("|")[2:] for line in text.splitlines() if "| " in line}
    energy = list(rows[""]).index(" the same, height told ")
    assert float(rows["camera, no grain"][energy]) < 0.05
    assert float(rows["three discs mixed by radius"][energy]) > 0.5
    assert rows["camera"][0] in capsys.readouterr().out


def test_three_discs_are_one_where_there_is_one_radius(lab):
    photo = tensor(np.asarray(read_image(lab / "testA/test_000.png"), np.float32) / 255)
    alpha = tensor((read_pixels(lab / "maskA/test_000.png", 1)[..., 0] >= 128).astype(np.float32))
    radius = -6 * (1 - alpha)
    expected = render(photo, torch.cat([alpha, 1 - alpha], dim=1), [6.0])
    assert torch.allclose(three_discs(photo, alpha, radius), expected, atol=1e-5)
    assert torch.equal(one_disc(photo, alpha, radius), expected)


def test_a_page_without_marks_is_left(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("nothing to replace\n")
    for path in (page, tmp_path / "none.md"):
        with pytest.raises(UserError, match=f"--write {path}: no file with the lines"):
            write_between(path, *MARKS, "table")
    assert page.read_text() == "nothing to replace\n"
    with pytest.raises(SystemExit):
        main(["--dataroot", str(tmp_path)])
