"""Each folder imports only what the first line of its `__init__.py` allows."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("util", "data", "deeplab", "datasets", "models", "options", "scripts")


def allowed_imports(folder: str) -> set[str]:
    """The folders that the docstring of `folder` names after 'May import', and `folder` itself."""
    docstring = ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text())) or ""
    if "Imports no other folder" in docstring:
        return {folder}
    sentence = docstring.partition("May import")[2]
    assert sentence, f"{folder}/__init__.py does not say what it may import"
    return {folder, *(FOLDERS if "every folder" in sentence else re.findall(r"`(\w+)`", sentence))}


def imports(path: Path) -> set[str]:
    """The project's folders that `path` imports from, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add((node.module or "").partition(".")[0])
    return found & {*FOLDERS, "train", "test", "tests"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports_keep_to_what_the_folder_allows(folder):
    allowed = allowed_imports(folder)
    wrong = {
        str(path.relative_to(ROOT)): sorted(imports(path) - allowed)
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not imports(path) <= allowed
    }
    assert wrong == {}


def test_no_circle_between_folders():
    """Whoever may import a folder may not be imported by it."""
    for folder in FOLDERS:
        for other in allowed_imports(folder) - {folder}:
            assert folder not in allowed_imports(other), (folder, other)
