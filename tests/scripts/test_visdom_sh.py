"""scripts/visdom.sh takes the active environment where it can, and installs only where it must."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("variable", "has_visdom", "installs"),
    [
        ("VIRTUAL_ENV", True, False),
        ("CONDA_PREFIX", True, False),
        ("VIRTUAL_ENV", False, True),
        ("OTHER", True, True),
    ],
)
def test_installs_only_without_an_active_environment_that_has_visdom(
    tmp_path, variable, has_visdom, installs
):
    programs = {
        "bin/python": f'#!/bin/sh\n[ "$1" != -c ] || exit {int(not has_visdom)}\n',
        "bin/visdom": '#!/bin/sh\necho "visdom $*"\n',
        "scripts/setup.sh": "echo installing\n",
    }
    for name, content in programs.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        path.chmod(0o755)
    shutil.copy(ROOT / "scripts" / "visdom.sh", tmp_path / "scripts")
    kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "CONDA_PREFIX")}
    environment = kept | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", variable: "/somewhere"}
    command = ["bash", "scripts/visdom.sh", "-port", "8098"]
    output = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert output.endswith("visdom -bind_local -port 8098\n")
    assert ("installing" in output) == installs
