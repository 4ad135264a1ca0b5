"""The commands and links of the documents are those of the programs and files that there are."""

import re
import shlex
from pathlib import Path

import pytest

import options.train_options
from options import TestOptions, TrainOptions

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])

# Records of what was measured or of all options; the others are guides.
RECORDS = ("ablation.md", "options.md")
GUIDES = [path for path in DOCUMENTS if path.parent.name == "docs" and path.name not in RECORDS]


def commands() -> list[str]:
    """Lines of the `sh` blocks of all documents, and `python ...` and `bash ...` between backticks in their tables."""
    found = []
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for block in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL):
            found += block.replace("\\\n", " ").splitlines()
        found += re.findall(r"`((?:python|bash) [^`]+)`", text)
    return list(
        dict.fromkeys(line for line in found if re.search(r"\b(python|bash) \w+(/\w+)*\.(py|sh)", line))
    )


def source_of(program: str) -> str:
    """The program's text and that of the modules whose `add_..._options` it calls, and theirs."""
    text = (ROOT / program).read_text(encoding="utf-8")
    modules = re.findall(r"^from ([\w.]+) import [^\n]*\badd_\w+_options\b", text, flags=re.MULTILINE)
    return text + "".join(source_of(f"{module.replace('.', '/')}.py") for module in modules)


@pytest.mark.parametrize("command", commands())
def test_command_is_one_of_the_program(command, monkeypatch):
    """train.py and test.py parse it; other programs exist and know its options by their source."""
    monkeypatch.setattr(options.train_options, "check_loggers", lambda names: None)  # none need be here
    words = shlex.split(command, comments=True)
    words = words[: words.index("&")] if "&" in words else words
    place = next(i for i, word in enumerate(words) if re.fullmatch(r"\w+(/\w+)*\.(py|sh)", word))
    program, arguments = words[place], words[place + 1 :]
    source = source_of(program)
    if program == "train.py" and "--dataroot" in arguments:
        TrainOptions().parse([*arguments, "--device", "cpu"])
    elif program == "test.py" and {"--dataroot", "--input"} & set(arguments):
        TestOptions().parse([*arguments, "--device", "cpu"])
    elif program.endswith(".py") and program not in ("train.py", "test.py"):
        flags = {word.partition("=")[0] for word in arguments if word.startswith("--")}
        assert {flag for flag in flags if f'"{flag}"' not in source} == set()


def test_readme_is_short_and_begins_with_a_picture():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert text.index("![") < text.index("```sh")


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.name)
def test_guides_begin_with_a_command(path):
    title, _, text = path.read_text(encoding="utf-8").partition("\n\n")
    assert title.startswith("# ")
    assert text.startswith(("```sh\n", "```python\n"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(path):
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert missing == []
