"""The command line: names of both generations, checks, and what is taken from an earlier run."""

import json
from pathlib import Path

import pytest
import torch

from options import TestOptions, TrainOptions
from options.device import resolve_device
from util.errors import UserError

TRAIN = ["--dataroot", "photos", "--device", "cpu"]


def train_options(*argv):
    return TrainOptions().parse([*TRAIN, *argv])


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("--batchSize", "batch_size", 3),
        ("--loadSize", "load_size", 300),
        ("--fineSize", "crop_size", 128),
        ("--which_model_netG", "netG", "resnet_6blocks"),
        ("--which_model_netD", "netD", "pixel"),
        ("--nThreads", "num_threads", 7),
        ("--niter", "n_epochs", 50),
        ("--niter_decay", "n_epochs_decay", 25),
        ("--which_epoch", "epoch", "40"),
        ("--which_direction", "direction", "BtoA"),
        ("--resize_or_crop", "preprocess", "scale_width"),
        ("--display_single_pane_ncols", "display_ncols", 3),
    ],
)
def test_old_names_are_aliases(old, new, value):
    assert getattr(train_options(old, str(value)), new) == value
    assert getattr(train_options(f"--{new}", str(value)), new) == value


def test_flags_of_the_fork():
    assert train_options("--no_lsgan").gan_mode == "vanilla"
    assert train_options("--gpu_ids", "-1").device == "cpu"
    assert TestOptions().parse(["--dataroot", "photos", "--how_many", "7"]).num_test == 7


def test_old_values_and_names_of_checkpoints():
    assert train_options("--lr_policy", "lambda").lr_policy == "linear"
    assert train_options("--norm", "sync_batch").norm == "syncbatch"
    assert train_options("--model", "pix2pix", "--lambda_A", "7").lambda_L1 == 7
    assert TestOptions().parse(["--dataroot", "photos", "--load_iter", "300"]).epoch == "iter_300"
    assert TestOptions().parse(["--dataroot", "photos", "--epoch", "5", "--load_iter", "0"]).epoch == "5"


def test_suffix_is_put_behind_the_name():
    opt = train_options("--name", "a", "--suffix", "{model}_{netG}_size{load_size}")
    assert opt.name == "a_cycle_gan_resnet_9blocks_size286"
    assert train_options("--name", "a", "--suffix", "{lambda_A}").name == "a_10.0"
    assert opt.suffix == ""  # a resumed run has the whole name already
    for suffix in ("{nothing}", "{", "{}"):
        with pytest.raises(UserError, match="names no option here"):
            train_options("--suffix", suffix)


def test_suffix_finds_the_run_that_it_made(tmp_path):
    (tmp_path / "a_lens").mkdir()
    (tmp_path / "a_lens" / "train_opt.json").write_text(json.dumps({"model": "lens"}))
    flags = ["--checkpoints_dir", str(tmp_path), "--name", "a", "--suffix", "lens", "--dataroot", "photos"]
    opt = TestOptions().parse(flags)
    assert (opt.name, opt.model) == ("a_lens", "lens")


def test_defaults_are_those_of_the_field():
    opt = train_options()
    expected = {
        "model": "cycle_gan", "netG": "resnet_9blocks", "netD": "basic", "norm": "instance", "ngf": 64, "ndf": 64,
        "load_size": 286, "crop_size": 256, "batch_size": 1, "lr": 2e-4, "beta1": 0.5, "gan_mode": "lsgan",
        "pool_size": 50, "lambda_A": 10, "lambda_B": 10, "lambda_identity": 0.5, "no_dropout": True,
        "lambda_mask": 0, "add_mask": False, "mask_policy": "none", "init_type": "normal", "init_gain": 0.02,
    }  # fmt: skip
    assert {name: getattr(opt, name) for name in expected} == expected


def test_masks_are_required_when_something_uses_them():
    assert train_options("--add_mask").mask_policy == "required"
    assert train_options("--lambda_mask", "1").mask_policy == "required"
    assert TestOptions().parse(["--dataroot", "photos"]).mask_policy == "optional"
    for flag in ("--add_mask", "--overlay_at_test"):
        assert TestOptions().parse(["--dataroot", "photos", flag]).mask_policy == "required"
    with pytest.raises(UserError, match="--add_mask with --input needs masks"):
        TestOptions().parse(["--input", "photos", "--output", "soft", "--name", "mine", "--add_mask"])


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--vgg19_loss"], "--vgg19_loss is a part of the mask loss"),
        (["--lambda_mask", "-1"], "must not be negative"),
        (["--batch_size", "0"], "--batch_size 0"),
        (["--model", "nothing"], "no file models/nothing_model.py"),
        (["--dataset_mode", "nothing"], "no file data/nothing_dataset.py"),
        (
            ["--netG", "unet_256", "--crop_size", "128"],
            "--netG unet_256 needs photos whose sides are multiples of 256",
        ),
        (["--epoch_count", "300"], "nothing to train"),
        (["--device", "cuda:99"], "PyTorch sees"),
        (["--device", "abacus"], "not a device"),
        (["--input_nc", "1"], "--lambda_identity"),
    ],
)
def test_wrong_options_give_one_line(argv, message):
    with pytest.raises(UserError, match=message) as caught:
        train_options(*argv)
    assert "\n" not in str(caught.value)


def test_missing_dataroot_is_named():
    with pytest.raises(UserError, match="--dataroot is missing"):
        TrainOptions().parse([])
    with pytest.raises(UserError, match="nothing to test"):
        TestOptions().parse([])
    with pytest.raises(UserError, match="--input and --output belong together"):
        TestOptions().parse(["--input", "photos"])


def test_a_photo_without_a_name_takes_the_model_that_comes_along(capsys):
    photos = ["--input", "photos", "--output", "soft", "--device", "cpu"]
    opt = TestOptions().parse(photos)
    assert (Path(opt.checkpoints_dir) / opt.name / "latest_net_G.pth").is_file()
    assert opt.masks == ""
    assert TestOptions().parse([*photos, "--masks", "folder"]).masks == "folder"
    assert capsys.readouterr().out.count("no --name") == 2
    for own in (["--name", "mine"], ["--name=mine"]):
        opt = TestOptions().parse([*photos, *own])
        assert (opt.name, opt.checkpoints_dir, opt.masks) == ("mine", "./checkpoints", "")
    assert capsys.readouterr().out == ""


def test_options_of_a_segmenter_need_one_that_looks_at_them():
    photos = ["--input", "photos", "--output", "soft", "--masks"]
    flags = ["--input_size", "320", "--onnx_mean", "0", "0", "0", "--onnx_std", "1", "1", "1"]
    opt = TestOptions().parse([*photos, "onnx:m.onnx", *flags])
    assert (opt.input_size, opt.onnx_mean, opt.onnx_std) == (320, [0, 0, 0], [1, 1, 1])
    assert TestOptions().parse([*photos, "deeplab", *flags[:2]]).input_size == 320
    for masks, stated, message in (
        ("auto", flags[:2], "--input_size is for --masks deeplab and onnx:FILE; auto has a size of its own"),
        ("rvm", flags[2:6], "--onnx_mean, --onnx_std: are for --masks onnx:FILE, not rvm"),
    ):
        with pytest.raises(UserError, match=message):
            TestOptions().parse([*photos, masks, *stated])


def test_options_are_frozen():
    opt = train_options()
    with pytest.raises(AttributeError, match="frozen"):
        opt.lr = 1.0
    assert opt.replace(lr=1.0).lr == 1.0
    assert opt.lr == 2e-4


def test_resumed_run_inherits_options_unless_given_again(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "train_opt.json").write_text(
        json.dumps({"dataroot": "photos", "ngf": 8, "lr": 1e-3, "device": "cuda:7"})
    )
    flags = ["--checkpoints_dir", str(tmp_path), "--name", "run", "--continue_train", "--lr", "0.5"]
    opt = TrainOptions().parse(flags)
    assert (opt.ngf, opt.lr, opt.dataroot) == (8, 0.5, "photos")
    assert opt.device == str(resolve_device("auto"))
    (folder / "train_opt.json").write_text("{")
    with pytest.raises(UserError, match=r"train_opt\.json: not valid JSON"):
        TrainOptions().parse(flags)


def test_testing_takes_the_model_from_the_checkpoint(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    saved = {"model": "cycle_gan", "direction": "BtoA", "input_nc": 1, "output_nc": 1, "preprocess": "crop"}
    (folder / "train_opt.json").write_text(json.dumps(saved))
    flags = ["--checkpoints_dir", str(tmp_path), "--name", "run", "--dataroot", "photos"]
    opt = TestOptions().parse(flags)
    assert (opt.direction, opt.input_nc, opt.output_nc, opt.preprocess) == ("BtoA", 1, 1, "none")
    opt = TestOptions().parse([*flags, "--model", "test"])
    assert (opt.model, opt.dataset_mode) == ("test", "single")


def test_auto_is_the_gpu_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto").type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto").type == "cpu"


def test_habitual_flags_of_test_py_are_accepted_with_one_line(capsys):
    flags = ["--netG", "unet_256", "--norm", "batch", "--ngf", "32", "--no_dropout", "--eval"]
    TestOptions().parse(["--dataroot", "photos", "--device", "cpu", *flags])
    said = capsys.readouterr().out
    assert said.startswith("--netG, --norm, --ngf, --no_dropout, --eval: not needed; the checkpoint decides")
    assert said.count("\n") == 1
    TestOptions().parse(["--dataroot", "photos", "--device", "cpu"])
    assert capsys.readouterr().out == ""


def test_a_missing_name_of_a_model_is_told_with_all_options(capsys):
    for option in ("--model", "--name"):
        with pytest.raises(SystemExit):
            train_options(option)
        said = capsys.readouterr().err
        assert f"argument {option}: expected one argument" in said and "--lambda_A" in said
