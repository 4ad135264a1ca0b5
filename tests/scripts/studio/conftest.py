"""A studio that is built once and opened in a browser by each test."""

import json
import os
import shutil
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models.inference.described import described
from tests.extras import need
from tests.scripts.studio import parts
from util.files import cache_folder, write_text


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The folder of a studio with the generator of `parts.told_generator`."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        need(package)
    from scripts import studio, studio_build, studio_runtime

    if not (cache_folder() / Path(studio_runtime.URL).name).is_file():
        pytest.skip("onnxruntime-web is not in the cache; get it with: python scripts/studio_runtime.py")
    folder = tmp_path_factory.mktemp("studio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(studio_build, "write_segmenter", parts.write_red_segmenter)
        patch.setattr(studio_build, "load_generator", lambda *_, **__: parts.told_generator())
        studio.main(["--output", str(folder), "--name", "told"])
    return folder


@pytest.fixture(scope="session")
def built_by_place(built, tmp_path_factory):
    """That of `parts.placing_generator`: the same but for the radius network, so all else is not built again."""
    from scripts import studio_build

    folder = tmp_path_factory.mktemp("studio_by_place") / "studio"
    # Linked, and what is written here takes a link's place.
    shutil.copytree(built, folder, copy_function=os.link)
    generator = parts.placing_generator()
    studio = json.loads((folder / "studio.json").read_text())
    studio["generator"] |= described(generator)
    studio["radius"] = studio_build._write_radius(generator, folder)
    write_text(folder / "studio.json", json.dumps(studio))
    return folder


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


@pytest.fixture
def modules(web_page):
    """A page that can import the studio's modules, and has no studio."""
    from scripts import studio, studio_sources

    with served(partial(studio.Handler, directory=str(studio_sources.PAGE))) as url:
        empty = "<!doctype html><link rel='icon' href='icon.svg'>"
        web_page.route(f"{url}empty", lambda route: route.fulfill(body=empty, content_type="text/html"))
        web_page.goto(f"{url}empty")
        yield web_page


@contextmanager
def open_shop(web_page, address, folder):
    """The studio at `address`, ready; the test fails if the page asks any other host for anything."""
    web_page.set_default_timeout(120_000)
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
