"""A small dataroot with results, and runs of evaluate.py on it."""

from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from scripts.evaluate import main

SUBJECT = np.s_[30:96, 30:70]


def make_compared(root: Path) -> Path:
    """Three photos with masks, `testA` and `testB`, and outputs with 0.8 of the background's light."""
    mask = np.zeros((96, 112), dtype=np.uint8)
    mask[SUBJECT] = 255
    for folder in ("testA", "testB", "maskA", "maskB", "results/mine/test_latest/images"):
        (root / folder).mkdir(parents=True)
    for n in range(3):
        photo = data.astronaut()[50 * n : 50 * n + 96, 100:212]
        Image.fromarray(photo).save(root / f"testA/a {n}#.png")
        Image.fromarray(photo[::-1]).save(root / f"testB/b{n}.png")
        Image.fromarray(mask).save(root / f"maskA/a {n}#.png")
        Image.fromarray(mask).save(root / f"maskB/b{n}.png")
        output = np.where(mask[..., None] > 0, photo, photo * 0.8).astype(np.uint8)
        Image.fromarray(output).save(root / f"results/mine/test_latest/images/a {n}#_fake_B.png")
        Image.fromarray(photo).save(root / f"results/mine/test_latest/images/a {n}#_real_A.png")
    return root


def evaluate(root, *arguments):
    main(["--dataroot", str(root), "--output", str(root / "out"), "--num_threads", "0", *map(str, arguments)])
