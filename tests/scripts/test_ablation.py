"""The ablation page: the command it prints gives the options it was made from."""

import shlex

from options import TrainOptions
from scripts.ablation import row, train_command


def test_command_gives_back_the_options(dataroot):
    given = [
        "--model",
        "lens",
        "--mask_input",
        "--netG",
        "unet_128",
        "--lens_radii",
        "1.5",
        "3",
        "--lr",
        "0.001",
    ]
    opt = TrainOptions().parse(["--dataroot", str(dataroot), "--preprocess", "crop", *given])
    words = shlex.split(train_command(vars(opt)))
    assert words[:2] == ["python", "train.py"]
    again = TrainOptions().parse([str(dataroot) if word == "DATAROOT" else word for word in words[2:]])
    assert vars(again) == vars(opt)


def test_row_of_an_untouched_subject():
    median = {name: {"median": 0.5} for name in ("subject_ssim", "gradient_left", "color_error", "halo")}
    line = row("disc", {"median": median | {"subject_psnr": {"median": "inf"}}, "set": {"blur_match": 0.25}})
    assert line == "| disc | inf | 0.5000 | 0.5000 | 0.5000 | 0.5000 | 0.250 |"
