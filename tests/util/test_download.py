import time
from email.utils import formatdate
from pathlib import Path

import httpx
import pytest

from tests.local_server import Reply, Request, local_server
from util.download import Fetcher, FetchError

CONTENT = bytes(range(256)) * 400


def fetcher(**options) -> Fetcher:
    return Fetcher(**{"backoff": 0.01, "timeout": 10, "tries": 4, **options})


def no_check(_: object) -> None:
    pass


def replies(*script: Reply):
    """Answers in this order, the last one for ever."""
    left = list(script)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize(
    "fault",
    [
        Reply(status=500),
        Reply(status=522),
        Reply(status=503, headers={"Retry-After": "0"}),
        Reply(status=429, headers={"Retry-After": formatdate(usegmt=True)}),
        Reply(CONTENT, cut=100),
        Reply(CONTENT, delay=0.6),
    ],
    ids=["500", "522", "503", "429 with a date", "cut off", "timeout"],
)
def test_passing_faults_are_overcome(fault):
    timeout = 0.3 if fault.delay else 10
    with local_server(replies(fault, fault, Reply(CONTENT))) as server, fetcher(timeout=timeout) as web:
        assert web.fetch(server.url) == CONTENT
        assert len(server.requests) == 3


def test_a_body_that_fails_its_check_is_asked_for_again():
    def check(response: httpx.Response) -> None:
        if response.content.startswith(b"<html"):
            raise ValueError("a page, not a photo")

    with local_server(replies(Reply(b"<html>busy"), Reply(CONTENT))) as server, fetcher() as web:
        assert web.fetch(server.url, check=check) == CONTENT
    with (
        local_server(replies(Reply(b"<html>no"))) as server,
        fetcher() as web,
        pytest.raises(FetchError, match="a page, not a photo, tried 4 times"),
    ):
        web.fetch(server.url, check=check)


def test_lasting_faults_end_in_one_line_without_the_form():
    with (
        local_server(replies(Reply(status=500))) as server,
        fetcher() as web,
        pytest.raises(FetchError, match="status 500, tried 4 times") as error,
    ):
        web.fetch(server.url, form={"api_key": "SECRET"})
    assert "SECRET" not in str(error.value) and "\n" not in str(error.value)
    assert [(r.method, r.form) for r in server.requests] == [("POST", {"api_key": "SECRET"})] * 4


def test_a_missing_page_is_not_asked_for_twice():
    with (
        local_server(replies(Reply(status=404))) as server,
        fetcher() as web,
        pytest.raises(FetchError, match="status 404 for /x"),
    ):
        web.fetch(server.url + "/x")
    assert len(server.requests) == 1


def test_what_is_no_address_is_named():
    with fetcher() as web, pytest.raises(FetchError, match="http://host:port/: Invalid port"):
        web.fetch("http://host:port/")


def test_who_is_told_to_wait_for_an_hour_is_told_so():
    reply = Reply(status=429, headers={"Retry-After": "3600"})
    with (
        local_server(replies(reply)) as server,
        fetcher() as web,
        pytest.raises(FetchError, match="asks to wait 3600 s"),
    ):
        web.fetch(server.url)


def test_rate_limit_and_retry_after_hold_back_all_requests():
    with local_server(replies(Reply(b"x"))) as server, fetcher(rate=20) as web:
        start = time.monotonic()
        for _ in range(5):
            web.fetch(server.url)
        assert time.monotonic() - start > 0.19  # four intervals of 1/20 s
    busy = Reply(status=429, headers={"Retry-After": "1"})
    with local_server(replies(busy, Reply(b"x"))) as server, fetcher() as web:
        start = time.monotonic()
        web.fetch(server.url)
        assert time.monotonic() - start > 0.95


def ranged(request: Request) -> Reply:
    """A server that knows byte ranges and cuts every answer after 30,000 bytes."""
    start = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
    if start >= len(CONTENT):
        return Reply(status=416)
    headers = {"Content-Range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"} if start else {}
    return Reply(CONTENT[start:], 206 if start else 200, headers, cut=30_000)


def test_a_large_file_goes_on_where_it_was_cut(tmp_path):
    with local_server(ranged) as server, fetcher() as web:
        web.download(server.url, tmp_path / "model.bin", no_check)
    assert (tmp_path / "model.bin").read_bytes() == CONTENT
    starts = [request.headers.get("range") for request in server.requests]
    assert starts == [None, "bytes=30000-", "bytes=60000-", "bytes=90000-"]
    assert [path.name for path in tmp_path.iterdir()] == ["model.bin"]


def test_a_later_run_goes_on_too_and_a_strange_part_is_dropped(tmp_path):
    with local_server(ranged) as server, fetcher(tries=2) as web:
        with pytest.raises(FetchError, match="tried 2 times"):
            web.download(server.url, tmp_path / "model.bin", no_check)
        assert not (tmp_path / "model.bin").exists()
        web.download(server.url, tmp_path / "model.bin", no_check)
        assert (tmp_path / "model.bin").read_bytes() == CONTENT
        (tmp_path / ".b.bin.part").write_bytes(bytes(200_000))
    with local_server(ranged) as server, fetcher(tries=6) as web:
        web.download(server.url, tmp_path / "b.bin", no_check)
    assert (tmp_path / "b.bin").read_bytes() == CONTENT


def test_a_server_without_ranges_starts_over(tmp_path):
    with local_server(replies(Reply(CONTENT, cut=500), Reply(CONTENT))) as server, fetcher() as web:
        web.download(server.url, tmp_path / "a", no_check)
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_damaged_file_is_not_kept(tmp_path):
    def check(part: Path) -> None:
        raise ValueError("wrong checksum")

    with (
        local_server(replies(Reply(CONTENT))) as server,
        fetcher() as web,
        pytest.raises(FetchError, match=r"damaged \(wrong checksum\)"),
    ):
        web.download(server.url, tmp_path / "a", check)
    assert list(tmp_path.iterdir()) == []
