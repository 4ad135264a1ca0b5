"""Where a lens blurs: learned from maps of domain B, unseen sharpness, and rendered by a lens generator."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from skimage import data

import train
from data import create_dataset
from data.blur_maps_dataset import BlurMapsDataset, View
from models import create_model, load_generator
from models.inference.generator import GeneratorSettings
from models.lens.generator import LensGenerator
from models.lens.places import places
from models.lens.radius import (
    LOOK_SIDE,
    LOOK_SIGMA,
    Blur,
    RadiusNet,
    before_feet,
    behind,
    load_radius_net,
    look,
    settled,
    wide_open,
)
from models.lens.settings import LensSettings
from models.nets.effnet import Encoder
from models.networks import define_G
from models.training_state import load_state, save_state
from options import TestOptions, TrainOptions
from util.blur_maps import BlurMap, write_blur_map
from util.checkpoint import save_network, save_weights
from util.errors import UserError
from util.optics.blur import disc_blur


@pytest.fixture
def shallow(tmp_path):
    """A dataroot of domain B: photos whose upper half has a radius of 3 pixels."""
    (tmp_path / "D/trainB").mkdir(parents=True)
    (tmp_path / "D/maskB").mkdir()
    torch.manual_seed(1)
    save_weights(Encoder(3).state_dict(), tmp_path / "encoder.pth")
    mask = np.zeros((160, 120), np.uint8)
    mask[80:, 40:80] = 255
    radius = np.zeros((64, 48), np.float32)
    radius[:32] = 3
    for number in range(4):
        part = data.coffee()[10 * number : 160 + 10 * number, 40 * number : 120 + 40 * number]
        Image.fromarray(part).save(tmp_path / f"D/trainB/{number}.png")
        Image.fromarray(mask).save(tmp_path / f"D/maskB/{number}.png")
        write_blur_map(BlurMap(radius, np.ones_like(radius)), tmp_path / f"D/blurB/{number}.png")
    return tmp_path / "D"


def flags(dataroot, *more):
    return [
        *(
            "--dataroot",
            str(dataroot),
            "--checkpoints_dir",
            str(dataroot.parent / "checkpoints"),
            "--name",
            "P",
        ),
        *("--model", "radius", "--npf", "8", "--batch_size", "4", "--device", "cpu", "--n_epochs_decay", "0"),
        *("--num_threads", "0", "--display_id", "0", "--no_html", *more),
        *("--encoder_weights", str(dataroot.parent / "encoder.pth")),
    ]


def test_asked_it_says_what_it_says_in_training(shallow, monkeypatch):
    """Its norms see how much of their picture the photo fills: 85 x 64 pixels of 96 x 96."""
    photos = BlurMapsDataset(TrainOptions().parse(flags(shallow)))
    torch.manual_seed(0)
    net = RadiusNet(8).eval()
    told = []
    for mirrored in (False, True):
        monkeypatch.setattr(photos, "view", lambda rng, mirrored=mirrored: View(mirrored=mirrored))
        item = photos.load(0, np.random.default_rng(0))
        seen = item["inside_B"] * look(item["B"][None], item["mask_B"][None], LOOK_SIGMA)
        level, _ = net(seen)
        told.append(level[..., :22, :16].flip(-1) if mirrored else level[..., :22, :16])
        if not mirrored:
            asked = net.ask_look(seen[..., :85, :64])
    torch.testing.assert_close(asked.level, sum(told) / 2)


def test_learns_that_the_upper_half_is_soft(shallow):
    opt = TrainOptions().parse(flags(shallow, "--n_epochs", "1", "--lr", "0.02", "--ema", "0.9"))
    torch.manual_seed(0)
    loader, model = create_dataset(opt), create_model(opt)
    model.setup()
    for epoch in range(36):
        loader.set_epoch(epoch)
        for batch in loader:
            model.train_step(batch)
    model.save_networks("latest")
    net = load_radius_net(model.save_dir / "latest_net_P.pth")
    photo = torch.from_numpy(data.coffee()[:160, 300:420]).permute(2, 0, 1)[None].float() / 127.5 - 1
    mask = torch.zeros(1, 1, 160, 120)
    mask[..., 80:, 40:80] = 1
    with torch.inference_mode():
        level = net.ask(photo, mask).level[0, 0]
    upper, lower = level[: len(level) // 2 - 1].mean(), level[len(level) // 2 + 1 :].mean()
    assert upper > 1.2 and lower < 0.8


@pytest.fixture
def both(shallow):
    """The dataroot, whose domain A has the photos of B too."""
    for name in ("train", "mask"):
        (shallow / f"{name}A").mkdir()
        for path in (shallow / f"{name}B").iterdir():
            (shallow / f"{name}A" / path.name).write_bytes(path.read_bytes())
    return shallow


def test_with_a_critic_photos_of_a_get_the_levels_of_b(both):
    """Of photos of A the same as of B is said; the critic is of both domains and has a gradient."""
    opt = TrainOptions().parse(flags(both, "--n_epochs", "1", "--lambda_critic", "1", "--lr", "0.01"))
    torch.manual_seed(0)
    loader, model = create_dataset(opt), create_model(opt)
    model.setup()
    (batch,) = loader
    assert torch.equal(batch["regions_A"].sum(1).amax((1, 2)), torch.ones(4))
    critic = [float(model.train_step(batch)["critic"]) for _ in range(12)]
    assert critic[-1] < 0.7 * critic[0]


def test_resumed_the_critic_remembers(both):
    """The step after a stop is that of the run that was not stopped; one that forgets takes another."""
    opt = TrainOptions().parse(flags(both, "--n_epochs", "1", "--lambda_critic", "1", "--lr", "0.01"))
    loader, model = create_dataset(opt), create_model(opt)
    model.setup()
    (batch,) = loader
    for _ in range(3):
        model.train_step(batch)
    save_state(model, {"total_iters": 12})
    resumed, forgetful = create_model(opt), create_model(opt)
    for other in (resumed, forgetful):
        load_state(other)
    for match in forgetful.matches.values():
        match.load_state_dict({"real": [], "ours": []}, forgetful.device)
    critic = []
    for each in (model, resumed, forgetful):
        torch.manual_seed(1)
        critic.append(float(each.train_step(batch)["critic"]))
    assert critic[1] == critic[0] != critic[2]


def test_maps_that_are_missing_are_named_with_the_command(shallow, capsys):
    (shallow / "blurB/2.png").unlink()
    with pytest.raises(SystemExit):
        train.main(flags(shallow, "--n_epochs", "1"))
    assert "1 of 4 photos have no blur map" in (message := capsys.readouterr().err)
    assert "python scripts/measure_blur.py --dataroot" in message


def test_a_look_hides_whether_a_photo_is_sharp():
    """What is left of the difference to a copy behind a disc of 2 pixels, as soft as most of domain B, is little."""
    photo = torch.from_numpy(data.chelsea()[:256, :256]).permute(2, 0, 1)[None].float() / 127.5 - 1
    blurred = disc_blur(photo / 2 + 0.5, torch.ones(1, 1, 256, 256), 2.0) * 2 - 1
    mask = torch.zeros(1, 1, LOOK_SIDE, LOOK_SIDE)
    small = [F.interpolate(x, LOOK_SIDE, mode="area") for x in (photo, blurred)]
    seen = [look(x, mask, LOOK_SIGMA)[:, :3, 6:-6, 6:-6] for x in small]
    difference = (seen[0] - seen[1]).square().mean().sqrt()
    assert difference < 0.1 * (photo - blurred).square().mean().sqrt()
    flat = torch.full((1, 3, 20, 30), 0.3)
    assert torch.allclose(look(flat, torch.ones(1, 1, 20, 30), 2.0)[:, :3], flat, atol=1e-6)


def test_places_are_seen_from_the_subject():
    """In shorter sides of the photo, and in heights of the subject; without a subject all counts from the top left."""
    subject, inside = torch.zeros(2, 1, 30, 9, dtype=torch.bool), torch.ones(2, 1, 30, 9, dtype=torch.bool)
    subject[0, 0, 5:26, 4] = True
    inside[0, 0, 28:] = False
    row, below, deeper, beside, room = (LOOK_SIDE * places(subject, inside)).unbind(1)
    assert torch.equal(row[0, :, 2], torch.arange(30.0))
    assert torch.equal(below[0], row[0] - 25)
    torch.testing.assert_close(deeper[0], LOOK_SIDE * below[0] / 20)
    torch.testing.assert_close(beside[0, 7], LOOK_SIDE * (torch.arange(9.0) - 4).abs() / 20)
    assert torch.equal(room[0], torch.full((30, 9), 2.0))
    assert torch.equal(below[1], row[1]) and torch.equal(room[1], torch.full((30, 9), 29.0))


def test_uncertain_places_get_the_mean_of_their_row():
    level = torch.tensor([[[[1.0, 3.0, 5.0], [-1.0, 2.0, 2.0]]]])
    sure, unsure = -20.0, 20.0
    log_scale = torch.tensor([[[[sure, sure, unsure], [sure, sure, sure]]]])
    mask = torch.zeros(1, 1, 2, 3)
    expected = torch.tensor([[[[1.0, 3.0, 2.0], [0.0, 2.0, 2.0]]]])
    assert torch.allclose(settled(Blur(level, log_scale), mask), expected, atol=1e-3)


def test_what_is_behind_the_subject_and_at_its_edge_goes_on_from_beside():
    rows = torch.tensor([3.0, 2.0, 0.5])
    true = rows.view(1, 1, 3, 1).expand(1, 1, 3, 7)
    mask = torch.zeros(1, 1, 3, 7)
    mask[..., 3] = 1
    seen = true.clone()
    seen[..., 2:5] *= torch.tensor([0.4, 0.0, 0.4])
    assert torch.allclose(behind(seen, mask), true, atol=1e-4)
    # Nearer places count more, and without a subject nothing changes.
    sides = torch.cat([torch.zeros(1, 1, 3, 3), torch.ones(1, 1, 3, 4)], -1)
    found = behind(sides, mask)[0, 0, 0]
    assert 0 < found[2] < found[3] < found[4] < 1
    assert torch.equal(behind(sides, 0 * mask), sides)


def test_ground_before_the_feet_is_as_soft_as_a_thin_lens_leaves_it():
    """A pinhole's ray through row y meets level ground, `height` below it, at 1/Z = (y - horizon) / (f * height)."""
    rows, horizon, feet = torch.arange(12.0), 2.0, 8
    # Between the rows 7 and 8 is what is in focus.
    radius = 0.5 * ((rows - horizon) / 3 - (feet - 0.5 - horizon) / 3).abs()
    true = torch.log2(1 + radius).view(1, 1, 12, 1).expand(3, 1, 12, 5)
    seen = true.clone()
    # Domain B shows little ground before the feet, and what it shows is sharp. One place behind is said to be softer.
    seen[..., feet:, :] = 0.1
    seen[..., 5:7, 4] += 1
    mask = torch.zeros(3, 1, 12, 5)
    mask[0, :, 3:feet, 2] = 1
    mask[1, :, 3:, 2] = 1
    found = before_feet(seen, mask)
    torch.testing.assert_close(found[0, 0, :, :4], torch.maximum(true, seen)[0, 0, :, :4])
    # Cut off by the border, or without a subject, nothing is known of the ground.
    assert torch.equal(found[1:], seen[1:])


class Told(RadiusNet):
    """Level 2, which is a radius of 3 pixels at 256, left of the middle; right of it sharp."""

    def ask(self, x, mask):
        level = x.new_zeros(len(x), 1, 16, 16)
        level[..., :8] = 2
        return Blur(level, torch.full_like(level, -20.0))


def test_a_lens_that_is_open_wider_blurs_all_alike():
    """Up to where the farthest is asked to be; wider ones and what is all near are not stretched to it."""
    radii = torch.tensor([[1.0, 2.0], [5.0, 6.0], [0.1, 0.2], [0.0, 0.0]]).view(4, 1, 1, 2)
    expected = torch.tensor([[2.0, 4.0], [5.0, 6.0], [0.8, 1.6], [0.0, 0.0]]).view(4, 1, 1, 2)
    torch.testing.assert_close(wide_open(radii, 4.0), expected)
    assert torch.equal(wide_open(radii, 0.0), radii)


@pytest.mark.parametrize("stated", [(), ("--aperture", "auto"), ("--aperture", "1"), ("--aperture", "2")])
def test_a_stated_aperture_is_the_radius_of_what_is_farthest(tmp_path, stated):
    """Four pixels at 256 times the aperture, where the network tells three; else what it tells."""
    torch.manual_seed(0)
    lens = LensGenerator(define_G(3, 2, 4, "resnet_6blocks"), LensSettings((4.0,), 32))
    save_network(lens, tmp_path / "latest_net_G.pth")
    save_network(RadiusNet(8), tmp_path / "latest_net_P.pth")
    opt = TestOptions().parse(["--dataroot", "D", "--device", "cpu", *stated])
    net = load_generator(tmp_path, settings=GeneratorSettings.of_options(opt)).net
    net.radius_net = Told(8)
    x = torch.zeros(1, 3, 512, 512)
    largest = net.radius_by_place(x, torch.zeros(1, 1, 512, 512), torch.ones(1)).max()
    expected = {"1": 4, "2": 8}.get(stated[-1] if stated else "", 3)
    assert float(largest) == pytest.approx(512 / 256 * expected)


@pytest.mark.parametrize("width", [64, 200, 256])
def test_a_mirrored_photo_gets_the_mirrored_answer(width):
    torch.manual_seed(0)
    net = RadiusNet(8).eval()
    x, mask = torch.rand(1, 3, 200, width) * 2 - 1, (torch.rand(1, 1, 200, width) > 0.5).float()
    with torch.inference_mode():
        plain, mirrored = net.ask(x, mask), net.ask(x.flip(-1), mask.flip(-1))
    assert plain.level.std() > 0
    for one, other in zip(plain, mirrored, strict=True):
        assert torch.allclose(one, other.flip(-1), atol=1e-5)


def test_lens_blurs_each_place_by_its_radius():
    torch.manual_seed(0)
    lens = LensGenerator(define_G(3, 2, 4, "resnet_6blocks"), LensSettings((4.0,), linear_light=False)).eval()
    lens.radius_net = Told(8)
    x = torch.rand(1, 3, 128, 128) * 2 - 1
    nothing, share = torch.zeros(1, 1, 128, 128), torch.ones(1)
    out = lens.blur_by_place(x, nothing, share)
    expected = disc_blur((x + 1) / 2, 1 - nothing, 1.5) * 2 - 1
    assert torch.allclose(out[..., :56], expected[..., :56], atol=1e-4)
    assert torch.allclose(out[..., 76:], x[..., 76:], atol=1e-6)
    # What is in focus is the photo's, exactly, whatever the map says.
    assert torch.equal(lens.blur_by_place(x, 1 - nothing, share), x)
    # The aperture scales, a background that is soft already gets less.
    lens.configure(LensSettings((4.0,), linear_light=False, aperture=2.0))
    twice = lens.blur_by_place(x, nothing, share)
    assert torch.allclose(lens.blur_by_place(x, nothing, share / 2), out, atol=1e-6)
    assert twice[..., :56].std() < out[..., :56].std()


def test_the_network_beside_a_generator_is_used_unless_told_not_to(tmp_path):
    torch.manual_seed(0)
    lens = LensGenerator(define_G(3, 2, 4, "resnet_6blocks"), LensSettings((4.0,), 32))
    save_network(lens, tmp_path / "latest_net_G.pth")
    assert load_generator(tmp_path).net.radius_net is None
    save_network(RadiusNet(8), tmp_path / "latest_net_P.pth")
    assert load_generator(tmp_path).net.radius_net is not None
    assert load_generator(tmp_path, settings=GeneratorSettings(radius="none")).net.radius_net is None
    with pytest.raises(UserError, match=r"gone\.pth: no such file.*--radius"):
        load_generator(tmp_path, settings=GeneratorSettings(radius=str(tmp_path / "gone.pth")))
    with pytest.raises(UserError, match="not the weights of a radius network"):
        load_generator(tmp_path, settings=GeneratorSettings(radius=str(tmp_path / "latest_net_G.pth")))


def test_auto_aperture_takes_the_radii_as_they_are_told(tmp_path):
    """The radius network's own radii, whatever the background's gradient; without such a network it is refused."""

    def settings(*more):
        return GeneratorSettings.of_options(
            TestOptions().parse(["--dataroot", "D", "--device", "cpu", *more])
        )

    torch.manual_seed(0)
    lens = LensGenerator(
        define_G(3, 2, 4, "resnet_6blocks"), LensSettings((4.0,), 32, soft_range=(0.01, 0.02))
    )
    save_network(lens, tmp_path / "latest_net_G.pth")
    with pytest.raises(UserError, match=r"--aperture auto: .*--radius"):
        load_generator(tmp_path, settings=settings("--aperture", "auto"))
    save_network(RadiusNet(8), tmp_path / "latest_net_P.pth")
    told = load_generator(tmp_path, settings=settings("--aperture", "auto")).net.settings
    assert told.aperture == 1 and told.soft_range == (0, 0)
    asked = settings("--aperture", "auto", "--soft_range", "0.1", "0.2")
    assert load_generator(tmp_path, settings=asked).net.settings.soft_range == pytest.approx((0.1, 0.2))
    assert load_generator(tmp_path, settings=settings("--aperture", "2")).net.settings.aperture == 2
    with pytest.raises(UserError, match="--aperture -1"):
        settings("--aperture", "-1")
