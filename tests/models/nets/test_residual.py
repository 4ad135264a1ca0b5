"""The residual output: a change to the photo, told apart from an image by its checkpoint."""

import numpy as np
import torch
from PIL import Image

from models import load_generator
from models.nets.residual import ResidualGenerator
from models.networks import define_G
from util.checkpoint import save_network


def test_residual_adds_to_the_photo_and_loads_without_flags(tmp_path):
    torch.manual_seed(0)
    net = define_G(3, 3, 4, "resnet_6blocks").eval()
    save_network(ResidualGenerator(net), tmp_path / "run" / "latest_net_G_A.pth")
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    with torch.no_grad():
        change = net(torch.from_numpy(pixels.transpose(2, 0, 1)[None] / 127.5 - 1).float())[0]
    expected = (pixels / 255 + change.numpy().transpose(1, 2, 0) / 2).clip(0, 1) * 255
    result = np.asarray(load_generator(tmp_path / "run")(Image.fromarray(pixels)))
    assert np.abs(result - expected).max() <= 0.51
    assert np.abs(result.astype(int) - pixels).max() > 5
