"""Names of files that are not UTF-8, as old disks and archives hold them: reports, pages and the terminal bear them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import test as test_program
from datasets import prepare
from models.networks import define_G
from util.checkpoint import save_network

NAME = b"Jos\xe9.png"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")


def odd_photo(folder: Path) -> Path:
    """A photo whose name is Latin-1."""
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    path = Path(os.fsdecode(os.fsencode(folder) + b"/" + NAME))
    Image.fromarray(pixels).save(path)
    return path


def test_prepare_reports_them(tmp_path):
    odd_photo(tmp_path / "photos")
    root = tmp_path / "out"
    words = ["--input_A", tmp_path / "photos", "--dataroot", root, "--size", 48, "--min_bytes", 0]
    for _ in range(2):
        prepare.main([*map(str, words), "--num_workers", "0"])
        assert NAME in (root / "report_A.csv").read_bytes()
    assert [os.fsencode(path.name) for path in (root / "trainA").iterdir()] == [NAME]


def test_result_pages_lead_to_them(tmp_path):
    odd_photo(tmp_path / "photos")
    save_network(define_G(3, 3, 4, "resnet_6blocks", "batch"), tmp_path / "ck" / "run" / "latest_net_G.pth")
    flags = ["--checkpoints_dir", tmp_path / "ck", "--name", "run", "--results_dir", tmp_path / "results"]
    flags += ["--dataroot", tmp_path / "photos", "--model", "test", "--num_threads", "0", "--device", "cpu"]
    test_program.main([str(flag) for flag in flags])
    folder = tmp_path / "results" / "run" / "test_latest"
    assert (Path(os.fsdecode(os.fsencode(folder) + b"/images/Jos\xe9_fake.png"))).is_file()
    assert b"images/Jos%E9_fake.png" in (folder / "index.html").read_bytes()


def test_the_terminal_shows_them():
    program = "import util.errors as e\n@e.command_line\ndef main():\n    print('Jos\\udce9')\nmain()"
    # As in a terminal of a UTF-8 locale.
    strict = os.environ | {"PYTHONIOENCODING": "utf-8:strict"}
    command = [sys.executable, "-c", program]
    shown = subprocess.run(
        command, cwd=Path(__file__).parents[1], env=strict, capture_output=True, check=True
    )
    assert shown.stdout == b"Jos\xe9\n"
