"""Depth maps beside the masks: what phones keep in them, else an estimate of Depth Anything V2 Small (Apache-2.0).

    python deeplab/depth.py --dataroot datasets/bokeh              # depthA and depthB, by the photos' stems
    python deeplab/depth.py --input photos --output depths         # a folder
    python deeplab/inference.py --input photos --output soft --smooth lens --depth depths

Everywhere in here depth is inverse and relative: `[H,W] in [0,1]`, 1 is near. Files are 16-bit PNG, near is bright.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from deeplab.depth_maps import DepthSource
from deeplab.jobs import dataroot_jobs, folder_jobs
from util.domains import DOMAINS, PHASES
from util.errors import UserError, command_line
from util.failures import end_with, listed_in
from util.files import is_inside, is_up_to_date
from util.images import read_image, write_pixels
from util.present import present


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read and check the command line.

    Raises:
        UserError: options that don't go together.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--dataroot", type=Path, help="folder with trainA, ...; depth goes to depthA, depthB")
    source.add_argument("--input", type=Path, help="folder of photos")
    parser.add_argument("--output", type=Path, help="where the depth of --input goes")
    parser.add_argument("--depth_weights", type=Path, help="an ONNX file, in place of the download")
    parser.add_argument("--overwrite", action="store_true", help="make maps anew that are there")
    args = parser.parse_args(argv)
    if bool(args.input) != bool(args.output):
        raise UserError(
            "--input and --output belong together; depth of a --dataroot goes to its depthA and depthB"
        )
    if args.input and is_inside(args.output, args.input):
        raise UserError(f"--output {args.output}: lies inside --input; choose a folder outside")
    return args


@command_line
def main(argv: list[str] | None = None) -> None:
    """Write the depth of all photos that have no map yet."""
    args = parse(argv)
    if args.dataroot:
        jobs = dataroot_jobs(args.dataroot, PHASES, DOMAINS, None, None)
        # A map stands where the mask does, in `depthA` for `maskA`.
        masks = [present(job.mask) for job in jobs]
        files = [args.dataroot / mask.parent.name.replace("mask", "depth") / mask.name for mask in masks]
    else:
        jobs = folder_jobs(args.input, args.output, None, None)
        files = [present(job.mask) for job in jobs]
    todo = [
        (job.photo, file)
        for job, file in zip(jobs, files, strict=True)
        if args.overwrite or not is_up_to_date(file, job.photo)
    ]
    refused: list[str] = []
    depth_of = DepthSource("auto", weights=args.depth_weights)
    depth_of.prepare(photo for photo, _ in todo)
    for photo, file in tqdm(todo, unit="photo", disable=not todo):
        with listed_in(refused, photo):
            depth = depth_of(photo, np.asarray(read_image(photo)))
            write_pixels((depth[..., None] * 65535 + 0.5).astype(np.uint16), file)
    end_with(refused, len(todo))


if __name__ == "__main__":
    main()
