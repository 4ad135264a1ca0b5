"""What `pip install -e .` brings: names that are pinned, commands that are there, and words for what is missing."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import commands
from util.errors import EXTRAS, command_line

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
PACKAGES = PYPROJECT["tool"]["setuptools"]["packages"]["find"]["include"]


def names(requirements):
    """Names of packages, in the one spelling that pip compares them by."""
    found = (re.match(r"[\w.-]+", line) for line in requirements)
    return {re.sub(r"[-_.]+", "-", match[0]).lower() for match in found if match}


def test_every_package_is_pinned_and_every_pin_has_its_place():
    asked = names(
        [
            *PROJECT["dependencies"],
            *(name for extra in PROJECT["optional-dependencies"].values() for name in extra),
        ]
    )
    pinned = names((ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines())
    assert pinned - asked == {"setuptools", "wheel"}
    # Large, and not wanted by tests, which have stand-ins for them.
    assert asked - pinned == {"trackio", "wandb"}


def test_the_image_has_what_programs_import_and_not_what_tests_do():
    """The Dockerfile installs requirements.txt as far as the line that it names."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    end = re.search(r"sed '/\^(.+?)/,\$d' requirements\.txt", dockerfile)[1]
    installed, tests = (ROOT / "requirements.txt").read_text(encoding="utf-8").split(f"\n{end}")
    extras = PROJECT["optional-dependencies"]
    needed = {name for extra, wanted in extras.items() if extra != "dev" for name in names(wanted)}
    assert names(PROJECT["dependencies"]) | needed - {"trackio", "wandb"} <= names(installed.splitlines())
    assert names(extras["dev"]) == names(tests.splitlines()[1:])


def is_left_out(path, patterns):
    """Whether `docker build` leaves out `path`: of the patterns that fit it or a folder above it the last one decides.

    As Docker's reference has it: `*` stays within a name, `**` does not, `!` takes back, a slash at the end is dropped.
    """
    out = False
    for pattern in patterns:
        words = re.split(r"(\*\*/|\*)", pattern.lstrip("!").rstrip("/"))
        regex = "".join({"**/": "(.*/)?", "*": "[^/]*"}.get(word, re.escape(word)) for word in words)
        if any(re.fullmatch(regex, str(place)) for place in [path, *path.parents][:-1]):
            out = not pattern.startswith("!")
    return out


def test_the_image_gets_all_programs_and_weights_and_no_photos():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    folders = [name.rstrip("*") for name in PACKAGES]
    wanted = [
        file.relative_to(ROOT)
        for folder in (*folders, "pretrained")
        for file in (ROOT / folder).rglob("*")
        if file.suffix in (".py", ".sh", ".js", ".html", ".css", ".pth")
    ]
    assert len(wanted) > 200
    assert [str(file) for file in wanted if is_left_out(file, patterns)] == []
    for unwanted in (
        "datasets/portraits/trainA/1.jpg",
        "checkpoints/run/latest_net_G.pth",
        ".git/config",
        ".venv/bin/python",
        "util/__pycache__/files.cpython-311.pyc",
        "results/run/index.html",
    ):
        assert is_left_out(Path(unwanted), patterns), unwanted


def test_commands_are_functions():
    for place in PROJECT["scripts"].values():
        module, _, function = place.partition(":")
        assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize(("module", "extra"), EXTRAS.items())
def test_a_missing_module_is_told_with_its_extra(module, extra, monkeypatch, capsys):
    assert any(name.replace("-", "_").startswith(module) for name in PROJECT["optional-dependencies"][extra])
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed

    @command_line
    def main():
        importlib.import_module(module)

    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err == f"error: {module} is not installed; run: pip install -e '.[{extra}]'\n"


def test_words_of_bokeh_are_those_of_test_py():
    words = commands.words_of_test(["photos", "-o", "soft", "--aperture", "2"])
    assert words == ["--input", "photos", "--output", "soft", "--aperture", "2"]
    assert commands.words_of_test(["--input", "a", "--output", "b"]) == ["--input", "a", "--output", "b"]


def test_help_needs_no_torch_and_no_model(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["bokeh", "--help"])
    commands.bokeh()
    assert "usage: bokeh PHOTO_OR_FOLDER -o" in capsys.readouterr().out
    code = "import sys, scripts.commands; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
