"""The options of a run, kept beside its checkpoints.

`train_opt.txt` for people, `train_opt.json` for programs, `train_opt.yaml` for `--config` of another run.
"""

import json
import os
from pathlib import Path
from typing import Any

import yaml

from util.errors import UserError
from util.files import write_text
from util.hub import read_config
from util.options import Options

HEADER_OF_YAML = """# The options of this training, all of them. Change what you like, and train again with:
#   python train.py --config train_opt.yaml --name another
"""


def save_options(opt: Options, folder: Path) -> None:
    """Write `train_opt.txt` for people, `train_opt.json` for programs and `train_opt.yaml` for `--config`."""
    write_options(opt, folder / "train_opt.txt")
    text = json.dumps(vars(opt), indent=2, sort_keys=True)
    write_text(folder / "train_opt.json", text + "\n")
    # By way of JSON, tuples are the lists that YAML has.
    lines = yaml.safe_dump(json.loads(text), default_flow_style=None, allow_unicode=True)
    write_text(folder / "train_opt.yaml", HEADER_OF_YAML + lines)


def write_options(opt: Options, path: Path) -> None:
    """Write the options to read, one a line."""
    width = max(len(name) for name in vars(opt))
    lines = [f"{name:>{width}}: {value}" for name, value in sorted(vars(opt).items())]
    write_text(path, "\n".join(lines) + "\n")


def saved_options(folder: str | os.PathLike) -> dict[str, Any]:
    """The options that the model in `folder` was trained with; empty where no `train_opt.json` is.

    Of a published model: those that test.py asks for.
    """
    path = Path(folder) / "train_opt.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return read_config(Path(folder)).get("options", {})
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error}); fix or remove it") from None


def check_new(opt: Options) -> None:
    """Check that a training with `opt` overwrites no other.

    Raises:
        UserError: there is one of that name, which it was not asked to go on with.
    """
    folder = Path(opt.checkpoints_dir, opt.name)
    if not opt.continue_train and (folder / "latest_state.pth").exists():
        raise UserError(
            f"{folder} holds a training already; go on with --continue_train or take another --name"
        )


def check_run(checkpoints_dir: Path, name: str) -> None:
    """Check that there is a run `name` to go on with: a folder with options or weights.

    Raises:
        UserError: there is none; the message lists those that are there.
    """
    folder = checkpoints_dir / name
    if (folder / "train_opt.json").exists() or any(folder.glob("*.pth")):
        return
    there = sorted({path.parent.name for path in checkpoints_dir.glob("*/*.pth")})
    runs = f"there are: {', '.join(there)}" if there else "there are no others; check --checkpoints_dir"
    raise UserError(f"--continue_train: no saved run {name} in {checkpoints_dir}; {runs}")
