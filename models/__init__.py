"""Models: batch -> losses and images. May import `data` and `util`."""

import argparse
import importlib

from models.base_model import BaseModel
from models.generator import Generator, load_generator
from util.errors import UserError

__all__ = ["BaseModel", "Generator", "create_model", "find_model_using_name", "load_generator"]


def find_model_using_name(model_name: str) -> type[BaseModel]:
    """The class `<Name>Model` (letter case and underscores aside) in `models/<name>_model.py`.

    Raises:
        UserError: there is no such file, or no such class in it.
    """
    module_name = f"models.{model_name}_model"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if not f"{module_name}.".startswith(f"{error.name}."):  # the file is there, and imports what is not
            raise
        raise UserError(f"--model {model_name}: there is no file models/{model_name}_model.py") from None
    wanted = f"{model_name.replace('_', '')}model".lower()
    for name, value in vars(module).items():
        derived = isinstance(value, type) and issubclass(value, BaseModel) and value is not BaseModel
        if derived and name.lower() == wanted:
            return value
    raise UserError(
        f"--model {model_name}: models/{model_name}_model.py has no class derived from BaseModel whose name, "
        f"in lower case, is {wanted}"
    )


def create_model(opt: argparse.Namespace) -> BaseModel:
    """The model that `opt.model` names, made from `opt`."""
    return find_model_using_name(opt.model)(opt)
