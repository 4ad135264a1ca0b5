"""LPIPS, FID and KID against computations by hand, with random weights instead of the trained ones."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.linalg import sqrtm
from skimage import data

import util.torchvision_cpu  # noqa: F401 - before torchvision
from tests.extras import need
from util.errors import UserError
from util.measure.perceptual import Inception, Lpips, fid, kid

lpips_package = need("lpips")


@pytest.fixture(scope="module")
def sets():
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(200, 16, generator=generator, dtype=torch.float64)
    return 1.3 * torch.randn(150, 16, generator=generator, dtype=torch.float64) + 0.2, real


def test_fid_is_the_frechet_distance(sets):
    x, y = (features.numpy() for features in sets)
    covariances = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    expected = np.square(x.mean(0) - y.mean(0)).sum()
    expected += np.trace(sum(covariances) - 2 * sqrtm(covariances[0] @ covariances[1]).real)
    assert fid(*sets) == pytest.approx(expected, rel=1e-6)


def test_kid_is_the_unbiased_kernel_distance(sets):
    # Equal sizes: every subset is the whole set, so the mean over subsets is the distance itself.
    x, y = sets[0].numpy(), sets[1].numpy()[:150]
    n = len(x)

    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    within = [(kernel(a, a).sum() - np.trace(kernel(a, a))) / (n * (n - 1)) for a in (x, y)]
    expected = sum(within) - 2 * kernel(x, y).mean()
    assert kid(sets[0], sets[1][:150]) == pytest.approx(expected, rel=1e-6)


@pytest.fixture(scope="module")
def alexnet(tmp_path_factory):
    from torchvision.models import alexnet

    torch.manual_seed(0)
    features = alexnet(weights=None).features.eval()
    path = tmp_path_factory.mktemp("weights") / "alexnet.pth"
    torch.save({f"features.{name}": value for name, value in features.state_dict().items()}, path)
    return features, path


def lpips_by_hand(features, x, y):
    """Zhang et al. 2018, equation 1, as a map: normalised activations, squared difference, weights."""
    state = torch.load(
        Path(lpips_package.__file__).parent / "weights/v0.1/alex.pth", "cpu", weights_only=True
    )
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    x, y = (((2 * torch.from_numpy(v) - 1 - shift) / scale).permute(2, 0, 1)[None] for v in (x, y))
    total, layer = 0, 0
    for module in features:
        x, y = module(x), module(y)
        if isinstance(module, torch.nn.ReLU):
            difference = (x / x.norm(dim=1, keepdim=True) - y / y.norm(dim=1, keepdim=True)) ** 2
            weighted = (difference * state[f"lin{layer}.model.1.weight"]).sum(1, keepdim=True)
            total = total + torch.nn.functional.interpolate(weighted, (96, 96), mode="bilinear")
            layer += 1
    return total[0, 0].detach().numpy()


def test_lpips_is_that_of_the_subject_alone(alexnet):
    features, path = alexnet
    source = np.float32(data.astronaut()[:96, 160:256]) / 255
    output = np.clip(source + np.random.default_rng(0).normal(0, 0.1, source.shape), 0, 1).astype(np.float32)
    subject = np.zeros((96, 96), dtype=bool)
    subject[20:80, 30:70] = True
    lpips = Lpips(path)
    changed = np.where(subject[..., None], output, source)
    expected = lpips_by_hand(features, changed, source)[subject].mean()
    assert expected > 0
    assert lpips.of_subject(output, source, subject) == pytest.approx(expected, rel=1e-3)
    assert lpips.of_subject(np.where(subject[..., None], source, output), source, subject) == 0
    assert np.isnan(lpips.of_subject(output, source, np.zeros_like(subject)))


def test_libraries_can_be_imported_first_by_this_module(alexnet):
    # Here torchvision is imported already; in evaluate.py nothing is.
    code = (
        "import sys; from util.measure import perceptual as p; p.Lpips(sys.argv[1]); p.Inception(sys.argv[1])"
    )
    command = [sys.executable, "-c", code, str(alexnet[1])]
    result = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(__file__).resolve().parents[3], check=False
    )
    assert "not torch-fidelity's Inception" in result.stderr.splitlines()[-1]  # it got as far as the weights


def test_inception_reads_its_weights_from_the_file(tmp_path, monkeypatch):
    from torch_fidelity import feature_extractor_inceptionv3 as library

    with monkeypatch.context() as patched:  # the only way to its architecture without its weights
        patched.setattr(library, "load_state_dict_from_url", lambda *_, **__: {})
        patched.setattr(library.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        torch.manual_seed(0)
        network = library.FeatureExtractorInceptionV3("random", ["2048"])
    torch.save(network.state_dict(), tmp_path / "inception.pth")
    paths = [tmp_path / "p.png", tmp_path / "q.png"]
    Image.fromarray(data.astronaut()[:299, :299]).save(paths[0])
    Image.fromarray(data.coffee()).save(paths[1])
    found = Inception(tmp_path / "inception.pth").features(paths, "test")
    assert found.shape == (2, 2048)
    pixels = torch.from_numpy(data.astronaut()[:299, :299].copy()).permute(2, 0, 1)[None]
    expected = network(pixels)[0][0]
    assert (found[0] - expected).norm() < 1e-4 * expected.norm()
    assert (found[1] - expected).norm() > 1e-2 * expected.norm()


@pytest.mark.parametrize("create", [Lpips, Inception])
def test_weights_that_are_not_are_named(tmp_path, create):
    with pytest.raises(UserError, match=r"no such file"):
        create(tmp_path / "gone.pth")
    (tmp_path / "page.pth").write_text("<html>")
    with pytest.raises(UserError, match=r"page\.pth: can't be read as PyTorch weights"):
        create(tmp_path / "page.pth")
    torch.save({"other": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(UserError, match=r"other\.pth: not torch"):
        create(tmp_path / "other.pth")
