"""The fetcher of public sets against a server on this machine."""

import io
import zipfile

import pytest
from PIL import Image

from datasets import download_cyclegan
from datasets.download_cyclegan import main
from tests.local_server import Reply, local_server


def picture(shade):
    buffer = io.BytesIO()
    Image.new("RGB", (4, 3), (shade, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return buffer.getvalue()


SET = {
    "horse2zebra/": b"",
    "horse2zebra/trainA/1.png": picture(1),
    "horse2zebra/trainB/1.png": picture(2),
    "horse2zebra/testA/2.png": picture(3),
    "horse2zebra/.DS_Store": b"no photo",
}


def serve(content, monkeypatch):
    def answer(request):
        start = int(request.headers.get("range", "bytes=0-")[6:-1])
        headers = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        return Reply(content[start:], 206 if start else 200, headers, cut=None if start else 100)

    monkeypatch.setattr("util.download.random.uniform", lambda *_: 0)  # no waiting
    return local_server(answer)


def test_a_set_is_fetched_over_a_cut_and_unpacked_once(tmp_path, monkeypatch, capsys):
    with serve(zipped(SET), monkeypatch) as server:
        monkeypatch.setattr(download_cyclegan, "URL", server.url + "/sets/")
        for _ in range(2):
            main(["horse2zebra", "--output", str(tmp_path)])
    assert server.paths() == ["/sets/horse2zebra.zip"] * 2  # cut off, then the rest; not again
    assert server.requests[1].headers["range"] == "bytes=100-"
    files = {
        str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()
    }
    assert files == {member: content for member, content in SET.items() if member.endswith(".png")}
    assert "1 in testA, 1 in trainA, 1 in trainB photos" in capsys.readouterr().out


def link(target):
    info = zipfile.ZipInfo("horse2zebra/trainA")
    info.external_attr = 0o120777 << 16
    return info


@pytest.mark.parametrize(
    "member", ["../outside.png", "horse2zebra/../../outside.png", "/outside.png", "C:/x.png", link]
)
def test_members_outside_the_folder_are_refused(tmp_path, monkeypatch, capsys, member):
    hostile = {**SET, (member if isinstance(member, str) else member("/etc")): picture(9)}
    folder = tmp_path / "sets"
    with serve(zipped(hostile), monkeypatch) as server:
        monkeypatch.setattr(download_cyclegan, "URL", server.url + "/")
        with pytest.raises(SystemExit):
            main(["horse2zebra", "--output", str(folder)])
    assert "would lie outside the set's folder" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["horse2zebra.zip", "sets"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>" + bytes(200), "what came is damaged (not a whole zip file)"),
        (zipped(SET).replace(picture(3), picture(4)), "damaged (Bad CRC-32"),
        (zipped({"horse2zebra/readme.txt": b"x" * 200}), "holds no images"),
    ],
)
def test_damaged_archives_leave_no_set(tmp_path, monkeypatch, capsys, content, message):
    with serve(content, monkeypatch) as server:
        monkeypatch.setattr(download_cyclegan, "URL", server.url + "/")
        with pytest.raises(SystemExit):
            main(["horse2zebra", "--output", str(tmp_path)])
    assert message in capsys.readouterr().err
    assert not (tmp_path / "horse2zebra").exists()


def test_names_are_listed_and_unknown_ones_refused(capsys):
    main(["--list"])
    assert "iphone2dslr_flower" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["horse2cow"])
    assert "horse2cow: choose one of" in capsys.readouterr().err
