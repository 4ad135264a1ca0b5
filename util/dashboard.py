"""The visdom dashboard of a run, fed from a thread of its own so that training never waits for it."""

import html
import logging
import threading
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image

from util.present import present
from util.run_log import VALIDATION_PREFIX, Row

RETRY = 5.0  # seconds between attempts to reach a server that is away
REST = 50  # times as long as sending took, the thread rests: it takes at most 2% of the training's time
SHORTEST_REST = 1.0  # seconds
SAVE_EVERY = 60.0  # seconds between requests to the server to keep curves that grow steadily on its disk
LAST_SEND = 20.0  # seconds that the end of a run waits for the last points to arrive

GENERATOR, DISCRIMINATOR, MASK = "generator losses", "discriminator losses", "mask losses"
RATE, SAMPLES, OPTIONS = "learning rate, images per second", "samples", "options"
# On the page; then validation. The options are first because a run has them first.
ORDER = (OPTIONS, GENERATOR, DISCRIMINATOR, MASK, RATE, SAMPLES)
# Soon sent again. A restarted server must have kept the others, as one back in time for the next sending isn't missed.
STEADY = (GENERATOR, DISCRIMINATOR, MASK, RATE)


class Dashboard:
    """Keeps all that the dashboard shows and brings the server to that state.

    Every window is sent whole when something in it is new. So it does not matter what the server missed or
    forgot while it was away or restarted: the next sending makes it complete, without doubles.
    """

    def __init__(self, connect: Callable[[], Any], address: str, warn: Callable[[str], None]) -> None:
        """Start the thread.

        Args:
            connect: makes a `visdom.Visdom` that raises `ConnectionError` when it can't reach the server.
            address: the server's, for the warning.
            warn: shows one line to the user; called once when the server can't be reached.
        """
        self._connect = connect
        self._address = address
        self._warn = warn
        self._curves: dict[str, dict[str, tuple[list[int], list[float]]]] = defaultdict(dict)
        self._picture: tuple[Image.Image, str] | None = None
        self._text = ""
        # Windows to send.
        self._new: set[str] = set()
        # Guards the four above.
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._client: Any = None
        self._warned = False
        # The window that was sent last.
        self._sent = ""
        self._saved_at = 0.0
        self._thread = threading.Thread(target=self._run, name="dashboard", daemon=True)
        self._thread.start()

    def add_row(self, row: Row) -> None:
        """Add the figures of a row of `losses.csv` to the curves."""
        with self._lock:
            for name, value in row.items():
                if name in ("epoch", "total_iters"):
                    continue
                window = window_of(name)
                steps, values = self._curves[window].setdefault(name, ([], []))
                steps.append(int(row["total_iters"]))
                values.append(value)
                self._new.add(window)
        self._wake.set()

    def show_picture(self, picture: Image.Image, title: str) -> None:
        """Show sample pictures in place of the earlier ones."""
        with self._lock:
            self._picture = (picture, title)
            self._new.add(SAMPLES)
        self._wake.set()

    def show_options(self, options: Mapping[str, object]) -> None:
        """Show the options of the run."""
        lines = (f"{html.escape(name)}: {html.escape(str(options[name]))}" for name in sorted(options))
        with self._lock:
            self._text = "<br>".join(lines)
            self._new.add(OPTIONS)
        self._wake.set()

    def close(self) -> None:
        """Send what is new, if the server is there, and end the thread."""
        self._closing.set()
        self._wake.set()
        self._thread.join(LAST_SEND)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            started = time.monotonic()
            rest = RETRY
            if self._send():
                rest = max(SHORTEST_REST, REST * (time.monotonic() - started))
            self._closing.wait(rest)
        if self._client is not None:
            # The server may have restarted since.
            self._everything_is_new()
        self._send()

    def _everything_is_new(self) -> None:
        with self._lock:
            self._new.update(self._curves)
            if self._picture:
                self._new.add(SAMPLES)
            if self._text:
                self._new.add(OPTIONS)

    def _send(self) -> bool:
        """Send the windows that have news; False if the server can't be reached, and then all have."""
        try:
            if self._client is None:
                self._client = self._connect()
            if self._has_forgotten():
                self._everything_is_new()
            rare = False
            while window := self._next_window():
                self._send_window(window)
                self._sent = window
                rare |= window not in STEADY
            if rare or self._closing.is_set() or time.monotonic() > self._saved_at + SAVE_EVERY:
                self._client.save([self._client.env])
                self._saved_at = time.monotonic()
            return True
        # ValueError: something else answers on that port
        except (ConnectionError, ValueError):
            self._client = None
            self._everything_is_new()
            self._wake.set()
            if not self._warned:
                self._warned = True
                self._warn(
                    f"visdom: no server at {self._address}; start it with: bash scripts/visdom.sh. "
                    "The run goes on, and shows everything once the server is there"
                )
            return False

    def _has_forgotten(self) -> bool:
        """Whether the server has restarted since the last sending, without what it was sent.

        The environment may be there again all the same: whoever looks at the page makes it.
        """
        if self._client.env not in self._client.get_env_list():
            return True
        return bool(self._sent) and self._client.win_exists(self._sent) is False

    def _next_window(self) -> str | None:
        with self._lock:
            if not self._new:
                return None
            window = min(self._new, key=place_of)
            self._new.remove(window)
            return window

    def _send_window(self, window: str) -> None:
        with self._lock:
            curves = {name: (list(x), list(y)) for name, (x, y) in self._curves.get(window, {}).items()}
            picture, text = self._picture, self._text
        if window == SAMPLES:
            image, title = present(picture)
            pixels = np.asarray(image).transpose(2, 0, 1)
            self._client.image(pixels, win=window, opts={"title": title})
        elif window == OPTIONS:
            self._client.text(text, win=window, opts={"title": OPTIONS})
        else:
            steps, values = as_columns(curves)
            self._client.line(values, steps, win=window, opts=options_of_plot(window, list(curves)))


def connect(server: str, port: int, env: str) -> Any:
    """A `visdom.Visdom` that says nothing and raises `ConnectionError` when the server is away.

    Raises:
        ConnectionError: the server is away, or visdom can't be imported.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import visdom
    except ImportError as error:
        raise ConnectionError(f"visdom can't be imported ({error})") from None
    logging.getLogger("visdom").setLevel(logging.CRITICAL)
    # As the server names it.
    env = env.replace("/", "_")
    return visdom.Visdom(server=server, port=port, env=env, raise_exceptions=True, use_incoming_socket=False)


def window_of(curve: str) -> str:
    """The window that a column of `losses.csv` is plotted in."""
    if curve in ("lr", "images_per_s"):
        return RATE
    if curve.startswith(VALIDATION_PREFIX):
        return f"validation: {curve.removeprefix(VALIDATION_PREFIX)}"
    if curve.startswith(("mask", "vgg")):
        return MASK
    return DISCRIMINATOR if curve.startswith("D") else GENERATOR


def place_of(window: str) -> tuple[int, str]:
    """Sort key of a window on the page."""
    return ORDER.index(window) if window in ORDER else len(ORDER), window


def options_of_plot(window: str, curves: list[str]) -> dict[str, Any]:
    """visdom's options of a plot: the legend where few points are, a second axis where two quantities share it."""
    corner = {"x": 1, "xanchor": "right", "y": 1, "bgcolor": "rgba(255,255,255,0.6)"}
    layout: dict[str, Any] = {"legend": corner, "showlegend": len(curves) > 1}
    traces = {}
    if window == RATE:
        # From zero: around a constant rate, as that of the first epochs, plotly would draw -1 to 1.
        from_zero = {"rangemode": "tozero"}
        corner |= {"x": 0, "xanchor": "left", "y": 0, "yanchor": "bottom"}
        right = {"overlaying": "y", "side": "right", "showgrid": False}
        layout |= {
            "yaxis": {"title": "lr", "exponentformat": "e", **from_zero},
            "yaxis2": {"title": "images_per_s", **right, **from_zero},
        }
        traces = {"images_per_s": {"yaxis": "y2", "mode": "markers", "marker": {"size": 3}}}
    return {
        "title": window,
        "xlabel": "photos",
        "legend": curves,
        "width": 420,
        "height": 340,
        "layoutopts": {"plotly": layout},
        "traceopts": {"plotly": traces},
    }


def as_columns(curves: Mapping[str, tuple[list[int], list[float]]]) -> tuple[np.ndarray, np.ndarray]:
    """Curves -> all their steps `[N]` and the values there `[N,C]`, NaN where a curve has none or no number."""
    steps = np.unique(np.concatenate([np.asarray(x) for x, _ in curves.values()]))
    values = np.full((len(steps), len(curves)), np.nan)
    for column, (x, y) in enumerate(curves.values()):
        values[np.searchsorted(steps, x), column] = y
    values[~np.isfinite(values)] = np.nan
    return steps, values[:, 0] if len(curves) == 1 else values
