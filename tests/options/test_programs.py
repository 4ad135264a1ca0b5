"""Numeric options of the programs beside train.py and test.py, with values that make no sense; and small crops."""

import argparse
import importlib
import re
from pathlib import Path

import pytest
import torch

from models import create_model
from options import TrainOptions
from util.errors import UserError
from util.ranges import Range, RangedParser

VALUES = ("-1", "0", "nan", "inf", "1000000000", "1e9", "word")
PROGRAMS = {
    "deeplab.inference": ["--dataroot", "photos"],
    "datasets.prepare": ["--input_A", "photos", "--dataroot", "made"],
    "datasets.combine_A_and_B": ["--fold_A", "a", "--fold_B", "b", "--fold_AB", "ab"],
    "datasets.make_demo": [],
    "datasets.make_groups": ["--dataroot", "photos", "--output", "groups"],
    "datasets.make_lab": [],
    "datasets.make_shards": ["--dataroot", "photos", "--output", "shards"],
    "datasets.download_flickr": ["--text", "portrait", "--links", "links.csv"],
    "scripts.evaluate": ["--dataroot", "photos"],
    "scripts.benchmark": [],
    "scripts.peer_blur": ["--input", "photos", "--output", "soft"],
    "scripts.lens_chart": ["chart.png"],
    "scripts.measure_blur": ["--input", "photos", "--output", "maps"],
    "scripts.studio": ["--output", "studio"],
    "scripts.measure_camera": ["--dataroot", "lab"],
    "scripts.measure_matting": [],
}
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_number_ends_a_program_in_a_traceback(program, monkeypatch, tmp_path, capsys):
    """What is out of an option's range is refused by a line that names the option."""
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(program)
    parsers = []

    class Noted(module.RangedParser):
        def parse_args(self, *args, **kwargs):
            parsers.append(self)
            return super().parse_args(*args, **kwargs)

    monkeypatch.setattr(module, "RangedParser", Noted)
    module.parse(PROGRAMS[program])
    walked = 0
    for action in [action for action in parsers[0]._actions if isinstance(action.type, Range)]:
        name = action.option_strings[0]
        for text in VALUES:
            words = [name, *[text] * (action.nargs if isinstance(action.nargs, int) else 1)]
            try:
                module.parse([*PROGRAMS[program], *words])
            except UserError as error:
                assert "\n" not in str(error)
                assert name in str(error), words
            except SystemExit:  # argparse's own: a word that is no number
                assert text in ("nan", "inf", "1e9", "word"), words
            else:
                assert action.type.fits(action.type(text)), words
            walked += 1
    assert walked >= len(VALUES)


def programs() -> list[str]:
    """All modules with a command line of their own."""
    files = (file for folder in ("datasets", "deeplab", "scripts") for file in (ROOT / folder).glob("*.py"))
    return [
        f"{file.parent.name}.{file.stem}"
        for file in sorted(files)
        if re.search(r"Parser\($", file.read_text(), re.MULTILINE) or "Parser(desc" in file.read_text()
    ]


def test_all_programs_with_numbers_are_walked_through(monkeypatch):
    """No option takes a number without a range, and ranges are looked at by all who state them."""
    ranged = set()
    for program in programs():
        parsers = []

        def note(self, argv=None, namespace=None, parsers=parsers):
            parsers.append(self)
            raise SystemExit

        module = importlib.import_module(program)
        monkeypatch.setattr(argparse.ArgumentParser, "parse_args", note)
        with pytest.raises(SystemExit):
            module.main([])
        monkeypatch.undo()
        (parser,) = parsers
        types = [action.type for action in parser._actions]
        assert not {int, float} & set(types), program
        if any(isinstance(kind, Range) for kind in types):
            assert isinstance(parser, RangedParser), program
            ranged.add(program)
    assert ranged == set(PROGRAMS)


@pytest.mark.parametrize(
    ("flags", "least"),
    [([], 24), (["--netD", "n_layers", "--n_layers_D", "2"], 12), (["--netD", "pixel"], 8)],
)
def test_crops_too_small_for_the_networks_are_refused(flags, least):
    """A step on the smallest crop that is allowed works; below it the message names the size."""
    small = [
        "--dataroot",
        "D",
        "--device",
        "cpu",
        "--ngf",
        "2",
        "--ndf",
        "2",
        "--netG",
        "resnet_6blocks",
        *flags,
    ]
    with pytest.raises(UserError, match=rf"--crop_size {least - 4}: too small .* at least {least}"):
        TrainOptions().parse([*small, "--crop_size", str(least - 4)])
    model = create_model(TrainOptions().parse([*small, "--crop_size", str(least)]))
    photos = torch.rand(2, 1, 3, least, least) * 2 - 1
    losses = model.train_step({"A": photos[0], "B": photos[1], "A_paths": ["a"], "B_paths": ["b"]})
    assert all(bool(loss.isfinite()) for loss in losses.values())
