"""Losses against closed forms and finite differences."""

import hashlib
import math
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from models.losses import vgg
from models.losses.gan import GANLoss, gradient_penalty
from models.losses.masking import cutout, overlay
from models.losses.vgg import VGG19Features, VGG19MaskLoss
from util.errors import UserError


@pytest.fixture(scope="module")
def vgg19_file(tmp_path_factory):
    """Random weights that keep the features' size, in torchvision's form (with a classifier beside)."""
    torch.manual_seed(3)
    state, channels = {"classifier.0.weight": torch.zeros(2, 2)}, 3
    for index, width in zip((0, 2, 5, 7, 10, 12), (64, 64, 128, 128, 256, 256), strict=True):
        scale = math.sqrt(2 / (9 * channels))
        state[f"features.{index}.weight"] = torch.randn(width, channels, 3, 3) * scale
        state[f"features.{index}.bias"] = torch.zeros(width)
        channels = width
    path = tmp_path_factory.mktemp("vgg") / "vgg19.pth"
    torch.save(state, path)
    return str(path)


def test_gan_losses_are_their_formulas():
    logits = torch.tensor([[0.3, -1.2], [2.0, 0.0]])
    assert GANLoss("lsgan")(logits, True).item() == pytest.approx(((logits - 1) ** 2).mean().item())
    assert GANLoss("lsgan")(logits, False).item() == pytest.approx((logits**2).mean().item())
    assert GANLoss("vanilla")(logits, True).item() == pytest.approx(
        torch.log1p((-logits).exp()).mean().item()
    )
    assert GANLoss("vanilla")(logits, False).item() == pytest.approx(torch.log1p(logits.exp()).mean().item())
    assert GANLoss("wgangp")(logits, True).item() == pytest.approx(-0.275)
    assert GANLoss("wgangp")(logits, False).item() == pytest.approx(0.275)


def test_gradient_penalty_of_a_linear_critic():
    """A critic `w.x` has the gradient w everywhere, so the penalty is 10 (|w| - 1)^2 and its slope 20 (|w| - 1)."""

    class Critic(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.full((1, 3, 4, 4), 0.5))

        def forward(self, x):
            return (x * self.weight).sum((1, 2, 3), keepdim=True)

    critic = Critic()
    penalty = gradient_penalty(critic, torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4))
    norm = 0.5 * math.sqrt(48)
    assert penalty.item() == pytest.approx(10 * (norm - 1) ** 2, rel=1e-5)
    penalty.backward()
    assert critic.weight.grad.norm().item() == pytest.approx(20 * (norm - 1), rel=1e-5)


def test_cutout_is_black_outside_and_itself_inside():
    x = torch.tensor([-1.0, 0.0, 0.5]).view(1, 3, 1, 1).expand(1, 3, 1, 3)
    m = torch.tensor([0.0, 0.5, 1.0]).view(1, 1, 1, 3)
    expected = torch.tensor([[-1, -1, -1], [-1, -0.5, 0], [-1, -0.25, 0.5]]).view(1, 3, 1, 3)
    torch.testing.assert_close(cutout(x, m), expected)


def test_overlay_mixes_by_the_mask_of_each_image():
    fake, real = torch.zeros(2, 3, 1, 2), torch.ones(2, 3, 1, 2)
    m = torch.tensor([[1.0, 0.0], [0.25, 0.5]]).view(2, 1, 1, 2)
    torch.testing.assert_close(overlay(fake, real, m), m.expand(2, 3, 1, 2))


def test_vgg_gradient_by_finite_differences(vgg19_file):
    """Through the ImageNet normalisation too: its 1/std factor is about 4.4 and must be there."""
    torch.manual_seed(0)
    loss = VGG19MaskLoss(vgg19_file).double()
    y = torch.rand(1, 3, 8, 8, dtype=torch.float64) * 2 - 1
    x = torch.rand(1, 3, 8, 8, dtype=torch.float64) * 2 - 1
    direction = torch.randn_like(x)
    x.requires_grad_(True)
    loss(x, y).backward()
    step = 1e-7
    with torch.no_grad():
        numeric = (loss(x + step * direction, y) - loss(x - step * direction, y)) / (2 * step)
    assert (x.grad * direction).sum().item() == pytest.approx(numeric.item(), rel=1e-4)


def test_vgg_is_frozen_and_ends_at_relu3_2(vgg19_file):
    features = VGG19Features(vgg19_file)
    assert not any(parameter.requires_grad for parameter in features.parameters())
    y = features(torch.zeros(1, 3, 32, 24))
    assert y.shape == (1, 256, 8, 6)
    assert y.min() == 0


def test_missing_or_wrong_vgg_weights_are_named(tmp_path):
    with pytest.raises(UserError, match=r"nothing\.pth: no such file.*fetch it from https"):
        VGG19Features(str(tmp_path / "nothing.pth"))
    (tmp_path / "page.pth").write_text("<html>")
    with pytest.raises(UserError, match=r"page\.pth: can't be read"):
        VGG19Features(str(tmp_path / "page.pth"))
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(UserError, match=r"other\.pth: not the weights of VGG19"):
        VGG19Features(str(tmp_path / "other.pth"))


def test_no_server_for_vgg_weights_gives_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(vgg, "VGG19_URL", "http://127.0.0.1:9/vgg19-dcbb9e9d.pth")
    with pytest.raises(UserError, match=r"can't download .*--vgg19_weights FILE") as caught:
        VGG19Features()
    assert "\n" not in str(caught.value)


def test_vgg_weights_are_downloaded_once_and_checked(tmp_path, monkeypatch, vgg19_file):
    """From a local server; a file that does not match the hash in its name is refused and not kept."""
    folder = tmp_path / "served"
    folder.mkdir()
    digest = hashlib.sha256(Path(vgg19_file).read_bytes()).hexdigest()[:8]
    shutil.copy(vgg19_file, folder / f"vgg19-{digest}.pth")
    (folder / "vgg19-00000000.pth").write_bytes(b"cut short")
    requests = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            requests.append(args)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
        monkeypatch.setattr(vgg, "VGG19_URL", f"{base}/vgg19-00000000.pth")
        with pytest.raises(UserError, match="can't download"):
            VGG19Features()
        monkeypatch.setattr(vgg, "VGG19_URL", f"{base}/vgg19-{digest}.pth")
        first = VGG19Features().state_dict()
        count = len(requests)
        second = VGG19Features().state_dict()
        assert len(requests) == count
        server.shutdown()
    expected = torch.load(vgg19_file, weights_only=True)["features.12.weight"]
    assert first["features.12.weight"].equal(expected)
    assert second["features.12.weight"].equal(expected)
    assert not list((tmp_path / "hub").rglob("*00000000*"))
