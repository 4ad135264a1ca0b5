"""A studio that is built once and opened in a browser by each test."""

import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.extras import need
from tests.scripts.studio import parts
from util.files import cache_folder


def build(folder, generator):
    """Write a studio with `generator` into `folder`; returns it."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        need(package)
    from scripts import studio, studio_build, studio_runtime

    if not (cache_folder() / Path(studio_runtime.URL).name).is_file():
        pytest.skip("onnxruntime-web is not in the cache; get it with: python scripts/studio_runtime.py")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(studio_build, "write_segmenter", parts.write_red_segmenter)
        patch.setattr(studio_build, "load_generator", lambda *_, **__: generator)
        studio.main(["--output", str(folder), "--name", "told"])
    return folder


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The folder of a studio with the generator of `parts.told_generator`."""
    return build(tmp_path_factory.mktemp("studio"), parts.told_generator())


@pytest.fixture(scope="session")
def built_by_place(tmp_path_factory):
    """The folder of a studio with that of `parts.placing_generator`."""
    return build(tmp_path_factory.mktemp("studio_by_place"), parts.placing_generator())


@contextmanager
def served(handler):
    """The address at which `handler` answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def address(built):
    """Where `--serve` serves the studio."""
    from scripts import studio

    with served(partial(studio.Handler, directory=str(built))) as url:
        yield url


@pytest.fixture(scope="session")
def plain_address(built):
    """Where a server serves it that knows no isolation."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with served(partial(Quiet, directory=str(built))) as url:
        yield url


@contextmanager
def open_shop(web_page, address, folder):
    """The studio at `address`, ready; the test fails if the page asks any other host for anything."""
    web_page.set_default_timeout(60_000)
    asked = []
    web_page.on("request", lambda request: asked.append(request.url))
    web_page.goto(f"{address}?device=cpu")
    opened = parts.Studio(web_page, folder)
    opened.said("ready")
    yield opened
    assert [url for url in asked if not url.startswith((address, "blob:", "data:"))] == []


@pytest.fixture
def shop(web_page, address, tmp_path):
    """The studio with one blur for all."""
    with open_shop(web_page, address, tmp_path) as opened:
        yield opened


@pytest.fixture
def shop_by_place(web_page, built_by_place, tmp_path):
    """The studio with a blur that grows with distance."""
    from scripts import studio

    with (
        served(partial(studio.Handler, directory=str(built_by_place))) as url,
        open_shop(web_page, url, tmp_path) as opened,
    ):
        yield opened
