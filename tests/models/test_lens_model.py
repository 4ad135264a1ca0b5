"""The lens model as a user runs it: trained, then used on photos and masks of any size."""

import numpy as np
import pytest
import torch
from PIL import Image

import test as test_program
import train
from models import create_model
from options import TrainOptions
from util.errors import UserError

LENS = ("--model", "lens", "--weights_size", "32", "--batch_size", "2", "--n_epochs_decay", "0")


def test_train_and_test_with_masks(run_flags, dataroot, tmp_path, capsys):
    train.main([*run_flags, *LENS, "--mask_input", "--lambda_GAN", "0.1", "--gan_region", "background"])
    folder = str(tmp_path / "checkpoints")
    flags = ["--checkpoints_dir", folder, "--name", "run", "--device", "cpu"]
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    photo = Image.open(dataroot / "testA" / "test_0.png").resize((90, 70))
    photo.save(photos / "test_0.png")
    with pytest.raises(SystemExit):
        test_program.main([*flags, "--input", str(photos), "--output", str(out)])
    assert "--masks auto" in capsys.readouterr().err
    masked = [*flags, "--input", str(photos), "--output", str(out), "--masks", str(dataroot / "maskA")]
    test_program.main(masked)
    assert Image.open(out / "test_0.png").size == (90, 70)
    test_program.main([*masked, "--aperture", "0", "--overwrite"])
    assert np.array_equal(np.asarray(Image.open(out / "test_0.png")), np.asarray(photo))


def test_all_losses_are_named_and_reach_the_generator(run_flags, dataroot):
    opt = TrainOptions().parse([*run_flags, *LENS])
    model = create_model(opt)
    model.setup()
    x = torch.rand(2, 3, 32, 32) * 2 - 1
    mask = (torch.rand(2, 1, 32, 32) < 0.5).float()
    model.set_input({"A": x, "B": x.flip(0), "mask_A": mask, "mask_B": mask.flip(0)})
    model.forward()
    losses = model.generator_losses()
    assert set(losses) == {"focus_A", "focus_B", "lens_A", "mask_A"}
    for loss in losses.values():
        gradient = torch.autograd.grad(loss, model.netG.net.model[-2].weight, retain_graph=True)[0]
        assert gradient.abs().sum() > 0


def test_lens_target_is_the_blur_behind_the_mask(run_flags):
    """The prior is zero for a generator whose weights are the mask: it is the same renderer."""
    opt = TrainOptions().parse([*run_flags, *LENS, "--lens_target", "64"])
    model = create_model(opt)
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 10:20, 10:20] = 1
    x = torch.rand(1, 3, 32, 32) * 2 - 1
    model.set_input({"A": x, "B": x, "mask_A": mask, "mask_B": mask})
    blurred = model.lens_blur(model.mask_A)
    assert torch.equal(blurred[..., 10:20, 10:20], x[..., 10:20, 10:20])
    assert blurred[..., :8, :].std() < 0.3 * x[..., :8, :].std()


def test_contradictions_are_refused(run_flags):
    for flags, message in ((["--output_mode", "image"], "--output_mode"), (["--add_mask"], "--add_mask")):
        with pytest.raises(UserError, match=message):
            TrainOptions().parse([*run_flags, *LENS, *flags])
