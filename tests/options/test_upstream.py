"""Command lines that users of pytorch-CycleGAN-and-pix2pix type: all are accepted, and mean what they mean there."""

import json
import shlex

import pytest

import options.train_options
from options import TestOptions, TrainOptions

CYCLE_GAN = "train.py --dataroot ./datasets/maps --name maps_cyclegan --model cycle_gan"
PIX2PIX = "train.py --dataroot ./datasets/facades --name facades_pix2pix --model pix2pix --direction BtoA"
TEST_PIX2PIX = "test.py --dataroot ./datasets/facades --name facades_pix2pix --model pix2pix --direction BtoA"
ONE_WAY = (
    "test.py --dataroot datasets/horse2zebra/testA --name horse2zebra_pretrained --model test --no_dropout"
)
OLD_DECAY = "--niter 1 --niter_decay 0 --save_latest_freq 10 --print_freq 1"

# What is typed, and what comes of it.
LINES = {
    f"{CYCLE_GAN} --pool_size 50 --no_dropout": {"pool_size": 50, "no_dropout": True, "norm": "instance"},
    f"{CYCLE_GAN} --use_wandb": {"logger": ["wandb"], "lambda_identity": 0.5},
    f"{CYCLE_GAN} --use_wandb --wandb_project_name maps": {"logger_project": "maps"},
    f"{CYCLE_GAN} {OLD_DECAY} --display_id -1": {"display_id": -1, "n_epochs": 1, "n_epochs_decay": 0},
    f"{CYCLE_GAN} --display_id 0 --display_ncols 0 --display_freq 1 --no_html": {
        "display_id": 0,
        "no_html": True,
    },
    f"{CYCLE_GAN} --display_ncols 4 --display_env main --display_server http://myserver.com": {
        "display_ncols": 4
    },
    f"{CYCLE_GAN} --display_ncols -1": {"display_ncols": -1},
    f"{CYCLE_GAN} --norm sync_batch": {"norm": "syncbatch"},
    f"{CYCLE_GAN} --norm sync_instance": {"norm": "instance"},
    f"{CYCLE_GAN} --preprocess scale_width_and_crop --load_size 1024 --crop_size 360": {"crop_size": 360},
    f"{CYCLE_GAN} --preprocess none --crop_size 255 --load_size 100": {"preprocess": "none"},
    f"{CYCLE_GAN} --preprocess crop --batch_size 4 --serial_batches --no_flip": {"serial_batches": True},
    f"{CYCLE_GAN} --save_by_iter --verbose --suffix {{model}}_{{netG}}": {
        "name": "maps_cyclegan_cycle_gan_resnet_9blocks",
        "save_by_iter": True,
    },
    f"{CYCLE_GAN} --lambda_identity 0 --lambda_A 10 --input_nc 1": {"lambda_identity": 0, "input_nc": 1},
    f"{CYCLE_GAN} --lr_policy lambda --gan_mode wgangp --netD pixel": {"lr_policy": "linear"},
    f"{CYCLE_GAN} --max_dataset_size 10 --num_threads 0 --init_type xavier": {"max_dataset_size": 10},
    PIX2PIX: {
        "netG": "unet_256",
        "norm": "batch",
        "gan_mode": "vanilla",
        "pool_size": 0,
        "direction": "BtoA",
    },
    f"{PIX2PIX} --netG unet_256 --lambda_L1 100 --dataset_mode aligned --norm batch --pool_size 0": {
        "lambda_L1": 100
    },
    "test.py --dataroot ./datasets/maps --name maps_cyclegan --model cycle_gan --phase test --no_dropout": {
        "without_effect": ["--no_dropout"]
    },
    f"{TEST_PIX2PIX} --netG unet_256 --dataset_mode aligned --norm batch --eval": {
        "without_effect": ["--netG", "--norm", "--eval"]
    },
    f"{TEST_PIX2PIX} --use_wandb --num_test 50 --results_dir ./elsewhere": {"num_test": 50},
    ONE_WAY: {"dataset_mode": "single", "model": "test", "preprocess": "none"},
    f"{ONE_WAY} --model_suffix _A --num_test 1": {"model_suffix": "_A"},
    f"{ONE_WAY} --preprocess scale_width --load_size 1024 --crop_size 1024": {"preprocess": "scale_width"},
    f"{ONE_WAY} --load_iter 5000 --display_winsize 512": {"epoch": "iter_5000"},
    f"{ONE_WAY} --epoch 200 --load_iter 0 --aspect_ratio 1.5": {"epoch": "200"},
    "test.py --dataroot ./datasets/facades/testB/ --name facades_pix2pix --model test --netG unet_256 "
    "--direction BtoA --dataset_mode single --norm batch": {"direction": "BtoA"},
}


def parse(line):
    program, *words = shlex.split(line)
    return (TrainOptions() if program == "train.py" else TestOptions()).parse([*words, "--gpu_ids", "-1"])


@pytest.mark.parametrize("line", LINES)
def test_what_users_type_is_accepted(line, monkeypatch):
    monkeypatch.setattr(options.train_options, "check_loggers", lambda names: None)  # wandb need not be here
    opt = parse(line)
    assert {name: getattr(opt, name) for name in LINES[line]} == LINES[line]
    assert opt.device == "cpu"


def test_a_run_is_resumed_with_the_epoch_counted_on(tmp_path):
    folder = tmp_path / "maps_cyclegan"
    folder.mkdir()
    (folder / "train_opt.json").write_text(json.dumps({"dataroot": "./datasets/maps", "batch_size": 3}))
    opt = parse(f"{CYCLE_GAN} --checkpoints_dir {tmp_path} --continue_train --epoch_count 6")
    assert (opt.continue_train, opt.epoch_count, opt.batch_size) == (True, 6, 3)


def test_several_gpus_are_told_how(capsys):
    with pytest.raises(SystemExit):
        parse(f"{CYCLE_GAN} --gpu_ids 0,1,2,3")
    assert "torchrun --nproc_per_node=N train.py" in capsys.readouterr().err
