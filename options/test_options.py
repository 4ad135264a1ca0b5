"""Options of test.py."""

import sys
from argparse import Action, ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models import find_model_options
from models.lens.settings import add_lens_test_options, asks_for_camera, check_lens_test_options
from options.base_options import BaseOptions
from options.config import Config
from util.errors import UserError
from util.optics.presets import BY_EXIF
from util.options import Options
from util.ranges import count, count_or_all, positive
from util.segmenter_options import add_segmenter_options, check_segmenter_options

# What a checkpoint's own options decide at test: how to build the model and to read photos for it.
_OF_THE_MODEL = {"model", "dataset_mode", "input_nc", "output_nc", "direction", "load_size"}
# What `train_opt.yaml` adds to that: which run, and where the photos are.
_OF_THE_RUN = {"name", "checkpoints_dir", "dataroot"}


# Options of old commands: names, how many values (None = one), and why they don't matter at test.
WITHOUT_EFFECT = (
    ("--netG --which_model_netG --norm --ngf --init_type --init_gain", None, "the checkpoint decides"),
    ("--no_dropout", 0, "the checkpoint decides"),
    ("--netD --which_model_netD --n_layers_D --ndf", None, "there is no discriminator at test"),
    ("--lambda_A --lambda_B --lambda_identity --lambda_mask", None, "there are no losses at test"),
    ("--vgg19_loss", 0, "there are no losses at test"),
    ("--imageSize", None, "masks are made before"),
    ("--ntest --display_id --display_port --wandb_project_name", None, "not used by test.py"),
    ("--use_wandb", 0, "not used by test.py"),
    ("--eval", 0, "networks always run in evaluation mode"),
)


# What `--input` without `--name` runs: the model that comes with the code, which finds people by itself.
PRETRAINED = Path(__file__).resolve().parents[1] / "pretrained"
FINDS_PEOPLE = PRETRAINED / "portrait"
SHIPPED = ("--checkpoints_dir", str(PRETRAINED), "--name", FINDS_PEOPLE.name)


class NotedOnly(Action):
    """An option without effect; its name is noted in the list that `dest` names."""

    def __call__(
        self,
        parser: ArgumentParser,
        namespace: Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), option_string])


class TestOptions(BaseOptions):
    """Common options, and where photos come from and results go."""

    # Not a test case, whatever pytest thinks of the name.
    __test__ = False
    isTrain = False

    def add_options(self, parser: ArgumentParser) -> None:
        super().add_options(parser)
        add = parser.add_argument_group("results").add_argument
        add("--results_dir", default="./results", help="where result pages go")
        add(
            "--num_test",
            "--how_many",
            type=count_or_all,
            default=float("inf"),
            help="at most so many photos; default: all",
        )
        add(
            "--aspect_ratio",
            type=positive,
            default=1.0,
            help="width of result pictures relative to their height",
        )
        add(
            "--no_ema",
            action="store_true",
            help="the last weights, not their average, of a model trained with --ema",
        )
        add(
            "--add_mask",
            "--overlay_at_test",
            action="store_true",
            help="mask overlay: paste the real subject over results; needs masks",
        )

        add_lens_test_options(parser)
        add = parser.add_argument_group("a folder of photos, without a dataroot").add_argument
        add("--input", default="", help="photo or folder of photos of any size and kind")
        add(
            "--output",
            default="",
            help="folder for the results, which keep names, sizes and colour profiles; of one photo, a file too",
        )
        add(
            "--masks",
            default="",
            help="for --add_mask, and for a generator trained with --mask_input: auto makes masks by the best "
            "segmenter there is and adds whom it passes over; rvm, selfie, onnx:FILE and others of "
            "deeplab/segmenters.py by that one alone; anything else is a folder of masks",
        )
        add(
            "--full_res",
            action="store_true",
            help="translate at the scale of training (--load_size), carry the result to the photo's size",
        )
        add("--tile", type=count, default=0, help="translate at full size in tiles of this side; 0 = in one")
        add("--overwrite", action="store_true", help="translate photos again whose result is already there")

        add_segmenter_options(parser.add_argument_group("the segmenter of --masks"))
        add = parser.add_argument_group("accepted without effect, for old commands").add_argument
        for names, nargs, why in WITHOUT_EFFECT:
            for name in names.split():
                add(name, dest="without_effect", action=NotedOnly, nargs=nargs, default=[], help=why)

    def parse(self, argv: Sequence[str] | None = None) -> Options:
        argv = list(sys.argv[1:] if argv is None else argv)
        words = {word.partition("=")[0] for word in argv}
        words |= {f"--{name}" for name in self.config(argv).words}
        if "--input" in words and not words & {"--name", "--checkpoints_dir", "--suffix"}:
            # It stands in front, so that what is given overrides it.
            argv = [*SHIPPED, *argv]
            print("no --name: using the model that comes with the code")
        return super().parse(argv)

    def defaults(self, saved: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in saved.items() if name in _OF_THE_MODEL}

    def of_training(self, config: Config) -> Config:
        return config.only(_OF_THE_MODEL | _OF_THE_RUN)

    def mask_policy(self, opt: Options) -> str:
        return "required" if opt.add_mask else "optional"

    def reads_depth(self, opt: Options) -> bool:
        renders = asks_for_camera(opt) and find_model_options(opt.model).takes_depth
        return renders and not opt.input and opt.depth != "none"

    def check(self, opt: Options) -> None:
        super().check(opt)
        if opt.without_effect:
            print(
                f"{', '.join(opt.without_effect)}: not needed; the checkpoint decides the architecture, there are no "
                "losses, and networks always run in evaluation mode"
            )
        if bool(opt.input) != bool(opt.output):
            raise UserError("--input and --output belong together: photos to read, folder to write")
        if not opt.input and not opt.dataroot:
            raise UserError(
                "nothing to test: give --dataroot D, or --input FOLDER_OR_FILE --output FOLDER_OR_FILE"
            )
        check_lens_test_options(opt)
        of_input = opt.depth not in ("", "none") or opt.depth_far_bright or opt.depth_weights
        if of_input and not opt.input:
            raise UserError(
                "--depth, --depth_far_bright and --depth_weights go with --input; with --dataroot, depths are in its "
                "depthA and depthB (deeplab/depth.py)"
            )
        if opt.lens == BY_EXIF and not opt.input:
            raise UserError(f"--lens {BY_EXIF} goes with --input; with --dataroot, name a lens")
        if opt.masks and not opt.input:
            raise UserError("--masks goes with --input; with --dataroot, masks are in its maskA and maskB")
        check_segmenter_options(opt, "--masks", opt.masks)
        if opt.tile and (opt.full_res or opt.compile):
            raise UserError("--tile goes without --full_res and --compile; leave one of them out")
        if (opt.tile or opt.full_res) and not opt.input:
            raise UserError("--tile and --full_res are for --input")
        if opt.input and opt.add_mask and not opt.masks:
            raise UserError("--add_mask with --input needs masks: give --masks auto, or --masks FOLDER")
