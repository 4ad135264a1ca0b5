"""Small datasets and runs, and a browser, that several tests share."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from tests.extras import need

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")

torch.set_num_threads(1)  # small tensors: a second thread costs more than it brings


def small_photo(rng: np.random.Generator, side: int) -> tuple[Image.Image, Image.Image]:
    """A random smooth photo with a bright disc as its subject, and the subject's mask."""
    coarse = rng.integers(0, 160, (6, 6, 3), dtype=np.uint8)
    photo = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)).copy()
    y, x = np.mgrid[:side, :side]
    center = rng.uniform(0.35, 0.65, 2) * side
    mask = (y - center[0]) ** 2 + (x - center[1]) ** 2 < (0.25 * side) ** 2
    photo[mask] = rng.integers(160, 255, 3)
    return Image.fromarray(photo), Image.fromarray(mask.astype(np.uint8) * 255)


def make_dataroot(folder, per_domain: int = 4, side: int = 40):
    """`trainA trainB testA testB maskA maskB` below `folder`, `per_domain` photos in each phase."""
    rng = np.random.default_rng(0)
    for phase in ("train", "test"):
        for domain in "AB":
            for number in range(per_domain):
                photo, mask = small_photo(rng, side)
                for kind, image in ((f"{phase}{domain}", photo), (f"mask{domain}", mask)):
                    path = folder / kind / f"{phase}_{number}.png"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    image.save(path)
    return folder


@pytest.fixture(scope="session")
def dataroot(tmp_path_factory):
    """A dataroot that tests only read."""
    return make_dataroot(tmp_path_factory.mktemp("dataroot"))


@pytest.fixture
def run_flags(dataroot, tmp_path):
    """Flags of the smallest training: `checkpoints_dir` in the test's own folder, no workers, no visdom."""
    return [
        *("--dataroot", str(dataroot), "--checkpoints_dir", str(tmp_path / "checkpoints"), "--name", "run"),
        *("--load_size", "36", "--crop_size", "32", "--ngf", "4", "--ndf", "4", "--netG", "resnet_6blocks"),
        *("--num_threads", "0", "--display_id", "0", "--no_html", "--device", "cpu", "--deterministic"),
        *("--n_epochs", "2", "--n_epochs_decay", "1", "--print_freq", "2"),
    ]


@pytest.fixture(scope="session")
def vgg19_file(tmp_path_factory):
    """A file in the form of torchvision's VGG19, with random weights."""
    state, channels = {}, 3
    for index, width in zip((0, 2, 5, 7, 10, 12), (64, 64, 128, 128, 256, 256), strict=True):
        state[f"features.{index}.weight"] = torch.randn(width, channels, 3, 3) * 0.05
        state[f"features.{index}.bias"] = torch.zeros(width)
        channels = width
    path = tmp_path_factory.mktemp("vgg") / "vgg19.pth"
    torch.save(state, path)
    return path


@pytest.fixture(scope="session")
def launch_chromium():
    """Starts a headless Chromium, with the flags that it is given."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        pytest.skip("no Chromium is installed; get it with: apt-get install chromium")
    playwright = need("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        yield lambda *flags: driver.chromium.launch(executable_path=found, args=["--no-sandbox", *flags])


@pytest.fixture(scope="session")
def chromium(launch_chromium):
    """A headless Chromium."""
    browser = launch_chromium()
    yield browser
    browser.close()


@pytest.fixture
def web_page(chromium):
    """An empty page of the browser; the test fails if anything on it complains."""
    page = chromium.new_page(viewport={"width": 1200, "height": 900})
    page.set_default_timeout(20_000)
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    assert complaints == []
