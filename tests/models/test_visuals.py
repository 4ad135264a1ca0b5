"""What the recipes show: labels in training and at test, and what they mean."""

import pytest
import torch

from models import create_model
from models.losses.masking import overlay
from options import TestOptions, TrainOptions

MASKED = {"mask_A", "mask_real_A", "mask_fake_B"}
# Recipe -> whether masks are read, and whether the overlay is on.
RECIPES = {
    "baseline": ([], False, False),
    "mask loss": (["--lambda_mask", "1"], True, False),
    "overlay": (["--add_mask"], True, True),
    "combined": (["--add_mask", "--lambda_mask", "0.5"], True, True),
}
MODELS = {
    "cycle_gan": {"real_A", "fake_B", "rec_A"},
    "cut": {"real_A", "fake_B"},
    "pix2pix": {"real_A", "fake_B", "real_B"},
}
TINY = ["--ngf", "4", "--ndf", "4", "--netG", "resnet_6blocks", "--norm", "instance"]


def mirrored(labels):
    """The labels of the other direction."""
    return {label.translate(str.maketrans("AB", "BA")) for label in labels}


def batch(with_masks):
    generator = torch.Generator().manual_seed(0)
    made = {domain: torch.rand(1, 3, 32, 32, generator=generator) * 2 - 1 for domain in "AB"}
    masks = {f"mask_{domain}": torch.zeros(1, 1, 32, 32) for domain in "AB"}
    for mask in masks.values():
        mask[..., 8:20, 4:16] = 1
        mask[..., 20, 4:16] = 0.25  # a soft edge
    return made | (masks if with_masks else {}) | {"A_paths": ["a.png"], "B_paths": ["b.png"]}


def trained(model, flags, with_masks, tmp_path):
    argv = ["--dataroot", "photos", "--checkpoints_dir", str(tmp_path), "--device", "cpu", "--model", model]
    net = create_model(TrainOptions().parse([*argv, *TINY, *flags]))
    net.set_input(batch(with_masks))
    net.optimize_parameters()
    return net


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("model", MODELS)
def test_labels_and_meaning_in_training(model, recipe, tmp_path):
    flags, with_masks, pasted = RECIPES[recipe]
    net = trained(model, flags, with_masks, tmp_path)
    shown = net.compute_visuals()
    labels = MODELS[model] | (MASKED if with_masks else set()) | ({"fake_B_noMask"} if pasted else set())
    of_A = {label for label in shown if label in net.visuals_of["A_paths"]}
    assert of_A == labels
    if model == "cycle_gan":
        assert set(shown) - labels == mirrored(labels) | {"idt_A", "idt_B"}
    assert not any(image.requires_grad for image in shown.values())
    if not with_masks:
        return
    m = (shown["mask_A"] + 1) / 2
    own = shown["fake_B_noMask"] if pasted else shown["fake_B"]
    torch.testing.assert_close(shown["fake_B"], overlay(own, shown["real_A"], m) if pasted else own)
    for name, image in (("mask_real_A", shown["real_A"]), ("mask_fake_B", own)):
        black = (shown[name] == -1).all(dim=1, keepdim=True)
        assert torch.equal(black, m == 0)  # on black, as the published figures
        inside = (m == 1).expand_as(image)
        torch.testing.assert_close(shown[name][inside], image[inside])


@pytest.mark.parametrize("flags", [[], ["--add_mask"]])
def test_overlay_at_test_is_shown_beside_the_generators_own(flags, tmp_path):
    net = trained("cycle_gan", ["--name", "run"], False, tmp_path)
    net.save_networks("latest")
    argv = ["--dataroot", "photos", "--checkpoints_dir", str(tmp_path), "--device", "cpu", "--name", "run"]
    net = create_model(TestOptions().parse([*argv, *flags]))
    net.set_input(batch(True))
    net.test()
    shown = net.compute_visuals()
    assert ("fake_B_noMask" in shown) == ("fake_A_noMask" in shown) == bool(flags)
    if flags:
        for domain, fake in (("A", "fake_B"), ("B", "fake_A")):
            m = (shown[f"mask_{domain}"] + 1) / 2
            expected = overlay(shown[f"{fake}_noMask"], shown[f"real_{domain}"], m)
            torch.testing.assert_close(shown[fake], expected)
