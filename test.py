"""Run a trained model.

    python test.py --input photos/ --output soft/                          # the model that comes with the code
    python test.py --input photos/ --output soft/ --name portraits         # your own; results of the photos' size
    python test.py --input photos/ --output soft/ --name told --masks auto # a model trained with --mask_input
    python test.py --input photos/ --output soft/ --name hf:user/model     # a published one, fetched
    python test.py --input photos/ --output soft/ --name lens --depth auto --focus far      # by a camera, by distance
    python test.py --input photos/ --output soft/ --name portraits --full_res              # large photos
    python test.py --dataroot ./datasets/portraits --name portraits        # testA and testB, with a result page
    python test.py --dataroot ./photos --name portraits --model test       # one folder, one generator
    torchrun --nproc_per_node=4 test.py --input photos/ --output soft/ --name portraits    # on 4 GPUs

The architecture comes from the checkpoint. The mask overlay is off unless --add_mask is given.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data import create_dataset
from models import create_model
from options import FINDS_PEOPLE, Options, TestOptions, write_options
from util.distributed import print0, process_group, rank, world_size
from util.errors import command_line
from util.hub import PREFIX, run_folder
from util.memory import keep_freed_memory
from util.present import present
from util.waiting import wait_shortly

if TYPE_CHECKING:
    from models.inference.translator import MapSource


def test_photos(opt: Options) -> None:
    """Translate `--input` into `--output`."""
    # What needs PyTorch is imported when options are read, and wrong ones told.
    from deeplab.depth_maps import DepthSource
    from models.inference.by_options import translator_of_options, uses_masks, without_effect
    from models.inference.folder import translate_folder
    from models.inference.generator import GeneratorSettings, load_generator
    from models.inference.translator import Sources
    from util.images import list_images
    from util.optics.photo_lens import aperture_of_photo
    from util.optics.presets import BY_EXIF

    # The generator, as the options ask for it.
    folder, settings = run_folder(opt.checkpoints_dir, opt.name), GeneratorSettings.of_options(opt)
    generator = load_generator(folder, opt.epoch, "", opt.device, opt.direction, settings)
    translator = translator_of_options(generator, opt)
    for line in without_effect(opt, [generator.net]):
        print0(line)

    # What it is told of photos besides their pixels.
    photos, sources = Path(opt.input), Sources()
    if opt.masks and uses_masks(opt, generator.net):
        sources = sources._replace(mask_of=masks_of_options(opt))
    if generator.net.takes_depth and (depth_of := DepthSource.of_options(opt)):
        depth_of.prepare(list_images(photos) if photos.is_dir() else [photos])
        sources = sources._replace(depth_of=depth_of)
    if generator.net.takes_depth and opt.lens == BY_EXIF:
        sources = sources._replace(aperture_of=aperture_of_photo)

    # From photo to photo.
    weights, results = present(generator.file), Path(opt.output)
    translate_folder(translator, weights, photos, results, opt.batch_size, opt.overwrite, sources)
    print0(f"results are in {opt.output}")


def masks_of_options(opt: Options) -> "MapSource":
    """Where the masks of photos come from, as `--masks` says."""
    from deeplab.mask_sources import mask_source
    from models.inference.finder import finder
    from models.inference.generator import GeneratorSettings, load_generator

    find = None
    if opt.masks == "auto":
        # It only says where people are: how much is blurred is not asked.
        settings = GeneratorSettings(radius="none")
        find = finder(load_generator(FINDS_PEOPLE, device=opt.device, settings=settings))
    return mask_source(opt.masks, opt.input_size, opt.onnx_mean, opt.onnx_std, find)


def test_dataroot(opt: Options) -> None:
    """Run the model over a phase of `--dataroot` and make a result page of everything that it shows."""
    from models.acceleration import autocast
    from models.inference.by_options import without_effect
    from models.inference.phase import PhaseResults

    dataset = create_dataset(opt, rank(), world_size())
    model = create_model(opt)
    for line in without_effect(opt, model.networks.values()):
        print0(line)
    folder = Path(opt.results_dir) / opt.name.removeprefix(PREFIX) / f"{opt.phase}_{opt.epoch}"
    results = PhaseResults(folder, model.visuals_of, int(min(len(dataset), opt.num_test)), opt.aspect_ratio)
    for batch in results.batches(dataset):
        model.set_input(batch)
        with autocast(model.device, model.dtype):
            model.test()
        results.add(batch, model.compute_visuals())
    if page := results.write_page(f"{opt.name}: {opt.phase}, epoch {opt.epoch}"):
        write_options(opt, folder / "test_opt.txt")
        print(f"results are in {page}")


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Test on `--input` if it is given, else on `--dataroot`."""
    wait_shortly()
    keep_freed_memory()
    opt = TestOptions().parse(argv)
    with process_group(opt.device):
        if opt.input:
            test_photos(opt)
        else:
            test_dataroot(opt)


if __name__ == "__main__":
    main()
