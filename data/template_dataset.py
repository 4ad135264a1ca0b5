"""A dataset to start your own from: learns to give photos back the tones that a posterised copy has lost.

Copy this file to `data/<mode>_dataset.py`, call the class `<Mode>Dataset`, and `--dataset_mode <mode>` finds it:

    python train.py --dataroot D --name tones --model pix2pix --dataset_mode template --tones 4
"""

from argparse import ArgumentParser
from typing import Any

import numpy as np
import torch

from data.base_dataset import BaseDataset
from data.image_folder import PhotoFolder
from util.options import Options
from util.ranges import positive_int


class TemplateDataset(BaseDataset):
    """B is a photo of `<dataroot>/<phase>A`, A the same with few tones."""

    @staticmethod
    def modify_commandline_options(parser: ArgumentParser, is_train: bool) -> ArgumentParser:
        """Options of this dataset alone; `set_defaults` changes those of others."""
        parser.add_argument(
            "--tones", type=positive_int, default=4, help="tones left in each channel of A, 2 or more"
        )
        return BaseDataset.modify_commandline_options(parser, is_train)

    def __init__(self, opt: Options) -> None:
        """Find the photos. `scan` stops the run, with a list, if any of them can't be used."""
        super().__init__(opt)
        (self.photos,) = self.scan([PhotoFolder.of_domain(opt, "A", opt.output_nc)])

    def __len__(self) -> int:
        """Number of photos in an epoch."""
        return len(self.photos)

    def load(self, index: int, rng: np.random.Generator) -> dict[str, Any]:
        """One item: images `[C,H,W] in [-1,1]`, and their files for logs and pages.

        `read` decodes, scales, crops and mirrors as the options say, a mask with its photo. For random
        choices of your own use `rng`: then a run can be repeated and resumed.
        """
        item = self.read("B", self.photos[index], rng)
        last = self.opt.tones - 1
        tones = torch.round((item["B"] + 1) / 2 * last) / last * 2 - 1
        return item | {"A": tones, "A_paths": item["B_paths"]}
