"""What discriminators see and are punished for: R1, augmentation, the region that is judged, the cycle's region."""

import pytest
import torch

from models.cut_model import CUTModel
from models.cycle_gan_model import CycleGANModel
from models.losses.color import block_means
from models.losses.diffaugment import augment
from models.losses.gan import GANLoss, r1_penalty
from models.losses.masking import hide_subjects
from options import TrainOptions
from util.errors import UserError
from util.options import Options


class PatchCritic(torch.nn.Module):
    """`w.x` per pixel: every pixel is a patch with the gradient w."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([0.5, -1.0, 2.0]).view(1, 3, 1, 1))

    def forward(self, x):
        return torch.conv2d(x, self.weight)


@pytest.mark.parametrize("side", [1, 4, 16])
def test_r1_of_a_linear_critic(side):
    """`lambda/2 |w|^2` for every size of the image, with slope `lambda w`."""
    critic = PatchCritic()
    real = torch.randn(3, 3, side, side, requires_grad=True)
    penalty = r1_penalty(critic(real), real, lambda_R1=4.0)
    penalty.backward()
    assert penalty.item() == pytest.approx(2 * (0.25 + 1 + 4))
    torch.testing.assert_close(critic.weight.grad, 4 * critic.weight.detach(), rtol=1e-4, atol=0)


def test_r1_is_added_at_real_images_only():
    """D(x) = sum of x^2 over channels has the gradient 2x."""
    real, fake = torch.randn(2, 3, 5, 5), torch.randn(2, 3, 5, 5)

    def netD(x):
        return x.square().sum(1, keepdim=True)

    plain = GANLoss("lsgan").discriminator(netD, real, fake)
    punished = GANLoss("lsgan", lambda_R1=0.1).discriminator(netD, real, fake)
    expected = 0.05 * (2 * real).square().sum((1, 2, 3)).mean() / 25
    assert (punished - plain).item() == pytest.approx(expected.item(), rel=1e-4)
    assert not real.requires_grad


def test_both_sides_see_augmented_images():
    real, fake = torch.randn(2, 3, 16, 16), torch.randn(2, 3, 16, 16, requires_grad=True)
    policy = ["color", "translation", "cutout"]
    critic, loss = PatchCritic(), GANLoss("vanilla", policy=policy)

    torch.manual_seed(1)
    found = loss.generator(critic, fake)
    torch.manual_seed(1)
    expected = torch.nn.functional.softplus(-critic(augment(fake, policy))).mean()
    assert found.item() == pytest.approx(expected.item())
    found.backward()
    assert fake.grad.abs().sum() > 0

    torch.manual_seed(1)
    found = loss.discriminator(critic, real, fake.detach())
    torch.manual_seed(1)
    on_real, on_fake = critic(augment(real, policy)), critic(augment(fake.detach(), policy))
    softplus = torch.nn.functional.softplus
    assert found.item() == pytest.approx(0.5 * (softplus(-on_real).mean() + softplus(on_fake).mean()).item())


def test_hidden_subjects_leave_the_same_trace_in_all_images():
    """Grey over both masks, 8 pixels further than either, soft edges included; the rest is as it was."""
    mask_A, mask_B = torch.zeros(2, 1, 1, 64, 64)
    mask_A[..., 20:30, 20:24], mask_A[..., 20:30, 24] = 1, 0.5
    mask_B[..., 40:50, 40:50] = 1
    real, fake = torch.rand(2, 1, 3, 64, 64) / 2 + 0.25
    hidden = torch.zeros(64, 64, dtype=torch.bool)
    hidden[12:38, 12:32] = hidden[32:58, 32:58] = True
    for x in (real, fake):
        y = hide_subjects(x, mask_A, mask_B)[0]
        assert torch.equal((y == 0).all(0), hidden)
        half = (slice(None), slice(12, 32), 32)  # reached by the soft edge only
        torch.testing.assert_close(y[half], x[0][half] / 2)
        untouched = ~hidden
        untouched[12:38, 32] = False
        assert torch.equal(y[:, untouched], x[0][:, untouched])


def train_options(*argv):
    flags = "--dataroot x --name x --device cpu --ngf 4 --ndf 4 --netG resnet_6blocks"
    return TrainOptions().parse([*flags.split(), *argv])


@pytest.fixture
def batch():
    torch.manual_seed(0)
    masks = torch.zeros(2, 1, 1, 64, 64)
    masks[0, ..., 24:40, 24:40] = 1
    masks[1, ..., 48:60, 8:16] = 1
    A, B = torch.rand(2, 1, 3, 64, 64) * 2 - 1
    return {"A": A, "B": B, "mask_A": masks[0], "mask_B": masks[1], "A_paths": ["a"], "B_paths": ["b"]}


def test_gan_region_background_is_blind_to_subjects(batch):
    """Neither D's losses nor G's adversarial gradient depend on what is at either photo's subject."""
    model = CycleGANModel(train_options("--gan_region", "background"))
    model.set_input(batch)
    subjects = hide_subjects(torch.ones(1, 1, 64, 64), batch["mask_A"], batch["mask_B"]) == 0
    for netD in (model.netD_A, model.netD_B):
        fake = torch.rand(1, 3, 64, 64, requires_grad=True)
        model.gan_loss.generator(netD, model.judged(fake)).backward()
        seen = fake.grad.abs().amax(1, keepdim=True)
        assert seen[subjects].max() == 0
        assert seen[~subjects].min() > 0
    other = torch.where(subjects, torch.rand(1, 3, 64, 64), batch["B"])
    losses = [
        model.discriminator_loss("fake_B", model.netD_A, real, fake.detach()) for real in (batch["B"], other)
    ]
    assert losses[0].item() == losses[1].item()


def test_cycle_region_says_what_must_come_back(batch):
    def cycle_loss(region, rec):
        model = CycleGANModel.__new__(CycleGANModel)
        model.opt = Options(cycle_region=region)
        return model.cycle_loss(rec, batch["A"], batch["mask_A"]).item()

    background_lost = torch.where(batch["mask_A"] == 1, batch["A"], 0)
    assert cycle_loss("subject", background_lost) == 0
    assert cycle_loss("all", background_lost) == pytest.approx(
        (batch["A"] - background_lost).abs().mean().item()
    )
    shifted = batch["A"] + 0.25
    assert cycle_loss("subject", shifted) == pytest.approx(0.25 * 256 / 4096)
    assert cycle_loss("low", shifted) == pytest.approx(0.25)
    checkerboard = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(32, 32)
    assert cycle_loss("low", batch["A"] + checkerboard) == pytest.approx(0, abs=1e-6)
    assert cycle_loss("all", batch["A"] + checkerboard) == pytest.approx(1)


def test_block_means_of_small_images():
    """Smaller than a block: one mean of the largest square that fits."""
    x = torch.arange(24.0).view(1, 1, 4, 6)
    assert block_means(x).flatten().tolist() == [pytest.approx(x[..., :4].mean().item())]


@pytest.mark.parametrize("model_class", [CycleGANModel, CUTModel])
def test_color_loss_is_for_low_frequencies_outside_the_subject(model_class, batch):
    model = model_class.__new__(model_class)
    model.opt = Options(lambda_color=5.0)
    subject, background = batch["mask_A"], 1 - batch["mask_A"]

    def color_loss(change):
        return model.color_loss(batch["A"] + change, batch["A"], batch["mask_A"])["color"].item()

    assert color_loss(0.25 * subject) == 0
    assert color_loss(0.25 * background) == pytest.approx(5 * 0.25 * (4096 - 256) / 4096)
    assert color_loss(torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(32, 32)) == pytest.approx(0, abs=1e-6)
    model.opt = Options(lambda_color=0.0)
    assert model.color_loss(batch["B"], batch["A"], None) == {}


@pytest.mark.parametrize("model", ["cycle_gan", "cut"])
def test_color_loss_is_among_the_losses(model, batch):
    opt = train_options("--model", model, "--lambda_color", "2")
    assert opt.mask_policy == "required"
    instance = {"cycle_gan": CycleGANModel, "cut": CUTModel}[model](opt)
    instance.set_input(batch)
    instance.forward()
    name = "color_A" if model == "cycle_gan" else "color"
    expected = 2 * block_means((instance.own_B - batch["A"]) * (1 - batch["mask_A"])).abs().mean()
    assert instance.generator_losses()[name].item() == pytest.approx(expected.item())


def test_color_loss_is_not_for_lenses():
    with pytest.raises(UserError, match="--lambda_color is for generators that paint"):
        train_options("--lambda_color", "1", "--output_mode", "lens")


def test_regions_ask_for_masks_and_equal_sizes():
    assert train_options().mask_policy == "none"
    assert train_options("--gan_region", "background").mask_policy == "required"
    assert train_options("--cycle_region", "subject").mask_policy == "required"
    assert train_options("--cycle_region", "low").mask_policy == "none"
    with pytest.raises(UserError, match="--gan_region background needs photos of one size"):
        train_options("--gan_region", "background", "--preprocess", "none")
    with pytest.raises(UserError, match=r"--lambda_R1 -1\.0: must not be negative"):
        train_options("--lambda_R1", "-1")
    with pytest.raises(UserError, match="second derivatives, which --compile does not have"):
        train_options("--lambda_R1", "1", "--compile")
