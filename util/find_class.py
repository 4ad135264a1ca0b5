"""Classes found by the name of their file: what makes one new file a new model or dataset."""

import importlib
from types import ModuleType

from util.errors import UserError


def find_module(package: str, kind: str, name: str, option: str) -> ModuleType:
    """The module `<package>/<name>_<kind>.py`. `option` is what the user wrote `name` for.

    Raises:
        UserError: there is no such file. What a file imports and can't find stays a `ModuleNotFoundError`.
    """
    module_name = f"{package}.{name}_{kind}"
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise UserError(f"{option} {name}: there is no file {package}/{name}_{kind}.py") from None


def class_in(module: ModuleType, kind: str, name: str, base: type) -> type | None:
    """The class `<Name><Kind>` in `module` that derives from `base`; None if there is none.

    Letter case and the underscores of `name` don't matter.
    """
    wanted = f"{name.replace('_', '')}{kind}".lower()
    for member_name, member in vars(module).items():
        derived = isinstance(member, type) and issubclass(member, base) and member is not base
        if derived and wanted in (member_name.lower(), member.__name__.lower()):
            return member
    return None
