"""Models: batch -> losses and images. May import `data` and `util`.

PyTorch is imported with the first model or generator, not with this package: options are read before.
"""

import importlib
from typing import TYPE_CHECKING, Any

from models.options import OPTIONS, ModelOptions
from util.find_class import find_class
from util.options import Options

if TYPE_CHECKING:
    from models.base_model import BaseModel
    from models.inference.generator import Generator, load_generator

__all__ = [
    "BaseModel",
    "Generator",
    "create_model",
    "find_model_options",
    "find_model_using_name",
    "load_generator",
]

# Names that are found here -> where they are.
_ELSEWHERE = {
    "BaseModel": "models.base_model",
    "Generator": "models.inference.generator",
    "load_generator": "models.inference.generator",
}


def __getattr__(name: str) -> Any:
    if name not in _ELSEWHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_ELSEWHERE[name]), name)


def find_model_using_name(model_name: str) -> "type[BaseModel]":
    """The class `<Name>Model` (letter case and underscores aside) in `models/<name>_model.py`.

    Raises:
        UserError: there is no such file, or no such class in it.
    """
    return find_class("models", "model", model_name, "--model")


def find_model_options(model_name: str) -> type[ModelOptions]:
    """What the model of that name says about options; as `find_model_using_name`, and quicker where it can be."""
    return OPTIONS.get(model_name) or find_model_using_name(model_name)


def create_model(opt: Options) -> "BaseModel":
    """The model that `opt.model` names, made from `opt`."""
    return find_model_using_name(opt.model)(opt)
