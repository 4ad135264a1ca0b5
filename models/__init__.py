"""Models: batch -> losses and images. May import `data` and `util`."""

from argparse import Namespace

from models.base_model import BaseModel
from models.inference.generator import Generator, load_generator
from util.errors import UserError
from util.find_class import find_class

__all__ = ["BaseModel", "Generator", "create_model", "find_model_using_name", "load_generator"]


def find_model_using_name(model_name: str) -> type[BaseModel]:
    """The class `<Name>Model` (letter case and underscores aside) in `models/<name>_model.py`.

    Raises:
        UserError: there is no such file, or no such class in it.
    """
    found = find_class("models", "model", model_name, BaseModel, "--model")
    if found:
        return found
    wanted = f"{model_name.replace('_', '')}model".lower()
    raise UserError(
        f"--model {model_name}: models/{model_name}_model.py has no class derived from BaseModel whose name, "
        f"in lower case, is {wanted}"
    )


def create_model(opt: Namespace) -> BaseModel:
    """The model that `opt.model` names, made from `opt`."""
    return find_model_using_name(opt.model)(opt)
