"""Lists of photos to download."""

import pytest

from datasets.photo_list import WebPhoto, file_names, read_links
from util.errors import UserError


def test_names_are_safe_and_unique():
    photos = [
        WebPhoto("1/../x", "https://a/1.JPEG"),
        WebPhoto("1", "https://a/1.jpg?x=.png"),
        WebPhoto("1", "https://b/1.jpg"),
        WebPhoto("2", "https://b/2.php"),
    ]
    names = file_names(photos, "a")
    assert names[:2] == ["a1____x.jpeg", "a1.jpg"] and names[3] == "a2.jpg"
    assert len(set(names)) == 4 and names[2].startswith("a1-")


def test_damaged_lists_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("# {broken\nid,url\n")
    with pytest.raises(UserError, match="its first line is damaged"):
        read_links(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="can't be read"):
        read_links(tmp_path / "b.csv")
