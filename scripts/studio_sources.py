"""What a studio is made of, told without PyTorch: one that is there already is served at once."""

import argparse
import hashlib
import json
from pathlib import Path

from util.files import sha256_of
from util.hub import run_folder

PAGE = Path(__file__).resolve().parents[1] / "util" / "assets" / "studio"


def sources(args: argparse.Namespace) -> str:
    """What a studio is made of, as one word, which changes with the weights, the choices and this project's code."""
    folder = run_folder(args.checkpoints_dir, args.name)
    weights = sorted(
        file for name in (f"{args.epoch}_net_*.pth", "*.safetensors") for file in folder.glob(name)
    )
    files = [*sorted(PAGE.iterdir()), *sorted(Path(__file__).parent.glob("studio*.py")), *weights]
    if Path(args.radius).is_file():
        files.append(Path(args.radius))
    digest = hashlib.sha256(f"{args.name} {args.masks} {args.radius}".encode())
    for file in files:
        digest.update(f"{file.name}{sha256_of(file)}".encode())
    return digest.hexdigest()[:16]


def is_made_of(folder: Path, made_of: str) -> bool:
    """Whether `folder` is a whole studio of these sources."""
    described = folder / "studio.json"
    try:
        return json.loads(described.read_text(encoding="utf-8"))["made_of"] == made_of
    except (OSError, ValueError, KeyError, TypeError):
        return False
