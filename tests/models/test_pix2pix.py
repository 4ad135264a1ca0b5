"""pix2pix against its formulas written down a second time, and its defaults against the original's."""

import copy

import pytest
import torch
import torch.nn.functional as F

from models import create_model
from options import TrainOptions
from util.errors import UserError

FLAGS = [
    *("--dataroot", "unused", "--model", "pix2pix", "--device", "cpu", "--netG", "resnet_6blocks"),
    *("--ngf", "4", "--ndf", "4", "--no_dropout", "--dataset_mode", "unaligned"),
]


def options(*argv):
    return TrainOptions().parse([*FLAGS, *argv])


def batch():
    generator = torch.Generator().manual_seed(0)
    A, B = (torch.rand(2, 3, 64, 64, generator=generator) * 2 - 1 for _ in "AB")
    return {"A": A, "B": B, "mask_A": torch.rand(2, 1, 64, 64, generator=generator)}


def test_defaults_are_those_of_the_original():
    opt = TrainOptions().parse(["--dataroot", "unused", "--model", "pix2pix", "--device", "cpu"])
    expected = {
        "dataset_mode": "aligned", "netG": "unet_256", "netD": "basic", "norm": "batch", "no_dropout": False,
        "gan_mode": "vanilla", "pool_size": 0, "lambda_L1": 100.0, "mask_policy": "none",
    }  # fmt: skip
    assert {name: getattr(opt, name) for name in expected} == expected
    assert options("--lambda_mask", "0.5").mask_policy == "required"


@pytest.mark.parametrize("extra", [[], ["--add_mask"], ["--lambda_mask", "0.5"]])
def test_first_step_follows_the_formulas(extra):
    torch.manual_seed(0)
    model = create_model(options("--init_gain", "0.2", *extra))
    data = batch()
    A, B, m = data["A"], data["B"], data["mask_A"]
    old_D, own = copy.deepcopy(model.netD), copy.deepcopy(model.netG)(A)
    fake = m * A + (1 - m) * own if "--add_mask" in extra else own

    model.set_input(data)
    losses = {name: loss.item() for name, loss in model.optimize_parameters().items()}

    real_logits, fake_logits = old_D(torch.cat([A, B], 1)), old_D(torch.cat([A, fake], 1))
    new_logits = model.netD(torch.cat([A, fake], 1))
    expected = {
        "D": (F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()) / 2,
        "G": F.softplus(-new_logits).mean(),
        "L1": 100 * (fake - B).abs().mean(),
    }
    if "--lambda_mask" in extra:
        expected["mask"] = 100 * 0.5 * (m * (own - A)).abs().mean()
    assert losses == pytest.approx({name: loss.item() for name, loss in expected.items()}, rel=1e-4)
    assert not torch.equal(old_D(A.repeat(1, 2, 1, 1)), model.netD(A.repeat(1, 2, 1, 1)))


def test_generator_gets_no_gradient_from_the_discriminators_step():
    model = create_model(options())
    model.set_input(batch())
    seen = []
    model.optimizer_D.step = lambda: seen.extend(p.grad for p in model.netG.parameters())
    model.optimize_parameters()
    assert seen == [None] * len(seen) != []


def test_mask_loss_wants_equal_channels():
    with pytest.raises(UserError, match="--input_nc equal to --output_nc"):
        options("--input_nc", "1", "--add_mask")
