"""The part of a page that a program writes, between two marks."""

from pathlib import Path

from util.errors import UserError
from util.files import write_text


def write_between(page: Path, begin: str, end: str, text: str) -> None:
    """Put `text` in place of what stands between the marks `begin` and `end` in the file `page`.

    Raises:
        UserError: no such file, or no marks in it.
    """
    before, found, rest = (page.read_text(encoding="utf-8") if page.is_file() else "").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise UserError(
            f"--write {page}: no file with the lines {begin} and {end}, between which the table goes"
        )
    write_text(page, f"{before}{begin}\n{text}\n{end}{after}")
