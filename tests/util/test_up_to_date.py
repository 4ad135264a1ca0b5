"""What counts as newer than what it was made from: one rule for masks, results, maps, pairs and thumbnails."""

import os

import pytest

from util.files import is_up_to_date


def file_of(path, seconds: float):
    path.touch()
    os.utime(path, ns=(0, int(seconds * 1e9)))
    return path


@pytest.mark.parametrize(
    ("made", "first", "second", "current"),
    [(3, 1, 2, True), (2, 2, 2, True), (2, 1, 2.001, False), (2, 3, 1, False)],
)
def test_not_older_than_any_source(tmp_path, made, first, second, current):
    result = file_of(tmp_path / "result", made)
    sources = [file_of(tmp_path / "photo", first), file_of(tmp_path / "weights", second)]
    assert is_up_to_date(result, *sources) is current


def test_what_is_missing_is_outdated(tmp_path):
    there, missing, dangling = file_of(tmp_path / "there", 1), tmp_path / "missing", tmp_path / "link"
    dangling.symlink_to("nowhere")
    assert is_up_to_date(there)
    assert not is_up_to_date(missing, there)
    assert not is_up_to_date(there, missing)
    assert not is_up_to_date(there, dangling)
