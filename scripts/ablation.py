"""Write docs/ablation.md: figures of evaluate.py beside the options that each model was trained with.

    python scripts/evaluate.py --dataroot D --results small=out/small portrait=out/portrait --output results/ablation
    python scripts/ablation.py --figures results/ablation/figures.json --checkpoints_dir checkpoints \\
        --rows small=small portrait=portrait

A row is METHOD=NAME: the figures of METHOD, and checkpoints/NAME/train_opt.json for the command that trained it.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models.architecture import saved_options
from options import TrainOptions
from util.errors import UserError, command_line
from util.files import write_text

# Of one machine or call; the rest of the options is the experiment.
_NOT_THE_EXPERIMENT = {
    "checkpoints_dir", "dataroot", "device", "display_id", "isTrain", "mask_policy", "name", "no_html", "num_threads",
    "print_freq", "save_epoch_freq", "save_latest_freq", "precision",
}  # fmt: skip

FIGURES = ("subject_psnr", "subject_ssim", "gradient_left", "color_error", "halo")
TITLES = ("subject PSNR, dB", "SSIM", "gradient left", "colour error", "halo", "blur match")

NOTES = """`portrait` is tested as `scripts/test_portrait.sh` does; `at_128` is without its `--weights_size`, with
`--focus_range 0.2 0.5`; `without_sharpening` is with `--lens_light srgb` alone; `linear_light` is with
`--lens_light linear`. `unet_128` is tested like `portrait`. `demo` is `pretrained/demo` with `--masks auto`. These test
settings were chosen on the same photos, so the figures flatter them a little. One seed each.
"""


def train_command(saved: dict) -> str:
    """The command that gives the `saved` options, without what is default anyway."""
    model = ["--model", saved["model"]]
    parser = TrainOptions().parser(model)
    words = ["python", "train.py", "--dataroot", "DATAROOT", *model]
    for action in parser._actions:
        name = action.dest
        value = saved.get(name, action.default)
        if name in _NOT_THE_EXPERIMENT | {"model", "help"} or value == action.default:
            continue
        if action.const is not None:  # a switch
            if value == action.const:
                words.append(action.option_strings[0])
        else:
            words += [action.option_strings[0], *map(str, value if isinstance(value, list) else [value])]
    return shlex.join(words)


def row(method: str, figures: dict) -> str:
    """The line of a method in the table."""
    medians = figures["median"]
    # JSON has no infinity: the file says "inf" where a subject is untouched.
    values = {name: float(medians[name]["median"]) for name in FIGURES}
    cells = [f"{value:.{1 if name == 'subject_psnr' else 4}f}" for name, value in values.items()]
    return f"| {method} | {' | '.join(cells)} | {figures['set'].get('blur_match', float('nan')):.3f} |"


def page(content: dict, rows: dict[str, str], checkpoints: Path) -> str:
    """The whole document."""
    unknown = [method for method in rows if method not in content["methods"]]
    if unknown:
        raise UserError(f"--rows: {', '.join(unknown)} is not in the figures")
    lines = [
        "# Ablation",
        "",
        f"Medians over {content['photos']} photos. Made by `scripts/ablation.py`.",
        "",
        NOTES,
    ]
    if "blur_match_of_real_halves" in content:
        high = content["blur_match_of_real_halves"]["quantile_95"]
        lines += [f"Blur match of random halves of the real photos, 95% quantile: {high:.3f}.", ""]
    lines += [f"| method | {' | '.join(TITLES)} |", "|---" * (len(TITLES) + 1) + "|"]
    lines += [row(method, figures) for method, figures in content["methods"].items()]
    lines += ["", "## Commands", ""]
    for method, name in rows.items():
        saved = saved_options(checkpoints / name)
        if not saved:
            raise UserError(f"--rows {method}={name}: {checkpoints / name} has no train_opt.json")
        lines += [f"`{method}`:", "", "```sh", train_command(saved), "```", ""]
    return "\n".join(lines)


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Read the figures and options, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figures", type=Path, required=True, help="figures.json of evaluate.py")
    parser.add_argument("--checkpoints_dir", type=Path, default=Path("checkpoints"), help="where models are")
    parser.add_argument(
        "--rows", nargs="+", required=True, metavar="METHOD=NAME", help="methods and their models"
    )
    parser.add_argument("--output", type=Path, default=Path("docs/ablation.md"), help="page to write")
    args = parser.parse_args(argv)
    if not args.figures.is_file():
        raise UserError(f"--figures {args.figures}: no such file; make it with scripts/evaluate.py")
    rows = dict(text.partition("=")[::2] for text in args.rows)
    content = json.loads(args.figures.read_text(encoding="utf-8"))
    write_text(args.output, page(content, rows, args.checkpoints_dir))


if __name__ == "__main__":
    main()
