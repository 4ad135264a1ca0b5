"""torchvision's DeepLabv3 with random weights in a file, against the same net run by hand."""

import hashlib

import numpy as np
import pytest
import torch
from skimage import data

import util.torchvision_cpu  # noqa: F401 - before torchvision

# isort: split
from torchvision import transforms
from torchvision.models.segmentation import deeplabv3_mobilenet_v3_large

from deeplab import torchvision_model, weights
from deeplab.segmenters import create_segmenter
from tests.local_server import Reply, local_server
from util.errors import UserError

MODEL = "mobilenet_v3_large"


@pytest.fixture(scope="module")
def net() -> torch.nn.Module:
    """Random weights, with the second head that published files have."""
    torch.manual_seed(0)
    net = deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=21, aux_loss=True)
    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")  # or signals die on their way
    photo = torch.from_numpy(data.astronaut()).permute(2, 0, 1)[None, :, ::2, ::2] / 64 - 2
    with torch.no_grad():
        net.classifier[4].weight /= net.eval()(photo)["out"].std(dim=(2, 3)).mean()
    return net


@pytest.fixture(scope="module")
def file(net, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "net.pth"
    torch.save(net.state_dict(), path)
    return path


def test_probability_is_the_softmax_of_class_15(net, file):
    photo = data.astronaut()[:, :260]  # 260 x 512: at the net's size 264 x 520
    segmenter = create_segmenter("torchvision", file, MODEL, "cpu")
    mask = segmenter(np.stack([photo, photo[::-1]]))
    assert mask.shape == (2, 512, 260) and mask.dtype == np.float32
    prepare = transforms.Compose(
        [
            transforms.ToPILImage(),
            transforms.Resize((520, 264)),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    with torch.no_grad():
        logits = net(prepare(photo)[None])["out"]
        expected = torch.nn.functional.interpolate(logits.softmax(1)[:, 15:16], (512, 260), mode="area")
    assert expected.std() > 0.01
    assert np.abs(mask[0] - expected[0, 0].numpy()).mean() < 0.1 * expected.std()


def test_published_weights_are_fetched_and_checked_by_the_hash_in_their_name(file, tmp_path, monkeypatch):
    content = file.read_bytes()
    monkeypatch.setenv("BOKEH_CYCLEGAN_CACHE", str(tmp_path))
    digest = hashlib.sha256(content).hexdigest()[:8]
    with local_server(lambda _: Reply(content)) as server:
        monkeypatch.setattr(torchvision_model, "_url", lambda name: f"{server.url}/{name}_coco-{digest}.pth")
        for _ in range(2):
            create_segmenter("torchvision", model=MODEL, device="cpu")
        assert server.paths() == [f"/deeplabv3_{MODEL}_coco-{digest}.pth"]
        with pytest.raises(UserError, match="damaged"):
            weights.torchvision_weights(f"{server.url}/x-00000000.pth")
    assert [path.name for path in tmp_path.iterdir()] == [f"deeplabv3_{MODEL}_coco-{digest}.pth"]


@pytest.mark.parametrize("name", torchvision_model.MODELS)
def test_urls_of_the_published_weights(name):
    url = torchvision_model._url(f"deeplabv3_{name}")
    assert url.startswith(f"https://download.pytorch.org/models/deeplabv3_{name}")


def test_wrong_files_models_and_devices_are_refused(file, tmp_path):
    (tmp_path / "x.pth").write_bytes(b"nothing")
    cases = [
        ((file, "resnet50", "cpu"), "no weights of deeplabv3 with --model resnet50"),
        ((tmp_path / "x.pth", MODEL, "cpu"), f"no weights of deeplabv3 with --model {MODEL}"),
        ((tmp_path / "y.pth", MODEL, "cpu"), "no such file"),
        ((file, "vgg", "cpu"), "--model vgg: unknown; choose one of resnet101 resnet50"),
        ((file, MODEL, "warp"), "--device warp: can't be used"),
    ]
    for arguments, message in cases:
        with pytest.raises(UserError, match=message) as error:
            create_segmenter("torchvision", *arguments)
        assert "\n" not in str(error.value)
