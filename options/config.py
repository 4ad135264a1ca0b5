"""`--config run.yaml`: options from a file, under the names of the command line, which wins over it.

    dataroot: ./datasets/portraits
    lambda_mask: 1
    vgg19_loss: true
    lens_radii: [2, 4, 8]

JSON, being YAML, will do as well. What a run saved, `train_opt.yaml`, is such a file.
"""

import difflib
from argparse import Action, ArgumentError, ArgumentParser
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from util.errors import UserError
from util.ranges import Range, check_ranges

# What only the saved options of a training hold, no file that somebody wrote.
MARK_OF_SAVED = "isTrain"
# Belong to one call of a program, not to a file that many may use.
_NOT_IN_FILES = ("config", "help")
_YES, _NO, _UNSET = ("true", "yes", "on"), ("false", "no", "off"), ("null", "~")
_INFINITE = (".inf", "inf", "infinity")


@dataclass(frozen=True)
class Config:
    """The options in a file, as words: what is a number or a folder is for the parser to say.

    Args:
        path: the file, for messages; empty where none was given.
        words: name -> its value as written, a list of them where there are several.
    """

    path: str = ""
    words: dict[str, str | list[str]] = field(default_factory=dict)

    @classmethod
    def of_command_line(cls, argv: Sequence[str]) -> "Config":
        """The file that `--config` in `argv` names; without one, no options.

        Raises:
            UserError: no such file, or one that is not `name: value` in YAML or JSON.
        """
        parser = ArgumentParser(add_help=False, allow_abbrev=False)
        parser.add_argument("--config", default="")
        path = parser.parse_known_args(list(argv))[0].config
        return cls(path, _read(Path(path))) if path else cls()

    @property
    def is_saved(self) -> bool:
        """Whether a training wrote this file, which then holds all options there were, those of the machine too."""
        return MARK_OF_SAVED in self.words

    def only(self, names: Collection[str]) -> "Config":
        """The options with these names."""
        return Config(self.path, {name: words for name, words in self.words.items() if name in names})

    def without(self, names: Collection[str]) -> "Config":
        """The options but those with these names."""
        return self.only(self.words.keys() - set(names))

    def set_defaults(self, parser: ArgumentParser, is_complete: bool = False) -> None:
        """Make the options in the file defaults of `parser`, which takes those that it knows.

        Args:
            is_complete: `parser` has all options there are; what it doesn't know is an error.

        Raises:
            UserError: a value that the command line would refuse too, or a name that it doesn't know.
        """
        actions = {name: action for action in parser._actions for name in action.option_strings}
        flags, negated = [], {}
        for name, words in self.words.items():
            action = actions.get(f"--{name}")
            if action is None or name in _NOT_IN_FILES:
                if is_complete:
                    raise UserError(f"{self.path}: there is no option {name}{_meant(name, actions)}")
            elif action.nargs != 0:
                flags += _with_values(action, f"--{name}", words)
            elif self._is_on(name, words):
                flags.append(f"--{name}")
            elif isinstance(action.const, bool):
                negated[action.dest] = not action.const
        parser.set_defaults(**self._parsed(parser, flags) | negated)

    def _is_on(self, name: str, words: str | list[str]) -> bool:
        word = words.lower() if isinstance(words, str) else ""
        if word not in (*_YES, *_NO):
            raise UserError(f"{self.path}: {name}: {words}: is on or off; write true or false")
        return word in _YES

    def _parsed(self, parser: ArgumentParser, flags: list[str]) -> dict[str, Any]:
        """What `flags` change of the values of `parser`."""
        parser.exit_on_error = False
        try:
            before = vars(parser.parse_known_args([])[0])
            after = vars(parser.parse_known_args(flags)[0])
            changed = {name: value for name, value in after.items() if value != before.get(name)}
            check_ranges(parser, changed)
        except ArgumentError as error:
            names = [name.removeprefix("--") for name in (error.argument_name or "").split("/")]
            written = next((name for name in names if name in self.words), names[0])
            raise UserError(f"{self.path}: {written}: {error.message}") from None
        except UserError as error:
            raise UserError(f"{self.path}: {str(error).lstrip('-')}") from None
        finally:
            parser.exit_on_error = True
        return changed


def _with_values(action: Action, option: str, words: str | list[str]) -> list[str]:
    """The words of a command line that say the same."""
    if isinstance(words, list):
        return [option, *words]
    if isinstance(action.type, Range) and action.type.all_is is not None and words.lower() in _INFINITE:
        words = str(action.type.all_is)
    # One word: what is behind the sign may begin with a dash.
    return [f"{option}={words}"]


def _meant(name: str, options: Collection[str]) -> str:
    near = difflib.get_close_matches(f"--{name}", options, n=1)
    return f"; did you mean {near[0].removeprefix('--')}?" if near else " for this program, model and dataset"


def _read(path: Path) -> dict[str, str | list[str]]:
    try:
        # Nothing but the text of each value: 007 and 2e-4 are what the command line makes of them, no is a word.
        root = yaml.compose(path.read_text(encoding="utf-8"), yaml.BaseLoader)
    except FileNotFoundError:
        raise UserError(f"--config {path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--config {path}: can't be read ({error})") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "no text"
        raise UserError(f"--config {path}: not valid YAML{line} ({problem})") from None
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise UserError(f"--config {path}: write one option a line, as name: value")
    words: dict[str, str | list[str]] = {}
    for key, value in root.value:
        name, where = key.value, f"--config {path}: line {key.start_mark.line + 1}"
        if name in words:
            raise UserError(f"{where}: {name} stands there twice; leave one of them out")
        values = value.value if isinstance(value, yaml.SequenceNode) else [value]
        if not all(isinstance(part, yaml.ScalarNode) for part in (key, *values)):
            raise UserError(f"{where}: an option is name: value, or name: [value, value]")
        texts = [part.value for part in values]
        if isinstance(value, yaml.SequenceNode):
            words[name] = texts
        # In quotes it is the word and not nothing.
        elif texts[0] not in _UNSET or value.style:
            words[name] = texts[0]
    return words
