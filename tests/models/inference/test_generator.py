"""Trained generators on photos of any size."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from data.transforms import image_to_tensor
from models import load_generator
from models.inference.folder import translate_folder
from models.nets.any_size import AnySize, pad_to_multiple
from models.networks import define_G
from util.checkpoint import save_network
from util.errors import UserError
from util.images import Metadata, read_pixels, to_gray, write_pixels
from util.tensors import tensor_to_image, tensor_to_pixels


class Identity(torch.nn.Module):
    """Stands in for a generator: returns its input, of whatever size it got."""

    divisor = 4

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 3, 1)
        self.sizes = []

    def forward(self, x):
        self.sizes.append(tuple(x.shape[-2:]))
        return x


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (3, 2), (17, 33), (64, 64), (65, 127)])
@pytest.mark.parametrize("divisor", [4, 256])
def test_padding_reflects_up_to_the_next_multiple(size, divisor):
    """numpy's reflection, applied in one go, is the truth."""
    x = torch.rand(1, 3, *size)
    padded = pad_to_multiple(x, divisor)
    height, width = padded.shape[-2:]
    assert height % divisor == width % divisor == 0
    assert height - size[0] < max(divisor, 16)
    add = ((0, 0), (0, 0), (0, height - size[0]), (0, width - size[1]))
    assert np.array_equal(padded.numpy(), np.pad(x.numpy(), add, mode="reflect"))


def test_any_size_gives_back_the_size_and_place():
    net = Identity()
    x = torch.rand(2, 3, 31, 18)
    assert torch.equal(AnySize(net)(x), x)
    assert net.sizes == [(32, 20)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tensor_and_pixels_are_inverse(dtype):
    """All values of the type come back, in gray and in colour."""
    side = 2 ** (4 * np.dtype(dtype).itemsize)
    values = np.arange(side**2).astype(dtype).reshape(side, side)
    for array in (values[..., None], np.stack([values, values.T, values[::-1]], axis=2)):
        x = image_to_tensor(array)
        assert x.min() == -1
        assert x.max() == 1
        assert np.array_equal(tensor_to_pixels(x, dtype), array)


def test_values_out_of_range_are_clipped():
    assert np.asarray(tensor_to_image(torch.tensor([[[-2.0, 2.0]]]))).tolist() == [[0, 255]]


@pytest.fixture
def trained(tmp_path):
    """A folder of checkpoints with small random generators, and the one towards B."""
    torch.manual_seed(0)
    nets = {name: define_G(3, 3, 4, "resnet_6blocks").eval() for name in ("G_A", "G_B")}
    for name, net in nets.items():
        save_network(net, tmp_path / "run" / f"latest_net_{name}.pth")
    return tmp_path / "run", nets


def test_load_generator_picks_the_one_towards_b(trained):
    folder, nets = trained
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 24, 3), dtype=np.uint8))
    for arguments, net in (((), nets["G_A"]), (("latest", "G_B"), nets["G_B"])):
        result = load_generator(folder, *arguments)(image)
        with torch.no_grad():
            expected = tensor_to_image(net(image_to_tensor(np.asarray(image))[None])[0])
        assert np.array_equal(np.asarray(result), np.asarray(expected))


@pytest.mark.parametrize("kind", ["turned", "transparent", "sixteen", "tagged"])
def test_opened_photos_come_out_as_their_files_do(trained, tmp_path, kind):
    """`generator(Image.open(file))` and test.py must agree on orientation, transparency, depth and profile."""
    noise = np.random.default_rng(0).integers(0, 255, (21, 34, 4), dtype=np.uint8)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(noise if kind == "transparent" else noise[..., :3])
    if kind == "sixteen":
        image = Image.fromarray(noise[..., 0].astype(np.uint16) * 257)
    options = {"turned": {"exif": exif}, "tagged": {"icc_profile": profile}}.get(kind, {})
    image.save(tmp_path / "photo.png", **options)
    generator = load_generator(trained[0])
    generator(Image.open(tmp_path / "photo.png")).save(tmp_path / "opened.png")
    weights = trained[0] / "latest_net_G_A.pth"
    translate_folder(generator, weights, tmp_path / "photo.png", tmp_path / "results")
    expected = read_pixels(tmp_path / "results" / "photo.png")
    expected = expected if expected.dtype == np.uint8 else np.rint(expected / 257)
    with Image.open(tmp_path / "opened.png") as opened:
        assert opened.size == ((21, 34) if kind == "turned" else (34, 21))
        assert opened.info.get("icc_profile") == (profile if kind == "tagged" else None)
        assert np.abs(np.asarray(opened, int) - expected).max() <= 1


def test_missing_checkpoint_says_what_there_is(trained):
    with pytest.raises(UserError, match=r"9_net_G_A\.pth: no such checkpoint; it has latest_net_G_A\.pth"):
        load_generator(trained[0], "9")


def test_folder_of_photos_keeps_names_sizes_profiles_and_orientation(trained, tmp_path):
    """Odd sizes, subfolders, an EXIF rotation, a colour profile; a broken photo is listed, the others are done."""
    folder, _ = trained
    photos, results = tmp_path / "photos", tmp_path / "results"
    (photos / "more").mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 255, (21, 35, 3), dtype=np.uint8)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Maker"
    Image.fromarray(pixels).save(photos / "a b#.png", icc_profile=profile)
    Image.fromarray(pixels).save(photos / "more" / "turned.jpg", exif=exif)
    (photos / "broken.png").write_bytes(b"no image")
    generator = load_generator(folder)
    weights = folder / "latest_net_G_A.pth"
    with pytest.raises(UserError, match=r"1 of 3 photos could not be done, the others are:\n.*broken\.png"):
        translate_folder(generator, weights, photos, results, batch_size=2)
    with Image.open(results / "a b#.png") as image:
        assert image.size == (35, 21)
        assert image.info["icc_profile"] == profile
    with Image.open(results / "more" / "turned.jpg") as image:
        assert image.size == (21, 35)
        assert image.getexif().get(0x0112, 1) == 1
        assert image.getexif()[0x010F] == "Maker"

    before = {path: path.stat().st_mtime_ns for path in results.rglob("*.*")}
    (photos / "broken.png").unlink()
    translate_folder(generator, weights, photos, results)
    assert {path: path.stat().st_mtime_ns for path in results.rglob("*.*")} == before


def test_results_never_land_on_the_photos(trained, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (8, 8)).save(photos / "a.png")
    generator = load_generator(trained[0])
    for target in (photos, photos / "out"):
        with pytest.raises(UserError, match="lies in the folder of the photos"):
            translate_folder(generator, trained[0] / "latest_net_G_A.pth", photos, target)


def test_batches_of_mixed_sizes_equal_single_photos(trained, tmp_path):
    """Neighbours of one size share a pass; nothing else may change with the batch size."""
    rng = np.random.default_rng(0)
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, size in enumerate([(16, 20), (16, 20), (20, 16), (16, 20), (16, 20), (16, 20)]):
        Image.fromarray(rng.integers(0, 255, (*size, 3), dtype=np.uint8)).save(photos / f"{number}.png")
    generator = load_generator(trained[0])
    for batch_size in (1, 3):
        target = tmp_path / f"results_{batch_size}"
        translate_folder(generator, trained[0] / "latest_net_G_A.pth", photos, target, batch_size)
    for path in sorted((tmp_path / "results_1").iterdir()):
        one, three = (np.asarray(Image.open(p), int) for p in (path, tmp_path / "results_3" / path.name))
        assert np.abs(one - three).max() <= 1


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize(("input_nc", "output_nc"), [(3, 3), (1, 1), (1, 3)])
def test_16_bit_photos_give_16_bit_results(tmp_path, suffix, input_nc, output_nc):
    """Values are the network's, to 1/65535; the profile of RGB never gets into a gray file."""
    torch.manual_seed(0)
    net = define_G(input_nc, output_nc, 4, "resnet_6blocks").eval()
    save_network(net, tmp_path / "run" / "latest_net_G.pth")
    deep = np.random.default_rng(0).integers(0, 65536, (16, 20, 3), dtype=np.uint16)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    photo = tmp_path / "photos" / f"deep{suffix}"
    write_pixels(deep, photo, Metadata(profile, exif.tobytes()))
    with Image.open(photo) as image:
        assert image.info["icc_profile"] == profile

    generator = load_generator(tmp_path / "run")
    translate_folder(generator, tmp_path / "run" / "latest_net_G.pth", photo, tmp_path / "results")
    result = read_pixels(tmp_path / "results" / photo.name)
    with torch.no_grad():
        x = net(image_to_tensor(deep if input_nc == 3 else to_gray(deep))[None])[0]
    expected = (x.numpy().astype(np.float64).transpose(1, 2, 0) + 1) / 2 * 65535
    assert result.dtype == np.uint16
    assert np.abs(result - expected).max() <= 0.6
    assert len(np.unique(result)) > 256
    with Image.open(tmp_path / "results" / photo.name) as image:
        assert image.info.get("icc_profile") == (profile if output_nc == 3 else None)
        if suffix == ".png":
            assert image.getexif()[0x010F] == "Maker"


def test_gray_results_of_colour_photos_carry_no_colour_profile(tmp_path):
    net = define_G(3, 1, 4, "resnet_6blocks").eval()
    save_network(net, tmp_path / "run" / "latest_net_G.pth")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (17, 16), "red").save(tmp_path / "photos" / "a.jpg", icc_profile=profile)
    weights = tmp_path / "run" / "latest_net_G.pth"
    translate_folder(load_generator(weights), weights, tmp_path / "photos", tmp_path / "results")
    with Image.open(tmp_path / "results" / "a.jpg") as image:
        assert (image.mode, image.size) == ("L", (17, 16))
        assert "icc_profile" not in image.info
