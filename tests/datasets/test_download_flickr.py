"""The Flickr tool against a server on this machine with Flickr's manners, good and bad."""

import csv
import hashlib
import io
import json
from functools import partial

import pytest
from PIL import Image

from datasets import download_flickr, flickr_api
from datasets.download_flickr import main
from datasets.photo_list import Manifest, WebPhoto, read_links, write_links
from tests.hard_photos import scene, write_bad_photos, write_good_photos
from tests.local_server import LocalServer, Reply, Request, local_server
from util.download import Fetcher

KEY = "0123456789abcdef-secret"
PAGE = b"<!DOCTYPE html><html><body>Oops</body></html>"


def jpeg(seed: int) -> bytes:
    file = io.BytesIO()
    scene(32, 24, seed=seed).save(file, "JPEG")
    return file.getvalue()


class Flickr:
    """23 photos, newest first, at most 8 per query, 3 a page; photo 5 is gone and photo 7 has no large size."""

    def __init__(self) -> None:
        self.url = ""
        self.photos = {f"{100 + i}": jpeg(i) for i in range(23)}
        self.faults: dict[str, list[Reply]] = {}  # by path, served first

    def answer(self, request: Request) -> Reply:
        if self.faults.get(request.path):
            return self.faults[request.path].pop(0)
        if request.path == "/rest/":
            return Reply(json.dumps(self.search(request.form)).encode())
        body = self.photos.get(request.path.removeprefix("/photos/").removesuffix("_h.jpg"))
        return Reply(body) if body else Reply(PAGE, status=404)

    def search(self, form: dict[str, str]) -> dict:
        if form["api_key"] != KEY:
            return {"stat": "fail", "code": 100, "message": "Invalid API Key (Key has invalid format)"}
        newest = int(form.get("max_upload_date", 1000))
        found = [i for i in range(23) if 1000 - i <= newest][:8]
        page = int(form["page"])
        items = found[3 * page - 3 : 3 * page]
        if page > 1:
            items.insert(0, found[3 * page - 4])  # the last photo of the page before, once more
        return {
            "stat": "ok",
            "photos": {"pages": -(-len(found) // 3), "photo": [self.item(i) for i in items]},
        }

    def item(self, i: int) -> dict:
        item = {"id": f"{100 + i}", "ownername": f"owner {i}", "license": "4", "dateupload": str(1000 - i)}
        item["title"] = f'A "title", with\na break {i}'
        return item | ({} if i == 7 else {"url_h": f"{self.url}/photos/{100 + i}_h.jpg"})


@pytest.fixture
def flickr(monkeypatch):
    flickr = Flickr()
    monkeypatch.setattr(flickr_api, "PER_PAGE", 3)
    monkeypatch.setattr(flickr_api, "PER_QUERY", 9)
    monkeypatch.setattr(download_flickr, "Fetcher", partial(Fetcher, backoff=0.01, timeout=5))
    monkeypatch.setenv("FLICKR_API_KEY", KEY)
    with local_server(flickr.answer) as server:
        flickr.url = server.url
        flickr.server = server
        monkeypatch.setattr(flickr_api, "ENDPOINT", server.url + "/rest/")
        yield flickr


def photo_requests(server: LocalServer) -> list[str]:
    return [path for path in server.paths() if path.startswith("/photos/")]


def test_everything_is_downloaded_once_through_all_faults(flickr, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(download_flickr, "Fetcher", partial(Fetcher, backoff=0.01, timeout=0.5))
    flickr.photos["105"] = None
    whole = flickr.photos["103"]
    flickr.faults = {
        "/rest/": [Reply(status=429, headers={"Retry-After": "0"}), Reply(PAGE), Reply(status=502)],
        "/photos/101_h.jpg": [Reply(status=429, headers={"Retry-After": "1"})],
        "/photos/102_h.jpg": [Reply(flickr.photos["102"], delay=1)],
        "/photos/103_h.jpg": [
            Reply(whole, cut=len(whole) // 2),
            Reply(whole[: len(whole) // 2], length=False),
        ],
        "/photos/104_h.jpg": [Reply(PAGE), Reply(b"")],
    }
    words = ["--text", "portrait", "--camera", "apple/iphone_7", "--output", str(tmp_path), "--prefix", "a"]
    main([*words, "--rate", "1000"])
    out, err = capsys.readouterr()
    assert "22 photos found" in out
    assert "21 downloaded, 0 there already, 1 failed" in out
    assert "failed: 105: 127.0.0.1: status 404 for /photos/105_h.jpg" in out
    assert KEY not in out + err

    expected = {f"a{key}.jpg": body for key, body in flickr.photos.items() if key not in ("105", "107")}
    there = {path.name: path.read_bytes() for path in tmp_path.glob("*.jpg")}
    assert there == expected
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*expected, "links.csv", "manifest.csv"])
    counts = {path: photo_requests(flickr.server).count(path) for path in photo_requests(flickr.server)}
    assert counts.pop("/photos/103_h.jpg") == counts.pop("/photos/104_h.jpg") == 3
    assert counts.pop("/photos/101_h.jpg") == 2
    assert counts.pop("/photos/102_h.jpg") >= 2
    assert set(counts.values()) == {1} and "/photos/107_h.jpg" not in counts

    with (tmp_path / "manifest.csv").open(newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    assert {name: row["sha256"] for name, row in rows.items()} == {
        name: hashlib.sha256(body).hexdigest() for name, body in expected.items()
    }
    row = rows["a112.jpg"]
    assert (row["id"], row["owner"], row["licence"], row["camera"], row["title"]) == (
        *("112", "owner 12", "CC BY 2.0", "apple/iphone_7", 'A "title", with\na break 12'),
    )
    assert all(KEY not in path.read_text(errors="ignore") for path in tmp_path.iterdir())
    assert all(KEY not in path for path in flickr.server.paths())


def test_second_run_downloads_nothing_and_a_lost_file_comes_back(flickr, tmp_path, capsys):
    words = ["--text", "portrait", "--n", "6", "--output", str(tmp_path), "--rate", "1000"]
    main(words)
    assert len(list(tmp_path.glob("*.jpg"))) == 6
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.jpg")}
    flickr.server.requests.clear()
    main(words)
    assert flickr.server.requests == []
    assert "0 downloaded, 6 there already, 0 failed" in capsys.readouterr().out
    (tmp_path / "102.jpg").unlink()
    (tmp_path / ".103.77.tmp.jpg").write_bytes(b"half")  # of a run that was killed
    main(words)
    assert flickr.server.paths() == ["/photos/102_h.jpg"]
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.jpg")}
    assert before.keys() == after.keys() and not list(tmp_path.glob(".*"))


def test_a_last_page_that_flickr_filtered_empty_does_not_end_the_search(flickr, tmp_path):
    """Of every query's third page nothing is left; the search goes on from the oldest photo seen before it."""
    search = flickr.search

    def filtered(form: dict) -> dict:
        answer = search(form)
        if form["page"] == "3":
            answer["photos"] |= {"photo": [], "pages": 5}
        return answer

    flickr.search = filtered
    main(["--text", "x", "--links", str(tmp_path / "x.csv"), "--rate", "1000"])
    ids = [photo.id for photo in read_links(tmp_path / "x.csv")[0]]
    assert ids == [f"{100 + i}" for i in range(23) if i != 7]


def test_odd_answers_are_asked_for_again_or_cleaned(flickr, tmp_path):
    """An answer without its number of pages; a title that ends in half an emoji."""
    flickr.faults["/rest/"] = [Reply(b'{"stat": "ok", "photos": {"photo": []}}')]
    item = flickr.item
    flickr.item = lambda i: item(i) | {"title": "smile \ud83d"}
    main(["--text", "x", "--n", "1", "--links", str(tmp_path / "x.csv"), "--rate", "1000"])
    assert [photo.title for photo in read_links(tmp_path / "x.csv")[0]] == ["smile ?"]
    assert len(flickr.server.requests) == 2


def test_form_holds_the_query(flickr, tmp_path):
    words = ["--tags", "a,b", "--tag_mode", "all", "--license", "4,5", "--size", "h", "--n", "2"]
    main([*words, "--links", str(tmp_path / "x.csv")])
    form = flickr.server.requests[0].form
    expected = {"tags": "a,b", "tag_mode": "all", "license": "4,5", "per_page": "3", "page": "1"}
    assert expected.items() <= form.items()
    assert "text" not in form and "camera" not in form
    assert "url_h" in form["extras"].split(",")
    assert photo_requests(flickr.server) == []


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("selfie", {"text": "portrait", "camera": "apple/iphone_7"}),
        (
            "bokeh",
            {"text": "portrait bokeh -blackandwhite -BW -monochrome -animal -cat -dog -bird -flower"},
        ),
    ],
)
def test_presets_are_the_published_queries(flickr, tmp_path, preset, expected):
    main(["--preset", preset, "--n", "1", "--links", str(tmp_path / "x.csv")])
    assert expected.items() <= flickr.server.requests[0].form.items()
    assert read_links(tmp_path / "x.csv")[1]["n"] == 1
    assert download_flickr.parse(["--preset", preset, "--links", "x"]).n == 4000


def test_a_saved_list_needs_no_key_and_answers_no_other_query(flickr, tmp_path, monkeypatch, capsys):
    links = str(tmp_path / "x.csv")
    main(["--text", "portrait", "--n", "4", "--links", links])
    monkeypatch.delenv("FLICKR_API_KEY")
    main(["--links", links, "--output", str(tmp_path / "out"), "--rate", "1000"])
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 4
    with pytest.raises(SystemExit):
        main(["--text", "landscape", "--links", links])
    assert "answers another query" in capsys.readouterr().err


def test_plain_lists_of_addresses(flickr, tmp_path):
    (tmp_path / "list.txt").write_text(
        f"# mine\n{flickr.url}/photos/101_h.jpg\n\n{flickr.url}/photos/102_h.jpg\n{flickr.url}/photos/101_h.jpg\n"
    )
    main(["--links", str(tmp_path / "list.txt"), "--output", str(tmp_path / "o"), "--prefix", "b"])
    assert sorted(p.name for p in (tmp_path / "o").glob("*.jpg")) == ["b101_h.jpg", "b102_h.jpg"]
    assert sorted(photo_requests(flickr.server)) == ["/photos/101_h.jpg", "/photos/102_h.jpg"]


def test_photos_taken_away_are_not_kept(tmp_path, flickr, capsys):
    flickr.faults["/photos/101_h.jpg"] = [
        Reply(status=302, headers={"Location": f"{flickr.url}/images/photo_unavailable.png"})
    ]
    flickr.faults["/images/photo_unavailable.png"] = [Reply(jpeg(99))]
    main(["--text", "x", "--n", "3", "--output", str(tmp_path)])
    assert "failed: 101: the photo is gone" in capsys.readouterr().out
    assert not (tmp_path / "101.jpg").exists()


def test_photos_of_every_kind_are_kept_as_they_come_or_listed(flickr, tmp_path, capsys):
    """Good ones byte for byte; bombs are refused at the first look, broken ones asked for again and then listed."""
    sizes = write_good_photos(tmp_path / "in")
    Image.new("RGB", (1, 1)).save(tmp_path / "in/dot.png")
    faults = write_bad_photos(tmp_path / "in")
    content = {path.name: path.read_bytes() for path in (tmp_path / "in").iterdir()}
    with local_server(lambda request: Reply(content[request.path[1:]])) as server:
        (tmp_path / "list.txt").write_text("\n".join(f"{server.url}/{name}" for name in content))
        words = ["--links", tmp_path / "list.txt", "--output", tmp_path / "out", "--rate", 1000]
        main([str(word) for word in words])
    out = capsys.readouterr().out
    assert f"{len(sizes) + 1} downloaded, 0 there already, {len(faults)} failed" in out
    there = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert there.pop("manifest.csv")
    assert there == {name: content[name] for name in (*sizes, "dot.png")}
    assert "failed: bomb: more than 220 megapixels; scale it down" in out
    assert server.paths().count("/bomb.png") == 1 and server.paths().count("/cut.jpg") == 6
    for name in ("zero", "page", "cut"):
        assert f"failed: {name}: 127.0.0.1: what came is not a whole image" in out


def test_a_dead_network_ends_the_run_in_one_line(flickr, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(download_flickr, "TOO_MANY_FAILURES", 3)
    monkeypatch.setattr(download_flickr, "Fetcher", partial(Fetcher, backoff=0.01, tries=2))
    links = tmp_path / "x.csv"
    write_links(links, [WebPhoto(str(i), f"http://127.0.0.1:9/{i}.jpg") for i in range(50)], {})
    with pytest.raises(SystemExit):
        main(["--links", str(links), "--output", str(tmp_path / "o"), "--rate", "1000"])
    assert "3 photos in a row failed" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "o").iterdir()] == ["manifest.csv"]


def test_a_row_cut_short_by_a_crash_is_dropped_and_made_anew(flickr, tmp_path):
    words = ["--text", "x", "--n", "3", "--output", str(tmp_path)]
    main(words)
    whole = (tmp_path / "manifest.csv").read_text()
    (tmp_path / "manifest.csv").write_text(whole[:-30])
    flickr.server.requests.clear()
    main(words)
    assert flickr.server.requests == []
    assert sorted((tmp_path / "manifest.csv").read_text()) == sorted(whole)
    assert len(Manifest(tmp_path / "manifest.csv")._rows) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--text", "x"], "say where the photos go"),
        (["--output", "O"], "say what to search for"),
        (["--links", "L.txt", "--output", "O"], "'nonsense' is no address"),
        (["--links", "port.txt", "--output", "O"], "'http://host:port/1.jpg' is no address"),
        (["--links", "bracket.txt", "--output", "O"], "'http://[bad/1.jpg' is no address"),
        (["--links", "space.txt", "--output", "O"], "'http://a b/1.jpg' is no address"),
        (["--text", "x", "--output", "O", "--key_file", "none"], "--key_file none: can't be read"),
        (["--text", "x", "--output", "O", "--n", "0"], "--n 0: must be at least 1"),
    ],
)
def test_wrong_command_lines_end_in_one_line(flickr, tmp_path, monkeypatch, words, message, capsys):
    monkeypatch.chdir(tmp_path)
    lists = {"L": "nonsense", "port": "http://host:port/1.jpg", "bracket": "http://[bad/1.jpg"}
    for name, address in (lists | {"space": "http://a b/1.jpg"}).items():
        (tmp_path / f"{name}.txt").write_text(f"{address}\n")
    with pytest.raises(SystemExit):
        main(words)
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_a_missing_or_wrong_key_is_told_without_showing_it(flickr, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FLICKR_API_KEY", "wrong-secret")
    with pytest.raises(SystemExit):
        main(["--text", "x", "--output", str(tmp_path / "o")])
    error = capsys.readouterr().err
    assert "Invalid API Key" in error and "FLICKR_API_KEY" in error and "wrong-secret" not in error
    monkeypatch.delenv("FLICKR_API_KEY")
    with pytest.raises(SystemExit):
        main(["--text", "x", "--output", str(tmp_path / "o")])
    assert "no API key; get one at" in capsys.readouterr().err
    (tmp_path / "key").write_text(KEY + "\n")
    main(["--text", "x", "--n", "1", "--links", str(tmp_path / "l.csv"), "--key_file", str(tmp_path / "key")])
