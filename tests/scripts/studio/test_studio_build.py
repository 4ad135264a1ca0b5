"""The folder of the studio and the runtime in it, without a browser."""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.extras import need

need("onnx")
need("onnxruntime")

from models.inference.described import described
from models.inference.generator import Generator
from models.networks import define_G
from scripts import studio, studio_build, studio_runtime
from scripts.studio_sources import is_made_of
from tests.local_server import Reply, local_server
from util.errors import UserError


def archive(names=studio_runtime.FILES):
    """npm's archive of a runtime whose files hold their own names."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as file:
        for name in names:
            entry = tarfile.TarInfo(f"package/dist/{name}")
            entry.size = len(name)
            file.addfile(entry, io.BytesIO(name.encode()))
    return content.getvalue()


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    """A registry with such an archive; the cache is empty."""
    content = archive()
    monkeypatch.setenv("BOKEH_CYCLEGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(studio_runtime, "SHA512", hashlib.sha512(content).hexdigest())
    replies = [content]
    with local_server(lambda _: Reply(replies[-1])) as server:
        monkeypatch.setattr(studio_runtime, "URL", f"{server.url}/onnxruntime-web-1.tgz")
        yield server, replies


def test_the_runtime_is_fetched_once_and_whole(runtime, tmp_path):
    server, _ = runtime
    for folder in ("a", "b", "a"):
        studio_runtime.write_runtime(tmp_path / folder)
    assert server.paths() == ["/onnxruntime-web-1.tgz"]
    for name in studio_runtime.FILES:
        assert (tmp_path / "b" / name).read_text() == name


def test_another_runtime_than_the_expected_is_refused(runtime, tmp_path):
    _, replies = runtime
    replies.append(archive(studio_runtime.FILES[:2]))
    with pytest.raises(UserError, match=r"SHA-512 .*--runtime"):
        studio_runtime.write_runtime(tmp_path / "a")
    assert not (tmp_path / "a").exists()
    own = tmp_path / "own.tgz"
    own.write_bytes(replies[-1])
    with pytest.raises(UserError, match=r"--runtime .*own.tgz: .*SHA-512"):
        studio_runtime.write_runtime(tmp_path / "a", own)
    with pytest.raises(UserError, match="no such file"):
        studio_runtime.write_runtime(tmp_path / "a", tmp_path / "none.tgz")


def test_a_studio_is_built_once_for_the_same_sources(tmp_path, monkeypatch, capsys):
    weights = tmp_path / "run" / "latest_net_G.pth"
    weights.parent.mkdir()
    weights.write_bytes(b"weights")
    made = []

    def build(args, folder, made_of):
        made.append(made_of)
        folder.mkdir(exist_ok=True)
        (folder / "studio.json").write_text(json.dumps({"made_of": made_of}))

    monkeypatch.setattr(studio_build, "build", build)
    words = ["--output", str(tmp_path / "site"), "--checkpoints_dir", str(tmp_path), "--name", "run"]
    for content in (b"weights", b"weights", b"others"):
        weights.write_bytes(content)
        studio.main(words)
    studio.main([*words, "--masks", "selfie"])
    assert len(set(made)) == len(made) == 3
    assert is_made_of(tmp_path / "site", made[-1])
    assert not is_made_of(tmp_path, made[-1])


def test_a_studio_that_was_not_finished_is_built_again(tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(studio_build, "load_generator", stop)
    args = studio.parse(["--output", str(tmp_path / "site")])
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            studio_build.build(args, tmp_path / "site", "word")
        assert not is_made_of(tmp_path / "site", "word")


def test_other_peoples_folders_are_not_written_to(tmp_path):
    (tmp_path / "letter.txt").touch()
    args = studio.parse(["--output", str(tmp_path)])
    with pytest.raises(UserError, match="not empty and not a studio"):
        studio_build.build(args, tmp_path, "")


def test_a_generator_that_paints_is_refused():
    painter = Generator(define_G(3, 3, 4, "resnet_6blocks"), file=Path("run/latest_net_G.pth"))
    with pytest.raises(UserError, match=r"run.latest_net_G.pth: paints pixels"):
        described(painter)


@pytest.mark.parametrize(
    ("words", "message"),
    [([], "nothing to do"), (["--serve", "--port", "70000"], "--port 70000")],
)
def test_what_makes_no_sense_is_refused(words, message):
    with pytest.raises(UserError, match=message):
        studio.parse(words)


def test_help_comes_without_pytorch():
    code = "import sys, scripts.studio as studio\ntry: studio.main(['--help'])\n"
    code += "except SystemExit: sys.exit('torch' in sys.modules)"
    root = Path(studio.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True)
    assert b"--serve" in done.stdout


@pytest.mark.parametrize("name", ["onnx", "onnxscript", "onnxruntime"])
def test_what_is_not_installed_is_named_with_the_extra_that_brings_it(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    with pytest.raises(SystemExit):
        studio.main(["--output", str(tmp_path / "site")])
    assert capsys.readouterr().err == f"error: {name} is not installed; run: pip install -e '.[studio]'\n"
    assert not (tmp_path / "site").exists()
