"""Run a trained model.

    python test.py --input photos/ --output soft/ --name portraits         # any photos, results of the same size
    python test.py --dataroot ./datasets/portraits --name portraits        # testA and testB, with a result page
    python test.py --dataroot ./photos --name portraits --model test       # one folder, one generator

The architecture comes from the checkpoint. The mask overlay is off unless --overlay_at_test is given.
"""

from pathlib import Path

from PIL import Image
from tqdm import tqdm

from data import create_dataset
from models import create_model
from options import Options, TestOptions
from util.errors import command_line
from util.html import ResultPage
from util.images import write_image
from util.tensors import tensor_to_image
from util.translate import translate_folder


def test_dataroot(opt: Options) -> Path:
    """Run the model over a dataroot's phase; returns the folder of the result page."""
    dataset = create_dataset(opt)
    model = create_model(opt)
    folder = Path(opt.results_dir) / opt.name / f"{opt.phase}_{opt.epoch}"
    page = ResultPage(folder, f"{opt.name}: {opt.phase}, epoch {opt.epoch}")
    photos: set[str] = set()
    total = int(min(len(dataset), opt.num_test))
    with tqdm(total=total, unit="photo") as bar:
        for batch in dataset:
            model.set_input(batch)
            model.test()
            visuals = model.compute_visuals()
            for index in range(len(batch["A_paths"])):
                for paths, labels in model.visuals_by_photo(batch):
                    stem = Path(paths[index]).stem
                    ...
            bar.update(len(batch["A_paths"]))
    page.save()
    return folder
