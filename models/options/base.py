"""What a model says about options, in a class that can be read without the model."""

from argparse import ArgumentParser
from typing import Any, ClassVar

from util.options import Options


class ModelOptions:
    """Base of `BaseModel`, which inherits all of it; a model overrides what it has to say.

    Models that come with the code do so in `models/options/`, for a quick start; others may do it in their own class.
    """

    # An option of this model that chooses defaults of others, if there is one, and what its values choose.
    preset_by: ClassVar[str] = ""
    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    # Renders by depth at test, where there is some.
    takes_depth: ClassVar = False

    @staticmethod
    def modify_commandline_options(parser: ArgumentParser, is_train: bool) -> ArgumentParser:
        """Add this model's options to `parser`, or change defaults, and return it."""
        return parser

    @staticmethod
    def uses_masks(opt: Options) -> bool:
        """Whether training with `opt` reads masks; without them the loader does not look for any."""
        return False

    @classmethod
    def mask_policy(cls, opt: Options) -> str:
        """What the loader does about masks in training: `required`, `optional` (read where they are) or `none`."""
        return "required" if cls.uses_masks(opt) else "none"

    @staticmethod
    def check_options(opt: Options) -> None:
        """Raise a `UserError` for training options that contradict each other, before anything is loaded."""
