"""`--config`: a file says what the command line would, the command line wins, and mistakes name the file."""

import json
import math
from pathlib import Path

import pytest
import yaml

from options import TestOptions, TrainOptions, save_options
from util.errors import UserError


def written(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    return ["--config", str(path)]


def as_words(flags: dict[str, object]) -> list[str]:
    """Options as they are given on a command line; True for a flag."""
    words = []
    for name, value in flags.items():
        values = value if isinstance(value, list) else [] if value is True else [value]
        words += [f"--{name}", *map(str, values)]
    return words


@pytest.mark.parametrize(
    "flags",
    [
        {"dataroot": "photos", "lr": "2e-4", "batch_size": 4, "add_mask": True, "n_epochs": 0},
        {"dataroot": "007", "name": "no", "model": "lens", "lens_radii": [1, 2.5], "focus_range": [0.1, 0.9]},
        {"dataroot": "photos", "batchSize": 3, "niter": 7, "which_model_netG": "unet_128", "crop_size": 128},
        {"dataroot": "photos", "dropout": True, "no_lsgan": True, "gpu_ids": "-1", "load_iter": 300},
        {"dataroot": "photos", "model": "cut", "CUT_mode": "FastCUT", "nce_idt": "true", "display_env": "-x"},
        {"dataroot": "photos", "model": "pix2pix", "lambda_A": 7, "max_dataset_size": -1, "seed": 5},
    ],
)
@pytest.mark.parametrize("dump", [yaml.safe_dump, json.dumps])
def test_a_file_says_what_the_command_line_does(flags, dump, tmp_path):
    words = [f"--{name}={value}" if str(value) == "-x" else None for name, value in flags.items()]
    words = [*as_words({k: v for k, v in flags.items() if v != "-x"}), *filter(None, words)]
    assert vars(TrainOptions().parse(written(tmp_path / "run.yaml", dump(flags)))) == vars(
        TrainOptions().parse(words)
    )


def test_the_command_line_wins(tmp_path):
    config = written(tmp_path / "run.yaml", "dataroot: photos\nbatch_size: 4\nno_dropout: false\nlr: 0.1\n")
    opt = TrainOptions().parse(["--batchSize", "2", *config, "--lr", "0.5"])
    assert (opt.batch_size, opt.lr, opt.no_dropout) == (2, 0.5, False)
    assert TrainOptions().parse([*config, "--no_dropout"]).no_dropout is True


def test_a_file_wins_over_presets_and_saved_options(tmp_path):
    run = tmp_path / "checkpoints" / "run"
    run.mkdir(parents=True)
    (run / "train_opt.json").write_text(
        json.dumps({"dataroot": "photos", "lr": 1e-3, "ngf": 8, "add_mask": True})
    )
    text = f"checkpoints_dir: {run.parent}\nname: run\ncontinue_train: yes\nlr: 0.25\nadd_mask: no\n"
    opt = TrainOptions().parse(written(tmp_path / "run.yaml", text))
    assert (opt.lr, opt.ngf, opt.dataroot, opt.add_mask) == (0.25, 8, "photos", False)

    fast = "dataroot: photos\nmodel: cut\nCUT_mode: FastCUT\n"
    preset = TrainOptions().parse(written(tmp_path / "run.yaml", fast)).lambda_NCE
    assert preset != 3
    assert TrainOptions().parse(written(tmp_path / "run.yaml", fast + "lambda_NCE: 3")).lambda_NCE == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("batch_sise: 4", "run.yaml: there is no option batch_sise; did you mean batch_size?"),
        ("lambda_NCE: 4", "run.yaml: there is no option lambda_NCE"),
        ("config: other.yaml", "run.yaml: there is no option config"),
        ("results_dir: r", "run.yaml: there is no option results_dir"),
        ("batch_size: four", "run.yaml: batch_size: invalid int value: 'four'"),
        ("batchSize: 0", "run.yaml: batch_size 0: must be at least 1"),
        ("load_iter: -1", "run.yaml: load_iter: -1: must be at least 0"),
        ("netG: resnet", "run.yaml: netG: invalid choice: 'resnet'"),
        ("focus_range: 1", "run.yaml: focus_range: expected 2 arguments"),
        ("gpu_ids: '0,1'", "run.yaml: gpu_ids: one GPU per process"),
        ("add_mask: maybe", "run.yaml: add_mask: maybe: is on or off; write true or false"),
        ("lr: 1\nlr: 2", "run.yaml: line 2: lr stands there twice"),
        ("lr: {a: 1}", "run.yaml: line 1: an option is name: value"),
        ("- lr", "run.yaml: write one option a line, as name: value"),
        ("lr: 1\nngf: [2", "run.yaml: not valid YAML in line 2"),
        ("lr: \x07", "run.yaml: not valid YAML"),
    ],
)
def test_mistakes_give_one_line_that_names_the_file(text, message, tmp_path):
    with pytest.raises(UserError) as caught:
        TrainOptions().parse(["--dataroot", "photos", *written(tmp_path / "run.yaml", text)])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_not_there_or_empty(tmp_path):
    with pytest.raises(UserError, match=r"--config .*missing\.yaml: no such file"):
        TrainOptions().parse(["--config", str(tmp_path / "missing.yaml")])
    with pytest.raises(UserError, match="can't be read"):
        TrainOptions().parse(["--config", str(tmp_path)])
    nothing = written(tmp_path / "run.yaml", "# nothing yet\nnorm_D: null\n")
    plain = ["--dataroot", "photos"]
    assert vars(TrainOptions().parse([*plain, *nothing])) == vars(TrainOptions().parse(plain))


MODELS = (
    ["--no_dropout", "--max_dataset_size", "5"],
    ["--model", "cut", "--CUT_mode", "FastCUT", "--dropout"],
    ["--model", "lens", "--lens_radii", "1", "3", "--mask_input"],
    ["--model", "pix2pix", "--lambda_A", "7", "--norm_D", "spectral"],
    ["--model", "radius"],
    ["--model", "defocus", "--epoch_count", "3", "--suffix", "{model}"],
)


@pytest.mark.parametrize("flags", MODELS, ids=lambda flags: flags[1])
def test_a_saved_file_trains_the_same_again(flags, tmp_path):
    opt = TrainOptions().parse(["--dataroot", "Fotos für mich", "--device", "cpu", "--name", "null", *flags])
    save_options(opt, tmp_path)
    again = TrainOptions().parse(["--config", str(tmp_path / "train_opt.yaml"), "--device", "cpu"])
    assert vars(again) == vars(opt)
    # All are there, so that later defaults don't change an old run.
    saved = yaml.safe_load((tmp_path / "train_opt.yaml").read_text(encoding="utf-8"))
    assert saved == json.loads((tmp_path / "train_opt.json").read_text())
    assert saved.keys() == vars(opt).keys()
    assert "--max_dataset_size" in flags or saved["max_dataset_size"] == math.inf


def test_test_py_takes_the_run_from_its_saved_file(tmp_path):
    run = {"dataroot": "photos", "name": "run", "direction": "BtoA", "batch_size": 4, "lr": 0.1}
    save_options(TrainOptions().parse(as_words(run)), tmp_path)
    opt = TestOptions().parse(["--config", str(tmp_path / "train_opt.yaml"), "--num_test", "3"])
    assert (opt.name, opt.dataroot, opt.direction, opt.num_test) == ("run", "photos", "BtoA", 3)
    assert (opt.phase, opt.preprocess, opt.batch_size) == ("test", "none", 1)


def test_test_py_takes_a_file_of_its_own(tmp_path, capsys):
    config = written(tmp_path / "run.yaml", "input: photos\noutput: soft\naperture: 2\ntile: 512\n")
    opt = TestOptions().parse(config)
    assert (opt.input, opt.output, opt.aperture, opt.tile, opt.name) == ("photos", "soft", 2, 512, "portrait")
    assert "using the model that comes with the code" in capsys.readouterr().out
    own = TestOptions().parse([*config, "--name", "mine", "--aperture", "1"])
    assert (own.name, own.aperture, own.masks) == ("mine", 1, "")
    named = written(tmp_path / "named.yaml", "input: photos\noutput: soft\nname: mine\n")
    assert TestOptions().parse(named).name == "mine"
    with pytest.raises(UserError, match=r"run\.yaml: there is no option n_epochs"):
        TestOptions().parse(written(tmp_path / "run.yaml", "dataroot: photos\nn_epochs: 3\n"))
