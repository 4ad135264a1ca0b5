"""The ablation: what it runs, and that its page says what was run. The tables on top: test_short_table.py."""

import json
import os
import shlex
import sys

import pytest

import deeplab.inference
from options import TestOptions as OptionsAtTest
from options import TrainOptions
from scripts import ablation, commands
from util.files import write_text


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """The commands that would be run, in an empty folder; the programs themselves have tests of their own."""
    commands = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ablation, "run", lambda command: commands.append(shlex.join(command)))
    return commands


def test_all_flags_exist(dataroot):
    for model in ablation.MODELS.values():
        if not model.comes_with_code:
            base = ["--model", "lens"] if "portrait" in model.script else []
            TrainOptions().parse(["--dataroot", str(dataroot), "--name", "x", *base, *model.flags])
    for row in ablation.ROWS.values():
        program, *flags = ablation.test_command(row, str(dataroot), "out")[1:]
        if row.model is None:
            assert program == "deeplab/inference.py"
            deeplab.inference.parse(flags)
        else:
            assert program == "test.py"
            OptionsAtTest().parse(flags)
            assert row.model in ablation.MODELS


def test_training_is_begun_then_gone_on_with_then_done(ran, tmp_path):
    ablation.train("portrait_2", "D")
    assert ran.pop() == "bash scripts/train_portrait.sh D portrait_2 --seed 2"
    folder = tmp_path / "checkpoints" / "portrait_2"
    (folder / "ablation_done").unlink()
    write_text(folder / "latest_state.pth", "")
    ablation.train("portrait_2", "D")
    assert ran.pop().endswith("train.py --dataroot D --name portrait_2 --continue_train")
    ablation.train("portrait_2", "D")
    ablation.train("portrait", "D")  # comes with the code
    assert not ran


def test_the_models_that_come_along_have_a_dataroot_of_their_own():
    assert ablation.MODELS["portrait"].command("D", "any") == ["bash", "scripts/train_shipped.sh", "PEOPLE"]


def test_line_of_an_untouched_subject():
    names = ("subject_ssim", "gradient_left", "color_error", "halo", "grid")
    median = {name: {"median": 0.5} for name in names} | {"subject_psnr": {"median": "Infinity"}}
    line = ablation.line("disc", {"median": median, "set": {"blur_match": 0.25}})
    assert line == "| disc | inf | 0.5000 | 0.500 | 0.5000 | 0.5000 | 0.5000 | 0.250 |"


def test_page_has_the_figures_and_the_commands_of_its_rows(ran, dataroot, tmp_path, monkeypatch):
    monkeypatch.setattr(ablation, "ROOT", tmp_path)
    median = {name: {"median": number} for number, name in enumerate(ablation.FIGURES)}
    methods = {
        name: {"median": median, "set": {}} for name in ("input", "with_mask_aperture_2", "segmenter_disc_2")
    }
    real = {"halves_median": 0.2, "halves_high": 0.4}
    content = {"photos": 15, "methods": methods, "real_photos": real}
    write_text(tmp_path / ablation.RESULTS / "figures" / "figures.json", json.dumps(content))
    page = tmp_path / "ablation.md"
    ablation.main(["--dataroot", str(dataroot), "--only_page", "--output", str(page)])
    text = page.read_text()
    assert "15 photos that were not among the 4 trained on" in text
    assert "median 0.200, 95% below 0.400" in text
    assert "| input | 0.0 | 1.0000 | 2.000 | 3.0000 | 4.0000 | 5.0000 | nan |" in text
    train, test = text[text.index("```sh") :].splitlines()[1:3]
    assert train.startswith("bash scripts/train_portrait.sh D with_mask --seed 1 --mask_input")
    assert test == "python test.py --input D/testA --output OUT --name with_mask --masks selfie --aperture 2"
    segmenter = text[text.index("`segmenter_disc_2`") :].splitlines()[2:5]
    assert segmenter[1].endswith("--segmenter selfie --soft --refine --smooth disc --radius 2")
    assert segmenter[::2] == ["```sh", "```"]  # nothing is trained


def test_tables_on_top_take_the_place_of_the_old_ones():
    text = f"# Ablation\n\nMade.\n\n## In short\n\nold\n\n## Old\n\n{ablation.EVERY_ROW}\n\nrest\n"
    lines = ["## In short", "", "| a | 1 | 2 |", ""]
    once = ablation.with_short_tables(text, lines)
    assert "ld\n" not in once and once.endswith(f"{ablation.EVERY_ROW}\n\nrest\n")
    assert "| a | 1 | 2 |" in once and once.startswith("# Ablation\n\nMade.\n\n## In short\n")
    assert ablation.with_short_tables(once, lines) == once


def test_a_program_is_run_in_this_process(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(commands, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setattr(sys, "path", [*sys.path])
    write_text(
        tmp_path / "program.py", "import os, sys\nprint(__name__, os.getpid(), sys.argv[1:])\nsys.exit(3)\n"
    )
    with pytest.raises(SystemExit, match="3"):
        ablation.run_here(["python", "program.py", "--a", "b c"])
    assert capsys.readouterr().out.splitlines()[1] == f"__main__ {os.getpid()} ['--a', 'b c']"
