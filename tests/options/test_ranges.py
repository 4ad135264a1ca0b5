"""Every option of train.py and test.py with values that make no sense: refused by one line, or a run that works."""

import math

import pytest

from options import TestOptions, TrainOptions
from util.errors import UserError
from util.ranges import Range, count_or_all, decay, finite, non_negative, port, positive, positive_int, share

VALUES = ("-1", "0", "nan", "inf", "1000000000", "word")
MODELS = ("cycle_gan", "pix2pix", "cut", "lens", "defocus", "radius", "template")


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (positive_int, [1, 10**9], [0, -1]),
        (positive, [1e-9, 1e9], [0, -1, math.nan, math.inf]),
        (non_negative, [0, 1e9], [-1e-9, math.nan, math.inf]),
        (finite, [-1e9, 0], [math.nan, math.inf, -math.inf]),
        (share, [0, 1], [-0.1, 1.1, math.nan]),
        (decay, [0, 0.999], [1, -0.1, math.nan]),
        (port, [1, 65535], [0, 65536]),
    ],
)
def test_ranges_hold_what_they_say(kind, good, bad):
    assert all(kind.fits(value) for value in good)
    assert not any(kind.fits(value) for value in bad)


def test_minus_one_means_all_and_nothing_else_is_below_one():
    assert count_or_all("-1") == math.inf and count_or_all.fits(count_or_all("-1"))
    assert not count_or_all.fits(count_or_all("0")) and not count_or_all.fits(count_or_all("-2"))
    with pytest.raises(ValueError):
        count_or_all("word")


def outcome(options, flags) -> str:
    """`works`, or the line that refuses; anything but a UserError or argparse's own ending is a failure."""
    try:
        options.parse(flags)
    except UserError as error:
        return str(error)
    except SystemExit:
        return "argparse"
    return "works"


@pytest.mark.parametrize("model", MODELS)
def test_no_number_ends_training_options_in_a_traceback(model, capsys):
    walk(TrainOptions(), ["--dataroot", "D", "--model", model, "--device", "cpu"])


def test_no_number_ends_test_options_in_a_traceback(capsys):
    walk(TestOptions(), ["--dataroot", "D", "--device", "cpu"])


def in_range(kind: Range, text: str) -> bool:
    """Whether `text` is a number that `kind` takes."""
    try:
        return kind.fits(kind(text))
    except ValueError:
        return False


def walk(options, flags) -> None:
    """Give every numeric option of these options every one of `VALUES`; those that are out of range are refused."""
    walked = 0
    for action in options.parser(flags)._actions:
        if not isinstance(action.type, Range) and action.type not in (int, float):
            continue
        name = action.option_strings[0]
        for text in VALUES:
            given = [text] * (action.nargs if isinstance(action.nargs, int) else 1)
            found = outcome(options, [*flags, name, *given])
            assert "\n" not in found
            if isinstance(action.type, Range):
                assert in_range(action.type, text) or found != "works", (name, text)
            walked += 1
    assert walked > 100


@pytest.mark.parametrize("name", ["", " ", ".", ".."])
def test_an_experiment_needs_a_name(name):
    with pytest.raises(UserError, match="--name"):
        TrainOptions().parse(["--dataroot", "D", "--name", name, "--device", "cpu"])
