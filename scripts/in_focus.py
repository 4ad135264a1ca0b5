"""What a lens generator leaves in focus, as pictures: white is the subject, gray a pixel that it has a part of.

    python scripts/in_focus.py --input photos/ --output weights/              # by the model that comes with the code
    python scripts/in_focus.py --input photos/ --output weights/ --name told --masks rvm
    python scripts/evaluate.py --dataroot LAB --truth LAB/truth/wide --results mine=soft --alphas mine=weights

It takes the options of test.py, and the weights are those that its results are mixed with. A picture goes to a PNG file
of the photo's name and size.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from tqdm import tqdm

from models.inference.generator import Generator, GeneratorSettings, load_generator
from models.lens.generator import LensGenerator
from options import TestOptions
from test import masks_of_options
from util.errors import UserError, command_line
from util.failures import end_with, listed_in
from util.hub import run_folder
from util.images import find_by_stem, read_photo, write_pixels
from util.tensors import tensor_to_pixels


@torch.inference_mode()
def in_focus(lens: LensGenerator, photo: torch.Tensor, mask: np.ndarray | None = None) -> torch.Tensor:
    """How much of each pixel of a photo `[3,H,W] in [-1,1]` is in focus, `[1,H,W] in [0,1]`.

    Args:
        lens: in evaluation mode, on the photo's device.
        photo: as `Generator.prepare` makes it.
        mask: `[H,W] in [0,1]`, 1 = subject, for a lens that is told.
    """
    told = None if mask is None else torch.from_numpy(mask)[None, None].float().to(photo.device)
    return lens.decide(photo[None], told).weights[0, :1].float()


def lens_of(generator: Generator) -> LensGenerator:
    """Its network.

    Raises:
        UserError: a generator that paints.
    """
    if not isinstance(generator.net, LensGenerator):
        raise UserError(f"{generator.file}: paints pixels; give a generator of --output_mode lens")
    return generator.net


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Write a picture for each photo of `--input`."""
    opt = TestOptions().parse(argv)
    if not Path(opt.input).is_dir() or not opt.input:
        raise UserError(
            f"--input {opt.input}: say the folder of the photos, and with --output where the pictures go"
        )
    folder = run_folder(opt.checkpoints_dir, opt.name)
    settings = GeneratorSettings.of_options(opt)
    generator = load_generator(folder, opt.epoch, "", opt.device, opt.direction, settings)
    lens = lens_of(generator)
    if lens.takes_mask and not opt.masks:
        raise UserError(f"{generator.file}: is told the subject; give --masks auto, or --masks FOLDER")
    mask_of = masks_of_options(opt) if lens.takes_mask else None
    refused: list[str] = []
    photos = find_by_stem(Path(opt.input))
    for stem, path in tqdm(photos.items(), unit="photo"):
        with listed_in(refused, path):
            photo, _ = read_photo(path)
            mask = mask_of(path, photo) if mask_of else None
            weights = in_focus(lens, generator.prepare(photo).to(generator.device), mask)
            write_pixels(tensor_to_pixels(2 * weights - 1), Path(opt.output) / f"{stem}.png")
    end_with(refused, len(photos))


if __name__ == "__main__":
    main()
