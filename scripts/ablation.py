"""Train, test and measure every row of docs/ablation.md, and write the page.

    python scripts/ablation.py --dataroot D              # what is done already is not done again; hours on a CPU
    python scripts/ablation.py --dataroot D --rows portrait_1 short
    python scripts/ablation.py --dataroot D --only_page  # from the figures that are there
    python scripts/ablation.py --dataroot D --only_short --lab LAB --photos PHOTOS --published RESULTS --pairs PAIRS

D holds trainA, trainB, testA, testB, maskA, maskB. The last line makes the tables on top: LAB was made by
datasets/make_lab.py; PHOTOS holds testA, matteA and matteA_2; RESULTS the published models' results on portraits of
D/trainA, a folder for each model; PAIRS what `evaluate.py --pairs` reads. scripts/short_table.py says how settings are
chosen and what they are reported on. Stopped and started again it goes on where it was.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts import commands, evaluate
from scripts.short_page import section
from scripts.short_table import ShortTable, Sources
from util.errors import UserError, command_line
from util.files import write_text
from util.images import list_images
from util.measure.report import TITLES

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path("results/ablation")
EVERY_ROW = "## Recipes, on portraits"


@dataclass(frozen=True)
class Model:
    """A model of the table: the script that trains it and what is changed of that."""

    script: str
    flags: tuple[str, ...] = ()
    folder: Path = Path("checkpoints")

    @property
    def comes_with_code(self) -> bool:
        """Whether it is not trained on the dataroot of the table."""
        return self.folder != Path("checkpoints")

    def command(self, dataroot: str, name: str) -> list[str]:
        """What trains it."""
        place = ["PEOPLE"] if self.comes_with_code else [dataroot, name]
        return ["bash", f"scripts/{self.script}", *place, *self.flags]


@dataclass(frozen=True)
class TableRow:
    """A line of the table: a model and how it is tested; without one, a segmenter and a blur behind its mask."""

    model: str | None
    flags: tuple[str, ...] = ()


def portrait(flags: str = "", seed: int = 1) -> Model:
    """The portrait recipe, with changes."""
    return Model("train_portrait.sh", ("--seed", str(seed), *flags.split()))


def painter(flags: str = "") -> Model:
    """A painted output with both masks: the published recipe made small for a CPU, with changes."""
    return Model("train_baseline.sh", (*PAINTER.split(), *flags.split()))


# Half the epochs, for what is compared with each other and not with the recipe.
SHORT = "--n_epochs 15 --n_epochs_decay 15 --lens_radii 1.75 3.5 7 --lens_target 3.5 --soft_range 0.012 0.019"
# As large in training as at test, and a third of the mask loss, which asks for doubt to stay sharp.
TRAINING_256 = "--n_epochs 20 --n_epochs_decay 20 --train_weights_size 256 --lambda_mask 10"
DISCRIMINATOR = "--gan_region background --norm_D none --lambda_R1 1 --diffaugment color,translation"
ADVERSARIAL = f"--lambda_GAN 1 --ndf 32 {DISCRIMINATOR}"
WITH_MASK = (
    "--mask_input --lens_radii 1.25 2.5 5 --lens_target 2.5 --soft_range 0.007 0.015 --focus_range 0.1 0.6 "
    "--n_epochs 15 --n_epochs_decay 15"
)
PAINTER = (
    "--netG resnet_6blocks --ngf 32 --ndf 32 --load_size 256 --crop_size 128 --n_epochs 12 --n_epochs_decay 8 "
    "--seed 1 --precision bf16 --ema 0.99 --add_mask --lambda_mask 1"
)
RESIZE = "--upsample resize --antialias"

MODELS = {
    "portrait_1": portrait(),
    "portrait_2": portrait(seed=2),
    "portrait_3": portrait(seed=3),
    "training_256_1": portrait(TRAINING_256),
    "training_256_2": portrait(TRAINING_256, seed=2),
    "training_256_3": portrait(TRAINING_256, seed=3),
    "short": portrait(SHORT),
    "short_no_focus": portrait(f"{SHORT} --lambda_focus 0"),
    "short_no_augmentation": portrait(f"{SHORT} --augment_zoom 0 --augment_light 0 --augment_paste 0"),
    "short_adversarial": portrait(f"{SHORT} {ADVERSARIAL}"),
    "short_adversarial_no_prior": portrait(f"{SHORT} {ADVERSARIAL} --lambda_lens 0"),
    "with_mask": portrait(WITH_MASK),
    "with_mask_2": portrait(WITH_MASK, seed=2),
    "with_mask_3": portrait(WITH_MASK, seed=3),
    "portrait": Model("train_shipped.sh", folder=Path("pretrained")),
    "portrait_mask": Model("train_shipped.sh", folder=Path("pretrained")),
    "painter": painter(),
    "painter_residual": painter("--output_mode residual"),
    "painter_lens": painter("--output_mode lens"),
    "painter_resize": painter(RESIZE),
    "painter_gan_region": painter("--gan_region background"),
    "painter_norm_D": painter("--norm_D none"),
    "painter_R1": painter("--lambda_R1 1"),
    "painter_diffaugment": painter("--diffaugment color,translation"),
    "painter_cycle_low": painter("--cycle_region low"),
    "painter_cycle_subject": painter("--cycle_region subject"),
    "painter_color": painter("--lambda_color 30"),
    "painter_together": painter(f"{RESIZE} {DISCRIMINATOR} --cycle_region low --lambda_color 30"),
    "painter_cut": painter("--model cut"),
    "painter_fastcut": painter("--model cut --CUT_mode FastCUT"),
}
WIDE = ("--aperture", "2")
TOLD = ("--masks", "selfie")
ONE_RADIUS = ("--radius", "none")
CAREFUL = ("--focus_range", "0.7", "0.95")  # for a network that keeps more than the subject
ROWS = {
    **{
        f"segmenter_disc_{radius:g}": TableRow(None, ("--smooth", "disc", "--radius", f"{radius:g}"))
        for radius in (0.5, 1, 1.5, 2, 3, 4, 6)
    },
    **{f"portrait_{seed}": TableRow(f"portrait_{seed}") for seed in (1, 2, 3)},
    **{f"portrait_{seed}_aperture_2": TableRow(f"portrait_{seed}", WIDE) for seed in (1, 2, 3)},
    "portrait_3_focus_range": TableRow("portrait_3", CAREFUL),
    "portrait_3_focus_range_aperture_2": TableRow("portrait_3", (*CAREFUL, *WIDE)),
    **{f"training_256_{seed}": TableRow(f"training_256_{seed}") for seed in (1, 2, 3)},
    **{f"training_256_{seed}_aperture_2": TableRow(f"training_256_{seed}", WIDE) for seed in (1, 2, 3)},
    "same_blur_for_all": TableRow("portrait_1", ("--soft_range", "0", "0")),
    "linear_light": TableRow("portrait_1", ("--lens_light", "linear")),
    "unstretched": TableRow("portrait_1", ("--focus_range", "0", "1")),
    "at_training_size": TableRow("portrait_1", ("--weights_size", "192")),
    **{name: TableRow(name) for name in MODELS if name.startswith("short")},
    **{f"with_mask{seed}": TableRow(f"with_mask{seed}", TOLD) for seed in ("", "_2", "_3")},
    **{
        f"with_mask{seed}_aperture_2": TableRow(f"with_mask{seed}", (*TOLD, *WIDE))
        for seed in ("", "_2", "_3")
    },
    "shipped": TableRow("portrait"),
    "shipped_aperture_2": TableRow("portrait", WIDE),
    "shipped_mask": TableRow("portrait_mask", TOLD),
    "shipped_mask_aperture_2": TableRow("portrait_mask", (*TOLD, *WIDE)),
    "shipped_one_radius": TableRow("portrait", ONE_RADIUS),
    "shipped_mask_one_radius": TableRow("portrait_mask", (*TOLD, *ONE_RADIUS)),
    **{name: TableRow(name) for name in MODELS if name.startswith("painter")},
    "painter_no_ema": TableRow("painter", ("--no_ema",)),
}

# Their decimals: finer than in evaluate.py's table, whose names they have.
FIGURES = {"subject_psnr": 1, "subject_ssim": 4, "gradient_left": 3, "color_error": 4, "halo": 4, "grid": 4}


def train(name: str, dataroot: str) -> None:
    """Train the model `name` unless it is trained; go on where it was stopped."""
    model = MODELS[name]
    folder = model.folder / name
    if model.comes_with_code or (folder / "ablation_done").exists():
        return
    if (folder / "latest_state.pth").exists():
        run([sys.executable, "train.py", "--dataroot", dataroot, "--name", name, "--continue_train"])
    else:
        run(model.command(dataroot, name))
    write_text(folder / "ablation_done", "")


def test_command(row: TableRow, dataroot: str, output: str) -> list[str]:
    """What makes the results of a row."""
    folders = ["--input", f"{dataroot}/testA", "--output", output]
    if row.model is None:
        masks = ["--segmenter", "selfie", "--soft", "--refine"]
        return ["python", "deeplab/inference.py", *folders, *masks, *row.flags]
    where = ["--name", row.model]
    if MODELS[row.model].comes_with_code:
        where += ["--checkpoints_dir", str(MODELS[row.model].folder)]
    return ["python", "test.py", *folders, *where, *row.flags]


def measure(rows: Sequence[str], dataroot: str) -> None:
    """Test the rows and measure them and the conventional blurs."""
    for name in rows:
        output = str(RESULTS / name)
        run([sys.executable, *test_command(ROWS[name], dataroot, output)[1:], "--overwrite"])
    results = [f"{name}={RESULTS / name}" for name in rows]
    evaluate = [sys.executable, "scripts/evaluate.py", "--dataroot", dataroot, "--results", *results]
    run(
        [*evaluate, "--baselines", "--disc_radii", "1", "2", "3.5", "6", "--output", str(RESULTS / "figures")]
    )


def run(command: list[str]) -> None:
    """Run a program of this repository; one that fails has said why and ends this one."""
    print(f"$ {shlex.join(command)}", flush=True)
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode:
        raise UserError(f"stopped with exit status {done.returncode}: {shlex.join(command)}")


def run_here(command: list[str]) -> None:
    """Run a program of this repository in this process: starting another takes longer than many a result does."""
    print(f"$ {shlex.join(command)}", flush=True)
    commands.run(command[1], command[2:])


def line(method: str, figures: dict) -> str:
    """The line of a method in the table."""
    medians = figures["median"]
    # JSON has no infinity: the file says "Infinity" where a subject is untouched.
    cells = [f"{float(medians[name]['median']):.{decimals}f}" for name, decimals in FIGURES.items()]
    return f"| {method} | {' | '.join(cells)} | {figures['set'].get('blur_match', float('nan')):.3f} |"


def page(content: dict, photos_in_training: int) -> str:
    """The whole document, from the content of `figures.json`."""
    real = content["real_photos"]
    titles = [TITLES[name][0] for name in FIGURES]
    lines = [
        "# Ablation",
        "",
        "Made by `scripts/ablation.py`, which trains, tests and measures. What it shows is said in "
        "[lens.md](lens.md) and, for the rows `painter`, in [adversarial.md](adversarial.md).",
        "",
        EVERY_ROW,
        "",
        f"Medians over {content['photos']} photos that were not among the {photos_in_training} trained on. Blur "
        f"match of random halves of the real photos: median {real['halves_median']:.3f}, 95% below "
        f"{real['halves_high']:.3f}.",
        "",
        f"| method | {' | '.join(titles)} | blur match |",
        "|---" * (len(titles) + 2) + "|",
        *(line(method, figures) for method, figures in content["methods"].items()),
        "",
        "## Commands",
        "",
        "`D` is the dataroot, `OUT` a folder for the results, `PEOPLE` the photos that the models that come along "
        "learned from (their cards tell).",
        "",
    ]
    for method in content["methods"]:
        if method in ROWS:
            row = ROWS[method]
            training = [] if row.model is None else [MODELS[row.model].command("D", row.model)]
            commands = [*training, test_command(row, "D", "OUT")]
            lines += [f"`{method}`:", "", "```sh", *map(shlex.join, commands), "```", ""]
    return "\n".join(lines)


def with_short_tables(text: str, lines: Sequence[str]) -> str:
    """The document with these lines before the tables of recipes, in place of those that were there."""
    before, _, after = text.partition(EVERY_ROW)
    return "\n".join([before.partition("## ")[0].rstrip(), "", *lines, EVERY_ROW]) + after


def short_tables(args: argparse.Namespace) -> list[str]:
    """Run and measure the methods of the tables on top; returns their lines."""
    given = {
        name: getattr(args, name) and getattr(args, name).resolve()
        for name in ("dataroot", "lab", "photos", "published", "pairs")
    }
    # Results and checkpoints lie there.
    os.chdir(ROOT)
    work = RESULTS / "short_table"
    return section(ShortTable(Sources(**given), work, run_here, evaluate.main, args.only_page).rows())


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Train, test, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataroot", type=Path, required=True, help="folder with trainA, trainB, testA, ...")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), help="rows of the table")
    parser.add_argument("--only_page", action="store_true", help="write the page from the figures at hand")
    parser.add_argument("--lab", type=Path, help="scenes of datasets/make_lab.py")
    parser.add_argument(
        "--photos", type=Path, help="folder with testA, matteA, matteA_2: real photos, real size"
    )
    parser.add_argument(
        "--published", type=Path, help="folder of the published models' results, one folder each"
    )
    parser.add_argument(
        "--pairs", type=Path, help="folder of pairs, all in focus and focused on somebody near"
    )
    parser.add_argument(
        "--only_short", action="store_true", help="make the tables on top anew, leave the rest of the page"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "ablation.md", help="page to write")
    args = parser.parse_args(argv)
    args.output = args.output.resolve()
    if args.only_short:
        lines = short_tables(args)
        write_text(args.output, with_short_tables(args.output.read_text(encoding="utf-8"), lines))
        return
    dataroot = str(args.dataroot.resolve())
    figures = ROOT / RESULTS / "figures" / "figures.json"
    if not args.only_page:
        for name in dict.fromkeys(ROWS[row].model for row in args.rows):
            if name is not None:
                train(name, dataroot)
        measure(args.rows, dataroot)
    elif not figures.is_file():
        raise UserError(f"{figures}: no such file; leave --only_page out")
    content = json.loads(figures.read_text(encoding="utf-8"))
    text = page(content, len(list_images(args.dataroot / "trainA")))
    write_text(args.output, with_short_tables(text, short_tables(args)) if args.lab or args.photos else text)


if __name__ == "__main__":
    main()
