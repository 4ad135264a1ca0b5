"""The demo dataset against its own definition: matting equations, a second blur, and its bytes."""

import hashlib

import numpy as np
import pytest
from scipy import ndimage

from datasets.demo_scenes import DemoScene, cut_out, dye_suit, make_scene
from datasets.make_demo import TRUTH_RADIUS, DemoSettings, main, make_demo
from util.errors import UserError
from util.images import read_image, read_mask

SETTINGS = DemoSettings(size=96, n_train=3, n_val=1, n_test=2, seed=7)


@pytest.fixture(scope="module")
def dataroot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "demo"
    assert make_demo(folder, SETTINGS) == 12
    return folder


def pixels(path) -> np.ndarray:
    return np.asarray(read_image(path)).astype(np.float64) / 255


def decode(x: np.ndarray) -> np.ndarray:
    """sRGB to linear light, IEC 61966-2-1."""
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def digest(folder) -> dict[str, str]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_layout_has_a_mask_for_every_photo_and_a_truth_for_every_held_out_one(dataroot):
    for domain in "AB":
        stems = {
            p.stem for phase in ("train", "val", "test") for p in (dataroot / f"{phase}{domain}").iterdir()
        }
        assert stems == {p.stem for p in (dataroot / f"mask{domain}").iterdir()}
        assert len(stems) == 6
    assert sorted(p.stem for p in (dataroot / "truthA").iterdir()) == ["test_000", "test_001", "val_000"]


def test_mask_is_the_persons_share_of_each_pixel():
    """Triangulation matting (Smith and Blinn 1996): on white minus on black is 1 - mask, in linear light."""
    scene = make_scene(np.random.default_rng(3), 128, 0)
    white = decode(DemoScene(scene.person, scene.mask, np.ones_like(scene.plate)).render() / 255)
    black = decode(DemoScene(scene.person, scene.mask, np.zeros_like(scene.plate)).render() / 255)
    assert np.abs(1 - (white - black) - scene.mask[..., None]).max() < 0.01  # two roundings to 8 bits
    assert np.array_equal(np.round(scene.mask * 255), scene.mask * 255)
    assert 0.15 < scene.mask.mean() < 0.8
    assert ((scene.mask > 0) & (scene.mask < 1)).mean() > 0.005  # soft, as hair is


def test_truth_is_the_background_behind_a_disc_and_the_same_person(dataroot):
    radius = TRUTH_RADIUS * SETTINGS.size / 256
    reach = int(np.ceil(radius))
    width = 2 * reach + 1
    points = (np.arange(50 * width) + 0.5) / 50 - width / 2  # 50 x 50 in each pixel
    inside = np.hypot(points, points[:, None]) <= radius
    kernel = inside.reshape(width, 50, width, 50).mean((1, 3)) / inside.mean() / width**2
    for name in ("test_000.png", "test_001.png"):
        sharp, truth = pixels(dataroot / "testA" / name), pixels(dataroot / "truthA" / name)
        mask = np.asarray(read_mask(dataroot / "maskA" / name))
        assert np.array_equal(sharp[mask == 255], truth[mask == 255])
        blurred = ndimage.convolve(decode(sharp), kernel[..., None], mode="constant")
        clear = ndimage.maximum_filter(mask, width, mode="constant", cval=255) == 0
        assert clear.sum() > 500
        error = np.abs(blurred - decode(truth))[clear]  # rounding to 8 bits, and the kernels' finite points
        assert error.max() < 0.01 and error.mean() < 0.0015
        assert np.abs(sharp - truth)[clear].max() > 0.1  # the lens does something


def test_no_light_of_the_person_reaches_the_background():
    """Beside her the blurred background is what it is without her, however bright she is."""
    scene = make_scene(np.random.default_rng(5), 96, 4)
    glowing = DemoScene(np.ones_like(scene.person), scene.mask, scene.plate)
    dark = DemoScene(np.zeros_like(scene.person), scene.mask, scene.plate)
    outside = scene.mask == 0
    assert np.array_equal(glowing.render(3.5)[outside], dark.render(3.5)[outside])


def test_domains_and_photos_show_different_scenes(dataroot):
    photos = [
        pixels(p) for folder in ("trainA", "trainB", "testA", "testB") for p in (dataroot / folder).iterdir()
    ]
    masks = [np.asarray(read_mask(p)) for f in ("maskA", "maskB") for p in (dataroot / f).iterdir()]
    assert min(np.abs(a - b).mean() for i, a in enumerate(photos) for b in photos[:i]) > 0.05
    assert len({m.tobytes() for m in masks}) == len(masks)


def test_same_options_give_the_same_bytes_and_only_missing_files_are_made(dataroot, tmp_path):
    before = digest(dataroot)
    assert make_demo(tmp_path / "again", SETTINGS) == 12
    assert digest(tmp_path / "again") == before
    (dataroot / "maskB" / "train_001.png").unlink()
    (dataroot / "truthA" / "test_000.png").unlink()
    assert make_demo(dataroot, SETTINGS) == 2
    assert make_demo(dataroot, SETTINGS) == 0
    assert digest(dataroot) == before


def test_cut_out_keeps_her_colours_and_the_dye_her_face():
    person = cut_out()
    assert person.color.shape == (448, 512, 3)
    assert person.alpha[100, 228] == 1  # face
    assert person.alpha[20, 20] == 0
    dyed = dye_suit(person.color, 180.0)
    assert np.array_equal(dyed[:200], person.color[:200])
    suit = person.color[330, 100]
    assert suit[0] > 2 * suit[2] and dyed[330, 100, 2] > 2 * dyed[330, 100, 0]  # orange, then blue


def test_errors_say_what_to_do(dataroot, tmp_path, capsys):
    with pytest.raises(UserError, match="other settings; remove it or choose another --dataroot"):
        make_demo(dataroot, DemoSettings(size=96, n_train=3, n_val=1, n_test=2, seed=8))
    (tmp_path / "mine.jpg").touch()
    with pytest.raises(UserError, match="other files"):
        make_demo(tmp_path, SETTINGS)
    with pytest.raises(SystemExit):
        main(["--dataroot", str(tmp_path), "--size", "2000"])
    assert "--size 2000" in capsys.readouterr().err
