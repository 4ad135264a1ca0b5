"""Models and datasets are found by name: the copies that the README tells to make, and what is said otherwise."""

import sys
from pathlib import Path

import pytest

import data
import models
from models import find_model_using_name
from options import TrainOptions
from util.errors import UserError

ROOT = Path(models.__file__).parents[1]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder whose files count as files of `models/` and `data/`."""
    for package in (models, data):
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith(("models.", "data.")):
            del sys.modules[name]


def copy(template: str, to: Path, old: str, new: str) -> None:
    """The README's way: copy the template, rename its class."""
    to.write_text((ROOT / template).read_text().replace(old, new))


def test_copies_of_the_templates_are_found_with_their_options(folder):
    copy("models/template_model.py", folder / "regression_model.py", "TemplateModel", "RegressionModel")
    copy("data/template_dataset.py", folder / "old_film_dataset.py", "TemplateDataset", "OldFilmDataset")
    words = ["--dataroot", "D", "--model", "regression", "--dataset_mode", "old_film", "--device", "cpu"]
    opt = TrainOptions().parse([*words, "--lambda_regression", "3", "--tones", "7"])
    assert (opt.lambda_regression, opt.tones) == (3.0, 7)
    assert find_model_using_name("regression").__name__ == "RegressionModel"
    assert data.find_dataset_using_name("old_film").__name__ == "OldFilmDataset"


def test_letter_case_does_not_matter(folder):
    copy("models/template_model.py", folder / "Film_model.py", "TemplateModel", "FilmModel")
    copy("data/template_dataset.py", folder / "Film_dataset.py", "TemplateDataset", "FilmDataset")
    assert find_model_using_name("Film").__name__ == "FilmModel"
    assert data.find_dataset_using_name("Film").__name__ == "FilmDataset"


@pytest.mark.parametrize("name", ["nothing", "pix2pix.py", "no.such.thing"])
def test_missing_files_are_named(name):
    with pytest.raises(UserError, match=f"there is no file models/{name}_model.py"):
        find_model_using_name(name)
    with pytest.raises(UserError, match=f"there is no file data/{name}_dataset.py"):
        data.find_dataset_using_name(name)


def test_missing_classes_are_named(folder):
    copy("models/template_model.py", folder / "film_model.py", "TemplateModel", "FilmNet")
    with pytest.raises(UserError, match=r"--model film: models/film_model\.py has no class FilmModel that"):
        find_model_using_name("film")
    with pytest.raises(UserError, match=r"models/base_model\.py has no class BaseModel that derives from"):
        find_model_using_name("base")
    with pytest.raises(UserError, match=r"data/base_dataset\.py has no class BaseDataset that derives"):
        data.find_dataset_using_name("base")


def test_a_file_that_imports_what_is_not_there_keeps_its_traceback(folder):
    (folder / "film_model.py").write_text("import no_such_library\n")
    (folder / "film_dataset.py").write_text("import no_such_library\n")
    for find in (find_model_using_name, data.find_dataset_using_name):
        with pytest.raises(ModuleNotFoundError, match="no_such_library"):
            find("film")
