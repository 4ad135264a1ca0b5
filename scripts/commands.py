"""Commands that `pip install -e .` brings: bokeh, bokeh-train, bokeh-masks and bokeh-studio, from any folder.

bokeh photos/ -o soft/          # test.py --input photos/ --output soft/, with the model that comes with the code
bokeh photos/ -o soft/ --aperture 2
bokeh-train --dataroot D        # train.py
bokeh-masks --input photos/     # deeplab/inference.py
bokeh-studio                    # scripts/studio.py --serve: the browser opens
"""

import runpy
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "bokeh-cyclegan"
USAGE = """usage: bokeh PHOTO_OR_FOLDER -o FOLDER_OR_FILE [options of test.py]

Give portraits a shallow depth of field. All options: docs/options.md, or bokeh --help_all.
  -o, --output   where results go; they keep names, sizes and colour profiles
  --aperture A   how wide the lens is open: 2 blurs twice as much as 1
  --name N       a model of your own, below --checkpoints_dir, or a published one: hf:user/model
  --masks M      auto, a segmenter's name or a folder of masks
  --overwrite    translate photos again whose result is already there
  --version      print the version"""


def words_of_test(argv: Sequence[str]) -> list[str]:
    """What `bokeh` was told, as test.py wants it: a first word without a dash is `--input`, `-o` is `--output`."""
    words = ["--output" if word == "-o" else word for word in argv]
    return ["--input", *words] if words and not words[0].startswith("-") else words


def run(program: str, words: Sequence[str]) -> None:
    """Run a program of this project with `words`; `--version` prints the version instead."""
    if "--version" in words:
        print(f"{PACKAGE} {version(PACKAGE)}")
        return
    sys.argv = [program, *words]
    # A path and not a module: another `test` is in Python's own library. Spawned workers find the modules here.
    sys.path.insert(0, str(ROOT))
    runpy.run_path(str(ROOT / program), run_name="__main__")


def bokeh() -> None:
    """test.py on photos of any kind."""
    argv = sys.argv[1:]
    if not argv or set(argv) & {"-h", "--help"}:
        print(USAGE)
        return
    run("test.py", ["--help"] if "--help_all" in argv else words_of_test(argv))


def train() -> None:
    """train.py."""
    run("train.py", sys.argv[1:])


def masks() -> None:
    """deeplab/inference.py."""
    run("deeplab/inference.py", sys.argv[1:])


def studio() -> None:
    """scripts/studio.py, which serves the studio if nothing else is asked of it."""
    run("scripts/studio.py", sys.argv[1:] or ["--serve"])
