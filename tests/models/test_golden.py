"""Losses, images, gradients and trajectories against the published implementation's numbers.

`golden.npz` was computed once by that implementation on small random networks (see `tests/golden/README.md`), in
float32. Here the steps are computed in float64: in float32 some activation lies so near to 0 that it depends on the
processor on which side it ends up, and a gradient of 20 layers changes by up to two per cent with it.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.cycle_gan_model import CycleGANModel
from models.losses.vgg import VGG19Features
from util.options import Options

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "golden.npz")
VARIANTS = {
    "baseline": {},
    "mask_loss": {"lambda_mask": 1.0},
    "mask_loss_vgg": {"lambda_mask": 1.0, "vgg19_loss": True},
    "overlay": {"add_mask": True},
    "combined": {"add_mask": True, "lambda_mask": 0.5},
    "combined_vgg": {"add_mask": True, "lambda_mask": 0.5, "vgg19_loss": True},
    "vanilla": {"gan_mode": "vanilla"},
}
OUR_NAMES = {"Cyc": "cycle", "vgg_loss": "vgg"}
TRAJECTORY = ["D_A", "G_A", "cycle_A", "D_B", "G_B", "cycle_B", "idt_A", "idt_B", "mask_A", "mask_B"]


@pytest.fixture(autouse=True)
def in_float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="session")
def vgg19_file(tmp_path_factory):
    """Random VGG19 weights, drawn as the reference run drew them."""
    path = tmp_path_factory.mktemp("vgg") / "vgg19.pth"
    generator = torch.Generator().manual_seed(7)
    state, channels = {}, 3
    for index, width in zip((0, 2, 5, 7, 10, 12), (64, 64, 128, 128, 256, 256), strict=True):
        weight = torch.randn((width, channels, 3, 3), generator=generator, dtype=torch.float32) * np.sqrt(
            2 / (9 * channels)
        )
        state |= {f"features.{index}.weight": weight, f"features.{index}.bias": torch.zeros(width)}
        channels = width
    torch.save(state, path)
    return path


def golden_model(variant, vgg19_file):
    opt = Options(
        isTrain=True, device="cpu", checkpoints_dir="unused", name="unused", epoch="latest", verbose=False,
        input_nc=3, output_nc=3, ngf=8, ndf=8, netG="resnet_6blocks", netD="basic", n_layers_D=3, norm="instance",
        no_dropout=True, init_type="normal", init_gain=0.02, gan_mode="lsgan", pool_size=0, lr=2e-4, beta1=0.5,
        lambda_A=10.0, lambda_B=10.0, lambda_identity=0.5, lambda_mask=0.0, add_mask=False, vgg19_loss=False,
        vgg19_weights=str(vgg19_file), lambda_R1=0.0, diffaugment="", gan_region="all", cycle_region="all",
        lambda_color=0.0, norm_D=None, upsample="transpose", antialias=False,
        precision="fp32", channels_last=False, compile=False, cuda_graphs=False, accumulate=1,
        checkpoint_activations=False, ema=0.0, output_mode="image",
    )  # fmt: skip
    vars(opt).update(VARIANTS[variant])
    model = CycleGANModel(opt)
    for name, net in model.networks.items():
        prefix = f"weights/{name}/"
        state = {key.removeprefix(prefix): GOLDEN[key] for key in GOLDEN.files if key.startswith(prefix)}
        net.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})
    return model


def golden_batch():
    batch = {key: torch.from_numpy(GOLDEN[key]).double() for key in ("A", "B", "mask_A", "mask_B")}
    return batch | {"A_paths": ["a.png"], "B_paths": ["b.png"]}


def expected_losses(variant):
    prefix = f"{variant}/loss/"
    found = {}
    for key in GOLDEN.files:
        if key.startswith(prefix):
            term, _, side = key.removeprefix(prefix).rpartition("_")
            found[f"{OUR_NAMES.get(term, term)}_{side}"] = float(GOLDEN[key])
    return found


def grad_norm(net):
    return torch.stack([parameter.grad.norm() for parameter in net.parameters()]).norm().item()


@pytest.mark.parametrize("variant", VARIANTS)
def test_first_step_matches_the_published_implementation(variant, vgg19_file):
    model = golden_model(variant, vgg19_file)
    model.set_input(golden_batch())
    losses = {name: loss.item() for name, loss in model.optimize_parameters().items()}
    assert losses == pytest.approx(expected_losses(variant), rel=1e-4)

    images = {"fake_B": model.fake_B, "fake_A": model.fake_A, "rec_A": model.rec_A, "rec_B": model.rec_B}
    if f"{variant}/fake_B_without_overlay" in GOLDEN.files:
        images["fake_B_without_overlay"] = model.own_B
    for name, image in images.items():
        np.testing.assert_allclose(image.detach().numpy(), GOLDEN[f"{variant}/{name}"], rtol=1e-4, atol=1e-4)

    for name, net in model.networks.items():
        if f"{variant}/grad_norm/{name}" not in GOLDEN.files:
            continue  # the reference's VGG gradient is wrong; see test_losses.py
        assert grad_norm(net) == pytest.approx(float(GOLDEN[f"{variant}/grad_norm/{name}"]), rel=1e-4)
        first = "model.1.weight" if name.startswith("G") else "model.0.weight"
        reference = GOLDEN[f"{variant}/grad/{name}/{first}"]
        difference = net.get_parameter(first).grad.numpy() - reference
        # The reference is of float32 and takes vanilla's cross-entropy of a sigmoid, not of logits.
        assert np.linalg.norm(difference) < 1e-4 * np.linalg.norm(reference)


@pytest.mark.parametrize("variant", [v for v in VARIANTS if f"{v}/trajectory" in GOLDEN.files])
def test_three_steps_follow_the_published_trajectory(variant, vgg19_file):
    model = golden_model(variant, vgg19_file)
    for step, expected in enumerate(GOLDEN[f"{variant}/trajectory"]):
        model.set_input(golden_batch())
        losses = model.optimize_parameters()
        found = [losses[name].item() for name in TRAJECTORY[: len(expected)]]
        np.testing.assert_allclose(found, expected, rtol=(1e-4, 5e-4, 2e-3)[step])


def test_two_masks_in_a_batch_give_the_mean_of_the_two_losses(vgg19_file):
    """Masks belong to their own image, whatever the batch size."""
    singles = []
    images = golden_batch()
    flipped = {key: images[key].flip(-1).roll(9, -2) for key in ("A", "B", "mask_A", "mask_B")}
    for batch in (images, flipped):
        model = golden_model("combined_vgg", vgg19_file)
        model.set_input(batch)
        singles.append(model.optimize_parameters())
    model = golden_model("combined_vgg", vgg19_file)
    model.set_input({key: torch.cat([images[key], flipped[key]]) for key in flipped})
    both = model.optimize_parameters()
    for name in ("G_A", "cycle_A", "idt_B", "mask_A", "mask_B", "vgg_A", "vgg_B"):
        assert both[name].item() == pytest.approx((singles[0][name] + singles[1][name]).item() / 2, rel=1e-5)


def test_no_gradient_reaches_the_discriminators_in_the_generator_step(vgg19_file):
    model = golden_model("baseline", vgg19_file)
    model.set_input(golden_batch())
    model.optimizer_D.step = lambda: None
    seen = {}
    model.optimizer_G.step = lambda: seen.update(grads=[p.grad for p in model.netD_A.parameters()])
    model.optimize_parameters()
    assert seen["grads"] == [None] * len(seen["grads"])


def test_vgg_features_are_the_reference_networks(vgg19_file):
    """A second forward by hand: normalise, convolve, rectify, pool."""
    features = VGG19Features(str(vgg19_file))
    x = torch.from_numpy(GOLDEN["A"]).double()
    state = torch.load(vgg19_file, weights_only=True)
    y = ((x + 1) / 2 - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor(
        [0.229, 0.224, 0.225]
    )[:, None, None]
    for index in (0, 2, "pool", 5, 7, "pool", 10, 12):
        if index == "pool":
            y = torch.nn.functional.max_pool2d(y, 2)
        else:
            weight = state[f"features.{index}.weight"].double()
            y = torch.conv2d(y, weight, padding=1).clamp(min=0)
    torch.testing.assert_close(features(x), y)
