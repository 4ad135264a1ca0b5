"""What the options of test.py make of a trained generator, and which of them it can't follow."""

from argparse import ArgumentParser
from collections.abc import Iterable

from torch import nn

from models.inference.generator import Generator
from models.inference.large_photos import FullResolution, Tiled
from models.inference.overlaid import Overlaid
from models.inference.translator import Translator
from models.lens.settings import add_lens_test_options
from util.options import Options

# What shapes a lens's rendering; the camera's own options have an effect with --camera alone.
OF_A_LENS = (
    "aperture",
    "radius",
    "weights_size",
    "lens_light",
    "focus_range",
    "soft_range",
    "matting",
    "camera",
    "lens",
    "depth",
    "focus",
)


def translator_of_options(generator: Generator, opt: Options) -> Translator:
    """`generator` as options of testing a folder of photos ask for it: in tiles, at a small size, under the overlay."""
    translator: Translator = generator
    if opt.tile:
        translator = Tiled(generator, opt.tile)
    elif opt.full_res:
        translator = FullResolution(generator, opt.load_size)
    return Overlaid(translator, opt.matting == "auto") if opt.add_mask else translator


def without_effect(opt: Options, nets: Iterable[nn.Module]) -> list[str]:
    """A line for each kind of option in `opt` that none of `nets` takes notice of: not passed over in silence."""
    nets = list(nets)
    lines = []
    stated = ArgumentParser()
    add_lens_test_options(stated)
    # The overlay takes a matte, too.
    given = [
        f"--{name}"
        for name in OF_A_LENS
        if getattr(opt, name) != stated.get_default(name) and not (name == "matting" and opt.add_mask)
    ]
    if given and not any(getattr(net, "scales_itself", False) for net in nets):
        lines.append(
            f"{', '.join(given)}: no effect; this generator paints, they are for one trained with --output_mode lens"
        )
    if opt.masks and not any(uses_masks(opt, net) for net in nets):
        lines.append(
            "--masks: no effect; this generator was trained without --mask_input. --add_mask pastes the subject over "
            "its results"
        )
    return lines


def uses_masks(opt: Options, net: nn.Module) -> bool:
    """Whether masks act on the results of `net`: by itself or by the overlay."""
    return opt.add_mask or getattr(net, "takes_mask", False)
