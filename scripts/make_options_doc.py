"""Write docs/options.md from the parsers of train.py and test.py.

python scripts/make_options_doc.py            # write it
python scripts/make_options_doc.py --check    # fail if it is not current
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data import find_dataset_using_name
from models import find_model_using_name
from options import TestOptions, TrainOptions
from util.errors import UserError, command_line
from util.files import write_text

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "options.md"
HEADER = """# Options

Made by `python scripts/make_options_doc.py` from the parsers; `--help` shows the same for one model and dataset.
Names after the first are older forms that mean the same. Models and datasets add options and change defaults.
"""

Extend = Callable[[argparse.ArgumentParser, bool], argparse.ArgumentParser]


def page() -> str:
    """The whole page."""
    parts = [HEADER]
    for program, options in (("train.py", TrainOptions()), ("test.py", TestOptions())):
        common = options.common_parser()
        parts.append(f"## {program}\n")
        for group in common._action_groups:
            actions = [action for action in group._group_actions if action.dest != "help"]
            if actions:
                parts += [f"### {group.title}\n", table(actions)]
        for flag, extend in extensions():
            extended = extend(options.common_parser(), options.isTrain)
            parts += section(flag, common, extended)
    return "\n".join(parts)


def extensions() -> Iterator[tuple[str, Extend]]:
    """The flag that chooses each model and dataset, and what it adds to a parser."""
    for path in sorted((ROOT / "models").glob("*_model.py")):
        name = path.stem.removesuffix("_model")
        if name != "base":
            yield f"--model {name}", find_model_using_name(name).modify_commandline_options
    for path in sorted((ROOT / "data").glob("*_dataset.py")):
        name = path.stem.removesuffix("_dataset")
        if name != "base":
            yield f"--dataset_mode {name}", find_dataset_using_name(name).modify_commandline_options


def section(flag: str, common: argparse.ArgumentParser, extended: argparse.ArgumentParser) -> list[str]:
    """Headline, new options and changed defaults of what `flag` chooses; nothing if there are none."""
    before = {action.dest: common.get_default(action.dest) for action in common._actions}
    after = {action.dest: extended.get_default(action.dest) for action in extended._actions}
    added = [action for action in extended._actions if action.dest not in before]
    changed = [f"`--{name} {after[name]}`" for name in before if after[name] != before[name]]
    if not added and not changed:
        return []
    lines = [f"### With `{flag}`\n"]
    lines += [f"Other defaults: {', '.join(changed)}.\n"] if changed else []
    return lines + ([table(added)] if added else [])


def table(actions: Sequence[argparse.Action]) -> str:
    """A table of options, one line each."""
    lines = ["| option | default | meaning |", "|---|---|---|"]
    for action in actions:
        names = ", ".join(f"`{name}`" for name in action.option_strings)
        choices = f"; one of {', '.join(map(str, action.choices))}" if action.choices else ""
        text = f"{action.help or ''}{choices}".replace("%%", "%").replace("|", "\\|")
        lines.append(f"| {names} | {default(action)} | {text} |")
    return "\n".join(lines) + "\n"


def default(action: argparse.Action) -> str:
    """What an option is without being given."""
    if action.nargs == 0:
        return "off" if action.default in (False, None, argparse.SUPPRESS) else "on"
    return f"`{action.default}`" if action.default not in ("", None, argparse.SUPPRESS, []) else ""


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is not current")
    args = parser.parse_args(argv)
    if not args.check:
        write_text(PAGE, page())
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        raise UserError(f"{PAGE}: not current; run python scripts/make_options_doc.py")


if __name__ == "__main__":
    main()
