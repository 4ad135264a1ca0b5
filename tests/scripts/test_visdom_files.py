"""The files of visdom's page, judged by visdom's own download list."""

import json
import sys
import urllib.request

import pytest

from tests.extras import need

visdom = need("visdom")
# Of visdom's own.
import requests
from visdom.server.build import download_scripts

from scripts.visdom_files import PACKAGES, fetch_package, install, is_complete
from util.errors import UserError

FAKE_NPM = """#!{python}
import io, json, sys, tarfile
folder, package = sys.argv[-2:]
packages = json.load(open({listing!r}))
if package not in packages:
    sys.exit(print("npm error notarget No matching version found", file=sys.stderr) or 1)
name = package.replace("@", "-") + ".tgz"
with tarfile.open(folder + "/" + name, "w:gz") as archive:
    for file in packages[package]:
        content = (package + " " + file).encode()
        entry = tarfile.TarInfo("package/" + file)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
print(name)
"""


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """An npm that packs archives by itself: every file holds its package's name and its own."""
    listing = tmp_path / "packages.json"
    listing.write_text(json.dumps({package: list(files) for package, files in PACKAGES.items()}))
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(FAKE_NPM.format(python=sys.executable, listing=str(listing)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))


def test_visdom_downloads_nothing_afterwards(tmp_path, npm, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError(f"visdom asks the network for {args}")

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", refuse)
    monkeypatch.setattr(requests, "get", refuse)
    static = tmp_path / "visdom" / "static"
    assert not is_complete(static, visdom.__version__)
    install(static, visdom.__version__)
    assert is_complete(static, visdom.__version__)
    download_scripts(install_dir=str(static.parent))
    assert (static / "js/d3.v3.min.js").read_text() == "d3@3.5.17 d3.min.js"


def test_an_incomplete_folder_is_filled_again(tmp_path, npm):
    install(tmp_path, "1")
    (tmp_path / "js/sjcl.js").unlink()
    assert not is_complete(tmp_path, "1")
    assert not is_complete(tmp_path, "2")


def test_failures_say_what_to_do(tmp_path, npm, monkeypatch):
    with pytest.raises(UserError, match=r"can't fetch jquery@0 .*No matching version.*network"):
        fetch_package("jquery@0", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="install npm"):
        fetch_package("jquery@3.1.1", tmp_path)
