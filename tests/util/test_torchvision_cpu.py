"""torchvision's import beside any torch: checked in processes of their own, where nothing is imported yet."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the trap is that of PyPI's Linux build")


def run_python(code: str, *extra_paths: Path) -> str:
    """What `code` prints in a new interpreter that looks for modules in `extra_paths` first."""
    path = os.pathsep.join(str(p) for p in (*extra_paths, ROOT))
    environment = {**os.environ, "PYTHONPATH": path}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def make_torchvision(folder: Path, library: bytes) -> Path:
    """A package of that name below `folder` whose compiled library holds `library`."""
    package = folder / "torchvision"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "_C.so").write_bytes(library)
    return folder


DECLARED = "import torch, util.torchvision_cpu; print(hasattr(torch.ops.torchvision, 'nms'))"


@linux_only
def test_declares_operators_when_the_library_cannot_load(tmp_path):
    assert run_python(DECLARED, make_torchvision(tmp_path, b"built for another torch")) == "True"


@linux_only
def test_leaves_a_matching_install_alone(tmp_path):
    fits = Path(torch._C.__file__).read_bytes()  # a library that this torch surely loads
    assert run_python(DECLARED, make_torchvision(tmp_path, fits)) == "False"


def test_installed_torchvision_computes():
    code = """
import util.torchvision_cpu
import torch
from torchvision.models import vgg19
from torchvision.transforms import v2
from torchvision.utils import make_grid

x = torch.arange(48.0).reshape(1, 3, 4, 4)
half = torch.nn.functional.interpolate(x, (2, 2), mode="bilinear", antialias=True)
assert torch.allclose(v2.functional.resize(x, [2, 2]), half)
assert make_grid(x.repeat(4, 1, 1, 1), nrow=2, padding=0).shape == (3, 8, 8)
with torch.device("meta"):
    print(sum(p.numel() for p in vgg19().parameters()))
"""
    assert run_python(code) == "143667240"  # as published with its weights
