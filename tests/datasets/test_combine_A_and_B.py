"""Pairs of photos side by side: pixels, names, what is refused and what is skipped."""

import os
from pathlib import Path

import numpy as np
import pytest

from datasets.combine_A_and_B import main
from util.images import read_pixels, write_pixels

RED, BLUE = (np.tile(np.array(colour, np.uint8), (6, 8, 1)) for colour in ((255, 0, 0), (0, 0, 255)))


def put(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_pixels(pixels, path)


def combine(folder: Path, *flags: str) -> None:
    folds = ("--fold_A", str(folder / "A"), "--fold_B", str(folder / "B"), "--fold_AB", str(folder / "AB"))
    main([*folds, "--num_threads", "0", *flags])


def refused(capsys: pytest.CaptureFixture, folder: Path, *flags: str) -> str:
    with pytest.raises(SystemExit) as end:
        combine(folder, *flags)
    assert end.value.code == 2
    return capsys.readouterr().err


def test_pairs_keep_subfolders_and_pixels(tmp_path):
    for name in ("train/1.png", "test/2.bmp"):
        put(tmp_path / "A" / name, RED)
        put(tmp_path / "B" / Path(name).with_suffix(".png"), BLUE)
    combine(tmp_path)
    for name in ("train/1.png", "test/2.png"):
        assert (read_pixels(tmp_path / "AB" / name) == np.concatenate([RED, BLUE], axis=1)).all()


def test_names_that_end_in_the_domain(tmp_path):
    put(tmp_path / "A" / "1_A.png", RED)
    put(tmp_path / "B" / "1_B.png", BLUE)
    combine(tmp_path, "--use_AB")
    assert [path.name for path in (tmp_path / "AB").iterdir()] == ["1_AB.png"]


def test_the_deeper_half_gives_the_depth(tmp_path):
    deep = np.arange(6 * 8 * 3, dtype=np.uint16).reshape(6, 8, 3) * 400
    put(tmp_path / "A" / "1.png", deep)
    put(tmp_path / "B" / "1.png", BLUE)
    combine(tmp_path)
    pair = read_pixels(tmp_path / "AB" / "1.png")
    assert pair.dtype == np.uint16 and (pair[:, :8] == deep).all() and (pair[:, 8:] == BLUE * 257.0).all()


def test_pairs_up_to_date_stay(tmp_path, capsys):
    for number in range(3):
        put(tmp_path / "A" / f"{number}.png", RED)
        put(tmp_path / "B" / f"{number}.png", BLUE)
    combine(tmp_path, "--num_imgs", "2")
    assert sorted(path.name for path in (tmp_path / "AB").iterdir()) == ["0.png", "1.png"]
    put(tmp_path / "A" / "0.png", BLUE)
    later = (tmp_path / "AB" / "0.png").stat().st_mtime + 10
    os.utime(tmp_path / "A" / "0.png", (later, later))
    kept = (tmp_path / "AB" / "1.png").stat().st_mtime_ns
    combine(tmp_path)
    assert "3 pairs, 1 of them there already" in capsys.readouterr().out
    assert (tmp_path / "AB" / "1.png").stat().st_mtime_ns == kept
    assert (read_pixels(tmp_path / "AB" / "0.png")[:, :8] == BLUE).all()


def test_photos_without_partner_and_of_other_size_are_refused(tmp_path, capsys):
    put(tmp_path / "A" / "1.png", RED)
    put(tmp_path / "B" / "1.png", BLUE[:4])
    assert "1 pairs differ in size" in refused(capsys, tmp_path)
    put(tmp_path / "B" / "2.png", BLUE)
    message = refused(capsys, tmp_path)
    assert "1 photos have no partner" in message and str(tmp_path / "B" / "2.png") in message
    put(tmp_path / "A" / "1.bmp", RED)
    assert "differs by the suffix alone" in refused(capsys, tmp_path)
    assert not (tmp_path / "AB").exists()


def test_pairs_never_take_the_place_of_photos(tmp_path, capsys):
    for name, pixels in (("A", RED), ("B", BLUE)):
        put(tmp_path / name / "1.png", pixels)
    os.utime(tmp_path / "A" / "1.png", (0, 0))  # older than its partner: a pair there would count as outdated
    for target in ("A", "B/pairs"):
        assert "choose a folder outside" in refused(capsys, tmp_path, "--fold_AB", str(tmp_path / target))
    assert (read_pixels(tmp_path / "A" / "1.png") == RED).all()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--use_AB",), "no photos in there whose names end in _A"),
        (("--num_threads", "-1"), "--num_threads -1: must be at least 0"),
        (("--num_imgs", "-1"), "--num_imgs -1: must be at least 1"),
    ],
)
def test_wrong_command_lines_end_in_one_line(tmp_path, capsys, flags, message):
    put(tmp_path / "A" / "1.png", RED)
    put(tmp_path / "B" / "1.png", BLUE)
    error = refused(capsys, tmp_path, *flags)
    assert message in error and error.count("\n") == 1
