"""Run a trained model.

    python test.py --input photos/ --output soft/ --name portraits         # any photos, results of the same size
    python test.py --input photos/ --output soft/ --name demo --masks auto # a model trained with --mask_input
    python test.py --input photos/ --output soft/ --name portraits --full_res              # large photos
    python test.py --dataroot ./datasets/portraits --name portraits        # testA and testB, with a result page
    python test.py --dataroot ./photos --name portraits --model test       # one folder, one generator
    torchrun --nproc_per_node=4 test.py --input photos/ --output soft/ --name portraits    # on 4 GPUs

The architecture comes from the checkpoint. The mask overlay is off unless --add_mask is given.
"""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from data import create_dataset
from deeplab.mask_sources import mask_source
from models import create_model, load_generator
from models.acceleration import autocast
from models.inference.folder import Translator, translate_folder
from models.inference.generator import GeneratorSettings
from models.inference.large_photos import FullResolution, Tiled
from models.inference.overlaid import Overlaid
from options import Options, TestOptions
from util.distributed import gathered, is_first, process_group, rank, world_size
from util.errors import command_line
from util.html import ResultPage
from util.images import write_image
from util.measure.evaluation import measure_visuals
from util.measure.report import titled
from util.tensors import tensor_to_image


def test_photos(opt: Options) -> None:
    """Translate `--input` into `--output`."""
    folder, settings = Path(opt.checkpoints_dir) / opt.name, GeneratorSettings.of_options(opt)
    generator = load_generator(folder, opt.epoch, "", opt.device, opt.direction, settings)
    translator: Translator = generator
    if opt.tile:
        translator = Tiled(generator, opt.tile)
    elif opt.full_res:
        translator = FullResolution(generator, opt.load_size)
    if opt.add_mask:
        translator = Overlaid(translator)
    translate_folder(
        translator,
        generator.file,
        Path(opt.input),
        Path(opt.output),
        opt.batch_size,
        opt.overwrite,
        mask_source(opt.masks) if opt.masks else None,
    )
    if is_first():
        print(f"results are in {opt.output}")


def test_dataroot(opt: Options) -> None:
    """Run the model over a phase of `--dataroot` and make a result page of everything that it shows."""
    dataset = create_dataset(opt, rank(), world_size())
    model = create_model(opt)
    folder = Path(opt.results_dir) / opt.name / f"{opt.phase}_{opt.epoch}"
    results: dict[str, tuple] = {}  # photo -> its name, files and figures, for the page
    total = int(min(len(dataset), opt.num_test))
    share = len(range(total)[rank() :: world_size()])
    with tqdm(total=share, unit="photo", disable=not is_first()) as bar:
        for batch in dataset:
            model.set_input(batch)
            with autocast(model.device, model.dtype):
                model.test()
            visuals = model.compute_visuals()
            for paths_key, labels in model.visuals_of.items():
                # The smaller domain comes round again until the larger one is through.
                new = [(i, path) for i, path in enumerate(batch[paths_key]) if path not in results]
                for index, path in new[: share - bar.n]:
                    images = {
                        label: tensor_to_image(visuals[label][index]) for label in labels if label in visuals
                    }
                    files = save_visuals(folder, Path(path).stem, images, opt.aspect_ratio)
                    # Photos of both domains may have one name; their folder tells them apart.
                    *_, domain, name = Path(path).parts
                    section = f"Photos of {domain}" if len(model.visuals_of) > 1 else ""
                    figures = titled(measure_visuals(images))
                    results[path] = (f"{domain}/{name}", files, figures, None, section)
            bar.update(min(len(batch["A_paths"]), share - bar.n))
            if bar.n == share:
                break
    of_ranks = gathered(results)
    if of_ranks is not None:
        page = ResultPage(folder, f"{opt.name}: {opt.phase}, epoch {opt.epoch}")
        for result in {path: result for results in of_ranks for path, result in results.items()}.values():
            page.add(*result)
        page.save()
        print(f"results are in {folder / 'index.html'}")


def save_visuals(
    folder: Path, stem: str, images: dict[str, Image.Image], aspect_ratio: float
) -> dict[str, str]:
    """Write `images/<stem>_<label>.png` below `folder`; returns the file of each label."""
    files = {}
    for label, image in images.items():
        if aspect_ratio != 1:
            image = image.resize((round(image.width * aspect_ratio), image.height), Image.Resampling.BICUBIC)
        files[label] = f"images/{stem}_{label}.png"
        write_image(image, folder / files[label])
    return files


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Test on `--input` if it is given, else on `--dataroot`."""
    opt = TestOptions().parse(argv)
    with process_group(opt.device):
        if opt.input:
            test_photos(opt)
        else:
            test_dataroot(opt)


if __name__ == "__main__":
    main()
