"""Classes found by the name of their file: what makes one new file a new model or dataset."""

import importlib

from util.errors import UserError


def find_class(package: str, kind: str, name: str, option: str) -> type:
    """The class `<Name><Kind>` in `<package>/<name>_<kind>.py` that derives from `Base<Kind>` of `base_<kind>.py`.

    Letter case and the underscores of `name` don't matter. `option` is what the user wrote `name` for.

    Raises:
        UserError: there is no such file, or no such class in it. What a file imports and can't find stays a
            `ModuleNotFoundError`.
    """
    file = f"{package}/{name}_{kind}.py"
    module_name = f"{package}.{name}_{kind}"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise UserError(f"{option} {name}: there is no file {file}") from None
    base: type = getattr(importlib.import_module(f"{package}.base_{kind}"), f"Base{kind.capitalize()}")
    title = "".join(part.capitalize() for part in [*name.split("_"), kind])
    for member_name, member in vars(module).items():
        derived = isinstance(member, type) and issubclass(member, base) and member is not base
        if derived and title.lower() in (member_name.lower(), member.__name__.lower()):
            return member
    raise UserError(f"{option} {name}: {file} has no class {title} that derives from {base.__name__}")
