"""Publish a trained generator: a folder, or a model on Hugging Face's hub, that others run by its name.

    python scripts/publish.py --name portraits --to portraits_to_give/
    python scripts/publish.py --name portraits --to hf:user/portraits --license cc-by-4.0 \\
        --figures results/comparison/figures.json --pictures before.jpg after.jpg
    python test.py --input photos/ --output soft/ --name hf:user/portraits

Writes the weights as safetensors, `config.json` and a model card: the figures are those that evaluate.py wrote, the
pictures those that are named, without their metadata. Uploading takes `hf auth login` once.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models.inference.published import sources, write_published
from options.saved_options import saved_options
from scripts.model_card import CARD_FILE, write_card
from util.errors import UserError, command_line
from util.hub import CONFIG_FILE, hub_errors, is_published, read_config, split


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--name", required=True, help="name of the experiment")
    add("--to", required=True, help="folder to write, or hf:user/model")
    add("--checkpoints_dir", default="./checkpoints", help="where checkpoints are kept")
    add("--epoch", default="latest", help="which checkpoint")
    add(
        "--direction",
        choices=("AtoB", "BtoA"),
        help="which of two generators; default: the one it was trained for",
    )
    add(
        "--no_ema",
        action="store_true",
        help="the last weights, not their average, of a model trained with --ema",
    )
    add(
        "--radius",
        default="",
        help="file of --model radius to go with a lens; default: the one beside it; none",
    )
    add("--title", default="", help="of the model card; default: the name")
    add("--license", default="", help="of the weights, as the hub writes it: mit, cc-by-4.0, ...")
    add("--figures", type=Path, help="figures.json or figures.csv that evaluate.py wrote")
    add("--pictures", type=Path, nargs="+", default=[], help="pictures for the card, in this order")
    add("--private", action="store_true", help="on the hub: only you can see it")
    return parser.parse_args(argv)


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Write the folder, and upload it if asked to."""
    args = parse(argv)
    if is_published(args.name):
        raise UserError(f"--name {args.name}: give the name of a model of your own")
    if not is_published(args.to):
        folder = Path(args.to)
        check_free(folder)
        write(args, folder)
        print(f"{folder}: {', '.join(sorted(file.name for file in folder.iterdir()))}")
        return
    repo, revision = split(args.to)
    if revision:
        raise UserError(f"--to {args.to}: leave out @{revision}; each upload is a new revision")
    with tempfile.TemporaryDirectory() as name:
        write(args, Path(name))
        upload(Path(name), args.to, repo, args.private)


def check_free(folder: Path) -> None:
    """Raise a `UserError` for a folder that holds something else than a published model."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--to {folder}: is a file; give a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / CONFIG_FILE).is_file():
        raise UserError(f"--to {folder}: holds other files; give a new folder, or one of a published model")
    read_config(folder)


def write(args: argparse.Namespace, folder: Path) -> None:
    """Write weights, description and card into `folder`."""
    checkpoints = Path(args.checkpoints_dir) / args.name
    options = saved_options(checkpoints)
    direction = args.direction or options.get("direction", "AtoB")
    options |= {"direction": direction} if options else {}
    files = sources(checkpoints, args.epoch, direction, not args.no_ema, args.radius)
    write_published(files, folder, options)
    command = args.to if is_published(args.to) else folder.name
    write_card(folder, args.title or args.name, command, args.license, args.figures, args.pictures)


def upload(folder: Path, name: str, repo: str, private: bool) -> None:
    """Make the model on the hub what `folder` holds."""
    from huggingface_hub import HfApi

    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    with hub_errors(name):
        api.create_repo(repo, private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=repo, folder_path=folder, commit_message=f"Publish {CARD_FILE} and weights"
        )
    print(f"{name}: published, {done.commit_url}")


if __name__ == "__main__":
    main()
