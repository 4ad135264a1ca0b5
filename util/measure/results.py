"""What `--results` names: folders of pictures, each a method or a method at one strength."""

import re
from dataclasses import dataclass
from pathlib import Path

from util.errors import UserError


@dataclass(frozen=True)
class Result:
    """A folder of outputs of the method `name`, made with `strength` where it was tried at several.

    `label` says which pictures of the folder, as fake_B_noMask; empty: the output.
    """

    name: str
    folder: Path
    strength: float | None = None
    label: str = ""

    @property
    def title(self) -> str:
        """What sets it apart from all others: `name` or `name@strength`."""
        return self.name if self.strength is None else f"{self.name}@{self.strength:g}"


def parse_result(argument: str) -> Result:
    """`NAME=DIR`, `NAME@STRENGTH=DIR`, or `DIR` named after the experiment (`results/<name>/<phase>_<epoch>`).

    `:LABEL` behind DIR says which pictures: `results/mine/test_latest:fake_B_noMask`.

    Raises:
        UserError: the strength is not a number.
    """
    name, separator, place = argument.partition("=")
    folder, label = split_label(place if separator else argument)
    if not separator:
        name = folder.parent.name if re.fullmatch(r"(train|val|test)_\w+", folder.name) else folder.name
        return Result(f"{name} {label}".rstrip(), folder, label=label)
    method, at, strength = name.rpartition("@")
    if not at:
        return Result(name, folder, label=label)
    try:
        return Result(method, folder, float(strength), label)
    except ValueError:
        raise UserError(
            f"--results {argument}: {strength!r} is no strength; write NAME@2=DIR, with a number behind the @"
        ) from None


def split_label(place: str) -> tuple[Path, str]:
    """`DIR[:LABEL]` -> folder and label. A colon may be part of a path, but a label is one word."""
    parts = re.fullmatch(r"(.+):(\w+)", place)
    if parts is None or Path(place).exists():
        return Path(place), ""
    return Path(parts[1]), parts[2]


def check_names(names: list[str]) -> None:
    """Raises UserError if two methods would share a row of the table or the files of their pictures."""
    by_file: dict[str, str] = {}
    for name in names:
        # Some disks don't tell cases apart.
        file = file_name(name).lower()
        if file in by_file:
            raise UserError(
                f"--results: {by_file[file]} and {name} are too much alike; name them: --results one=DIR two=DIR"
            )
        by_file[file] = name


def file_name(method: str) -> str:
    """The method's name as a part of file names."""
    return re.sub(r"[^\w.-]+", "_", method)
