"""The options of models: what they declare and what can't be said together. May import `models.lens.settings`, `util`.

Nothing here imports PyTorch, so that help and wrong options are told at once, and not after the seconds that it takes.
"""

from models.options.base import ModelOptions
from models.options.cut import CUTOptions
from models.options.cycle_gan import CycleGANOptions
from models.options.defocus import DefocusOptions
from models.options.lens import LensOptions
from models.options.pix2pix import Pix2PixOptions
from models.options.radius import RadiusOptions
from models.options.test import TestModelOptions

# By the name that --model takes. A model that is not here has its options in its own class.
OPTIONS: dict[str, type[ModelOptions]] = {
    "cut": CUTOptions,
    "cycle_gan": CycleGANOptions,
    "defocus": DefocusOptions,
    "lens": LensOptions,
    "pix2pix": Pix2PixOptions,
    "radius": RadiusOptions,
    "test": TestModelOptions,
}
