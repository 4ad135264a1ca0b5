"""`Options` declares what the parsers state: every option, with the type of its values."""

import argparse
import types
import typing
from pathlib import Path

import pytest

from data.options import OPTIONS as DATASETS
from models.options import OPTIONS as MODELS
from options import Options, TestOptions, TrainOptions
from util.ranges import Range

DECLARED = typing.get_type_hints(Options)
# Follow from other options; no parser states them.
DERIVED = {"isTrain", "mask_policy", "reads_depth"}


def parsers():
    """The parser of each program with each model and dataset, and how it was asked for."""
    for program in (TrainOptions(), TestOptions()):
        for model in [*MODELS, "template"]:
            yield program.parser(["--model", model])
        for dataset in [*DATASETS, "template"]:
            yield program.parser(["--dataset_mode", dataset])


@pytest.fixture(scope="module")
def actions() -> list[tuple[argparse.Action, object]]:
    """All options of all parsers, with their defaults there."""
    return [
        (action, parser.get_default(action.dest))
        for parser in parsers()
        for action in parser._actions
        if action.dest not in ("help", "config") and action.default != argparse.SUPPRESS
    ]


def kinds(name: str) -> set[type]:
    """The types that `name` is declared to have; of a list, those of its entries and `list`."""
    hint = DECLARED[name]
    parts = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    found = set()
    for part in parts:
        found |= {list, *typing.get_args(part)} if typing.get_origin(part) is list else {part}
    return found


def stated(action: argparse.Action) -> set[type]:
    """The types of values that the command line gives this option."""
    if action.dest == "without_effect":
        return {list, str}
    if action.nargs == 0:
        appends = isinstance(action, argparse._AppendConstAction)
        return {type(action.const), list} if appends else {type(action.const)}
    if isinstance(action.type, Range):
        of_each = float if action.type.all_is is not None else action.type.kind
    elif isinstance(action.type, type):
        of_each = action.type
    else:
        returned = typing.get_type_hints(action.type).get("return", str) if action.type else str
        of_each = returned
    many = action.nargs in ("+", "*") or isinstance(action.nargs, int)
    entries = set(typing.get_args(of_each)) or {of_each}
    return {list, *entries} if many else entries


def test_every_option_is_declared_and_nothing_else(actions):
    assert {action.dest for action, _ in actions} | DERIVED == set(DECLARED)


def test_declared_types_are_those_of_the_command_line(actions):
    wrong = {
        action.dest: (stated(action), DECLARED[action.dest])
        for action, _ in actions
        if stated(action) != kinds(action.dest) - {type(None)}
    }
    assert not wrong


def test_an_option_may_be_none_only_if_it_says_so(actions):
    may_be_none = {name for name in DECLARED if type(None) in kinds(name)}
    assert {action.dest for action, default in actions if default is None} == may_be_none


def test_parsed_values_have_the_declared_types():
    of_photos = ["--input", "photos", "--output", "soft", "--name", "mine", "--device", "cpu"]
    for opt in (
        TrainOptions().parse(["--dataroot", "D", "--device", "cpu", "--model", "lens"]),
        TestOptions().parse([*of_photos, "--depth", "auto", "--depth_weights", "W", "--ngf", "3"]),
    ):
        for name, value in vars(opt).items():
            allowed = kinds(name) | ({int} if float in kinds(name) else set())
            assert isinstance(value, tuple(allowed)), (name, value)
    assert opt.depth_weights == Path("W") and opt.without_effect == ["--ngf"]


def test_options_are_equal_by_values_and_know_what_they_have():
    opt = Options(lr=0.1)
    assert opt == Options(lr=0.1) and opt != opt.replace(lr=0.2)
    assert "lr" in opt and "beta1" not in opt
