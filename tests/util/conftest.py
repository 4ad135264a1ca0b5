"""A real visdom server and a real browser, for the tests of what users look at."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


class VisdomServer:
    """A visdom server on a free port that can be killed and started again."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            self.port = probe.getsockname()[1]
        self.process = None

    @property
    def url(self):
        return f"http://localhost:{self.port}"

    def start(self):
        if self.process:
            return
        command = [sys.executable, "-m", "visdom.server", "-port", str(self.port), "-bind_local"]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "-env_path", str(self.folder / "envs")], stdout=log, stderr=subprocess.STDOUT
            )
        for _ in range(1200):
            if self.answers():
                return
            time.sleep(0.1)
        pytest.fail((self.folder / "server.log").read_text())

    def answers(self):
        try:
            urllib.request.urlopen(self.url, timeout=1).close()
        except OSError:
            return False
        return True

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def forget(self):
        shutil.rmtree(self.folder / "envs", ignore_errors=True)


@pytest.fixture(scope="session")
def visdom_server(tmp_path_factory):
    """A server; a test that uses it starts it, or takes it as an earlier one left it."""
    pytest.importorskip("visdom", reason="visdom is not installed")
    from scripts.visdom_files import is_complete, static_folder

    if not is_complete(static_folder(), "0.2.4"):
        pytest.skip("visdom's page lacks its files; get them with: python scripts/visdom_files.py")
    server = VisdomServer(tmp_path_factory.mktemp("visdom"))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        pytest.skip("no Chromium is installed; get it with: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def web_page(chromium):
    """An empty page of the browser; the test fails if anything on it complains."""
    page = chromium.new_page(viewport={"width": 1200, "height": 900})
    page.set_default_timeout(20_000)
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    assert complaints == []
