"""A real visdom server, for the tests of what users look at."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from tests.extras import need


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
    need("visdom")
    from scripts.visdom_files import is_complete, static_folder

    if not is_complete(static_folder(), "0.2.4"):
        pytest.skip("visdom's page lacks its files; get them with: python scripts/visdom_files.py")
    server = VisdomServer(tmp_path_factory.mktemp("visdom"))
    yield server
    server.kill()
