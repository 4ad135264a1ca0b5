"""Downloads from servers that are busy, slow or flaky: polite, retried, whole or not there."""

import random
import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
from tqdm import tqdm

from util.errors import UserError

T = TypeVar("T")

BUSY = frozenset({408, 425, 429, *range(500, 600)})  # caches in front of a server have numbers of their own
LONGEST_WAIT = 600  # seconds; who is told to wait longer does better to start again later
USER_AGENT = "bokeh-cyclegan/0.1 (research; dataset preparation)"


class FetchError(UserError):
    """Something that can't be fetched; the message names the server, never the query (it may hold a key)."""


class GaveUp(FetchError):
    """Still failing after all tries: the network or the server, not this one address."""


class _TryAgain(Exception):
    """A passing failure; `wait` is what the server asks for, seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class Fetcher:
    """Requests with a common rate limit, retries and patience; safe to share between threads.

    Args:
        rate: requests started per second, all threads together.
        tries: how often a request is made before it is given up.
        backoff: seconds before the second try; doubled each time, with jitter.
        timeout: seconds without an answer or a byte.
    """

    def __init__(
        self, rate: float = float("inf"), tries: int = 6, backoff: float = 1, timeout: float = 30
    ) -> None:
        self._client = httpx.Client(
            timeout=timeout, follow_redirects=True, headers={"User-Agent": USER_AGENT}
        )
        self._interval = 1 / rate
        self._tries = tries
        self._backoff = backoff
        self._lock = threading.Lock()
        self._next = time.monotonic()
        self._stopped = threading.Event()

    def __enter__(self) -> "Fetcher":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._client.close()

    def stop(self) -> None:
        """End all waiting: threads get a `FetchError` instead of their answer."""
        self._stopped.set()

    def fetch(
        self,
        url: str,
        form: dict[str, str] | None = None,
        check: Callable[[httpx.Response], None] | None = None,
    ) -> bytes:
        """The whole body at `url`: a GET, or a POST of `form`.

        `check` raises ValueError for an answer that can't be right; then it is asked for again.

        Raises:
            FetchError: refused by the server.
            GaveUp: still failing after all tries.
        """

        def once() -> bytes:
            response = self._client.request("POST" if form else "GET", url, data=form)
            _raise_for_status(response)
            try:
                if check:
                    check(response)
            except ValueError as error:
                raise _TryAgain(str(error)) from None
            return response.content

        return self._persist(once, url)

    def download(self, url: str, path: Path, check: Callable[[Path], None], show: bool = True) -> None:
        """Fetch a large file, with a progress bar if asked to `show`, going on where an earlier try or run was cut off.

        `check` raises ValueError for a file that is not what it should be; then nothing is kept.

        Raises:
            FetchError: as `fetch`, or the check failed.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        with tqdm(unit="B", unit_scale=True, unit_divisor=1024, desc=path.name, disable=not show) as bar:
            self._persist(lambda: self._append(url, part, bar), url)
        try:
            check(part)
        except ValueError as error:
            part.unlink()
            raise FetchError(f"{url}: what came is damaged ({error}); run the same command again") from None
        part.replace(path)

    def _append(self, url: str, part: Path, bar: tqdm) -> None:
        """Fetch what is missing of `part`."""
        have = part.stat().st_size if part.exists() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with self._client.stream("GET", url, headers=headers) as response:
            # The part is no beginning of this file, or is all of it.
            if response.status_code == 416:
                part.unlink()
                raise _TryAgain("starting over")
            _raise_for_status(response)
            if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                # A server that knows no ranges sends the whole file.
                have = 0
            bar.total = have + int(response.headers.get("Content-Length", 0)) or None
            bar.n = have
            with part.open("ab" if have else "wb") as file:
                for chunk in response.iter_raw():
                    if self._stopped.is_set():
                        raise FetchError("stopped")
                    file.write(chunk)
                    bar.update(len(chunk))

    def _persist(self, once: Callable[[], T], url: str) -> T:
        host = urlsplit(url).hostname
        for attempt in range(self._tries):
            self._take_turn()
            wait = self._backoff * 2**attempt * random.uniform(0.75, 1.25)
            try:
                return once()
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise FetchError(f"{url}: {error}") from None
            except (httpx.TransportError, httpx.DecodingError) as error:
                reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            except httpx.TooManyRedirects:
                raise FetchError(f"{host}: redirected in circles") from None
            except _TryAgain as error:
                reason = str(error)
                if error.wait is not None:
                    wait = error.wait
                    self._hold_all(wait)
            if wait > LONGEST_WAIT:
                raise GaveUp(f"{host}: {reason}, asks to wait {wait:.0f} s; run the same command then")
            if attempt < self._tries - 1:
                self._sleep(wait)
        raise GaveUp(
            f"{host}: {reason}, tried {self._tries} times; check the network and run the same command again"
        )

    def _take_turn(self) -> None:
        with self._lock:
            turn = max(time.monotonic(), self._next)
            self._next = turn + self._interval
        self._sleep(turn - time.monotonic())

    def _hold_all(self, seconds: float) -> None:
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def _sleep(self, seconds: float) -> None:
        if self._stopped.wait(max(0, seconds)):
            raise FetchError("stopped")


def _raise_for_status(response: httpx.Response) -> None:
    status = response.status_code
    if status in BUSY:
        raise _TryAgain(f"status {status}", _retry_after(response.headers.get("Retry-After")))
    if not response.is_success:
        raise FetchError(f"{response.url.host}: status {status} for {response.url.path}")


def _retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    try:
        return float(value) if value.strip().isdigit() else max(0, _seconds_until(value))
    except (TypeError, ValueError):
        return None


def _seconds_until(date: str) -> float:
    return parsedate_to_datetime(date).timestamp() - time.time()
