"""Files that are whole or not there: names as long as a disk allows."""

import os

import pytest

from util.files import atomic_path, encoded, write_bytes


@pytest.mark.parametrize("name", ["a" * 251 + ".png", "\u00e9" * 125 + ".tiff", "a" * 255])
def test_the_longest_legal_names_can_be_written(tmp_path, name):
    assert 250 < len(os.fsencode(name)) <= 255
    write_bytes(tmp_path / name, b"whole")
    assert (tmp_path / name).read_bytes() == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_long_names_that_differ_at_their_end_do_not_share_a_temporary_file(tmp_path):
    names = [tmp_path / ("a" * 249 + end + ".png") for end in "xy"]
    with atomic_path(names[0]) as first, atomic_path(names[1]) as second:
        assert first != second
        assert {first.suffix, second.suffix} == {".png"}
        assert first.name.startswith(".")
        first.write_bytes(b"1")
        second.write_bytes(b"2")
    assert [path.read_bytes() for path in names] == [b"1", b"2"]


def test_many_names_are_encoded_as_the_system_does():
    names = ["a.png", "Jos\u00e9/\u4e2d.jpg", os.fsdecode(b"Jos\xe9.jpg"), ""]
    assert list(encoded(names)) == [os.fsencode(name) for name in names]
