"""The lens generator: weights at its own scale, carried to the photo's; files; the losses that teach it."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from skimage.data import chelsea

from models import load_generator
from models.lens.generator import LOGIT_BOUND, LensGenerator
from models.lens.settings import LensChanges, LensSettings
from models.losses.lens import focus_loss
from models.nets.base import GeneratorNet
from models.nets.effnet import EffnetGenerator, load_imagenet, read_imagenet_weights
from models.nets.norms import get_norm_layer
from models.networks import define_G
from util.checkpoint import save_network
from util.measure.metrics import Regions, background_gradient
from util.optics.camera import Camera
from util.optics.light import srgb_to_linear
from util.optics.pupil import Aperture


class Planned(GeneratorNet):
    """Stands in for a network: in focus in the middle half, out of focus at both sides."""

    divisor = 4

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 3, 1)

    def forward(self, x):
        self.seen = tuple(x.shape[-2:])
        logits = x.new_full((len(x), 3, *x.shape[-2:]), -1.0)
        quarter = x.shape[-1] // 4
        logits[:, 1] = 1
        logits[:, 0, :, quarter:-quarter] = 1
        logits[:, 1, :, quarter:-quarter] = -1
        return logits


@pytest.mark.parametrize("size", [(256, 256), (150, 301), (37, 41)])
def test_middle_is_untouched_sides_are_blurred_at_any_size(size):
    photo = torch.rand(1, 3, *size) * 2 - 1
    generator = LensGenerator(
        Planned(),
        LensSettings(
            (
                4.0,
                8.0,
            ),
            weights_size=64,
            focus_range=(0.1, 0.9),
        ),
    ).eval()
    out, (weights, logits) = generator(photo), generator.decide(photo)
    assert min(generator.net.seen) == 64
    assert logits.abs().max() == LOGIT_BOUND
    assert torch.allclose(weights.sum(1), torch.ones(1, *size), atol=1e-5)
    middle = np.s_[..., size[1] * 2 // 5 : size[1] * 3 // 5]
    assert torch.equal(out[middle], photo[middle])
    for side in (np.s_[..., : size[1] // 10], np.s_[..., -size[1] // 10 :]):
        assert out[side].std() < 0.9 * photo[side].std()


def test_training_sees_fewer_pixels_and_every_weight():
    generator = LensGenerator(
        Planned(), LensSettings((4.0,), weights_size=64, focus_range=(0.4, 0.6), train_weights_size=48)
    )
    photo = torch.rand(1, 3, 96, 128) * 2 - 1
    weights = generator.eval().decide(photo).weights
    assert generator.net.seen == (64, 84)
    assert weights[:, 0, :, 54:74].min() == 1
    weights = generator.train().decide(photo).weights
    assert generator.net.seen == (48, 64)
    assert weights[:, 0, :, 54:74].min() > 0.99 and weights[:, 0].max() < 1


def test_radii_grow_with_the_photo_and_the_aperture():
    """Twice the photo, or half the photo at twice the aperture: the same picture at another size."""
    small = F.interpolate(
        torch.from_numpy(chelsea()[:256, :256].transpose(2, 0, 1).astype(np.float32))[None], 128
    )
    small = small / 127.5 - 1
    large = F.interpolate(small, 256, mode="bilinear", align_corners=False)
    generator = LensGenerator(
        Planned(),
        LensSettings(
            (
                6.0,
                8.0,
            ),
            weights_size=128,
        ),
    ).eval()
    shrunk = F.interpolate(generator(large), 128, mode="area")
    inner = np.s_[..., 8:-8, 104:-8]
    assert (shrunk - generator(small))[inner].abs().mean() < 0.02
    narrow = generator(small)
    generator.change(LensChanges(aperture=2.0))
    assert generator(small)[inner].std() < narrow[inner].std()


def test_stretch_makes_sure_pixels_exact():
    generator = LensGenerator(Planned(), LensSettings((2.0, 4.0), focus_range=(0.2, 0.6))).eval()
    weights = torch.tensor([[0.1, 0.6, 0.3], [0.4, 0.4, 0.2], [0.6, 0.1, 0.3]]).T[None, ..., None]
    expected = torch.tensor([[0, 2 / 3, 1 / 3], [0.5, 1 / 3, 1 / 6], [1, 0, 0]]).T[None, ..., None]
    assert torch.allclose(generator.stretch(weights), expected, atol=1e-6)


def test_wider_aperture_does_not_change_more_of_what_is_in_between():
    """The share out of focus is taken to the cube of the aperture: what is sure stays, what is unsure gets sharper."""
    generator = LensGenerator(Planned(), LensSettings((2.0, 4.0), focus_range=(0.0, 1.0))).eval()
    weights = torch.tensor([[0.0, 0.5, 0.5], [0.5, 0.25, 0.25], [1.0, 0.0, 0.0]]).T[None, ..., None]
    generator.change(LensChanges(aperture=2.0))
    left = 0.5**8 / 2
    expected = torch.tensor([[0, 0.5, 0.5], [1 - 0.5**8, left, left], [1, 0, 0]]).T[None, ..., None]
    assert torch.allclose(generator.stretch(weights), expected, atol=1e-6)
    generator.change(LensChanges(aperture=0.5))
    assert torch.equal(generator.stretch(weights), weights)


def slope_photo(slope: float, side: int = 256) -> torch.Tensor:
    """`[1,3,H,W] in [-1,1]` whose luma rises by `slope` of [0,1] per pixel of a side of 256."""
    ramp = slope * 256 / side * (torch.arange(side) - side / 2)
    return (2 * ramp).expand(1, 3, side, side)


def test_mirrored_photo_gives_the_mirrored_result():
    """In evaluation, whatever the network has learned; in training it is asked once."""
    torch.manual_seed(0)
    generator = LensGenerator(
        define_G(4, 4, 4, "resnet_6blocks"),
        LensSettings(
            (
                2.0,
                4.0,
                8.0,
            ),
            weights_size=64,
        ),
    )
    photo, mask = torch.rand(2, 3, 96, 72) * 2 - 1, torch.rand(2, 1, 96, 72)
    with torch.no_grad():
        mirrored = [generator.train()(photo.flip(-1), mask.flip(-1)), generator(photo, mask).flip(-1)]
        assert (mirrored[0] - mirrored[1]).abs().max() > 0.01
        logits = [generator.logits(photo, mask), generator.logits(photo.flip(-1), mask.flip(-1)).flip(-1)]
        generator.eval()
        assert torch.allclose(generator.logits(photo, mask), sum(logits) / 2, atol=1e-4)
        assert torch.allclose(
            generator(photo.flip(-1), mask.flip(-1)), generator(photo, mask).flip(-1), atol=1e-4
        )


def test_softening_is_the_place_of_the_gradient_on_a_log_scale():
    low, high = 1e-4, 4e-4
    generator = LensGenerator(Planned(), LensSettings((4.0,), soft_range=(low, high)))
    nothing = torch.zeros(1, 1, 256, 256)
    photos = torch.cat([slope_photo(slope) for slope in (low / 2, low, 2e-4, high, 2 * high)])
    shares = generator.softening(photos, nothing.expand(5, -1, -1, -1))
    # A ramp's gradient is its slope but at the two borders, where it is half of that.
    assert torch.allclose(shares, torch.tensor([0, 0, 0.5, 1, 1]), atol=0.01)
    assert generator.softening(photos, nothing.expand(5, -1, -1, -1) + 1).tolist() == [1.0] * 5
    generator.change(LensChanges(aperture=2.0))  # behind a lens twice as wide, half the gradient
    assert generator.softening(slope_photo(1e-4), nothing).item() == pytest.approx(0.5, abs=0.01)
    generator.change(LensChanges(aperture=1.0))
    large = generator.softening(slope_photo(2e-4, 512), torch.zeros(1, 1, 512, 512))
    assert large.item() == pytest.approx(0.5, abs=0.01)
    tiny = generator.softening(torch.rand(1, 3, 1, 5), torch.zeros(1, 1, 1, 5))
    assert 0 <= tiny.item() <= 1
    generator.change(LensChanges(soft_range=(0.0, 0.0)))
    assert generator.softening(photos, nothing.expand(5, -1, -1, -1)).tolist() == [1.0] * 5


def test_softening_measures_what_evaluation_measures():
    """The gradient of `util.measure.metrics` for a cat with a square subject, put at the middle of a range."""
    photo = chelsea()[:256, :256]
    mask = np.zeros((256, 256), np.float32)
    mask[80:200, 60:180] = 1
    # The network's outline is a square's, evaluation's a disc's: both 8 pixels away from straight edges.
    gradient = background_gradient(
        photo.astype(np.float32) / 255, Regions.of_mask(mask, dilated=8.5).background
    )
    generator = LensGenerator(Planned(), LensSettings((4.0,), soft_range=(gradient / 2, gradient * 2)))
    x = torch.from_numpy(photo.transpose(2, 0, 1).astype(np.float32)).div(127.5).sub(1)[None]
    share = generator.softening(x, torch.from_numpy(mask)[None, None])
    assert share.item() == pytest.approx(0.5, abs=0.01)


def test_soft_background_is_left_alone():
    """Each photo of a batch by itself: the soft one comes back, the busy one is blurred."""
    photos = torch.cat([slope_photo(1e-4), torch.rand(1, 3, 256, 256) * 2 - 1])
    generator = LensGenerator(
        Planned(),
        LensSettings(
            (
                4.0,
                8.0,
            ),
            weights_size=64,
            soft_range=(1e-3, 1e-2),
        ),
    ).eval()
    out = generator(photos)
    assert (out[0] - photos[0]).abs().max() < 1e-5
    assert out[1, :, :, 216:].std() < 0.2 * photos[1, :, :, 216:].std()


@pytest.mark.parametrize("netG", ["resnet_6blocks", "unet_128", "effnet_lite0"])
@pytest.mark.parametrize("input_nc", [3, 4])
def test_file_holds_all_that_the_generator_is(tmp_path, netG, input_nc):
    torch.manual_seed(0)
    generator = LensGenerator(
        define_G(input_nc, 4, 4, netG),
        LensSettings((1.0, 3.0, 9.0), 64, (0.25, 0.75), True, (0.01, 0.02)),
    ).eval()
    save_network(generator, tmp_path / "latest_net_G.pth")
    loaded = load_generator(tmp_path)
    x, mask = torch.rand(1, 3, 70, 90) * 2 - 1, torch.rand(1, 1, 70, 90)
    with torch.inference_mode():
        assert torch.equal(loaded.net(x, mask), generator(x, mask))
    picture = Image.fromarray(chelsea())
    if input_nc == 3:
        assert loaded(picture).size == picture.size


def test_focus_loss_has_its_closed_form():
    """Two pixels, subject and background, in-focus probabilities p and q."""
    logits = torch.tensor([[0.3, -1.0], [1.2, 0.4], [-0.5, 0.1]]).view(1, 3, 1, 2)
    mask = torch.tensor([[[[1.0, 0.0]]]])
    p, q = logits.softmax(1)[0, 0, 0].tolist()
    truth = -(np.log(p) + np.log(1 - q)) / 2 + 1 - (2 * p + 1) / (p + q + 1 + 1)
    assert np.isclose(focus_loss(logits, mask).item(), truth)


def test_encoder_recognises_a_cat():
    """With the head of the published weights on top, the encoder is the published classifier."""
    net = EffnetGenerator(3, 4, 4, get_norm_layer("instance"))
    load_imagenet(net.encoder)
    state = read_imagenet_weights()
    photo = Image.fromarray(chelsea()[:300, 60:360]).resize((224, 224), Image.Resampling.BICUBIC)
    x = torch.from_numpy(np.asarray(photo).transpose(2, 0, 1).astype(np.float32)).div(127.5).sub(1)[None]
    with torch.no_grad():
        y = F.conv2d(net.eval().encoder(x)[-1], state["_conv_head.weight"])
        statistics = (state[f"_bn1.{name}"] for name in ("running_mean", "running_var", "weight", "bias"))
        y = F.relu6(F.batch_norm(y, *statistics, eps=1e-3)).mean((2, 3))
        best = F.linear(y, state["_fc.weight"], state["_fc.bias"])[0].topk(3).indices.tolist()
    assert set(best) <= {281, 282, 283, 284, 285, 287}  # the cats of ImageNet, and the lynx


def test_mask_channel_starts_without_influence():
    net = EffnetGenerator(4, 4, 4, get_norm_layer("instance")).eval()
    load_imagenet(net.encoder)
    x = torch.rand(1, 4, 64, 64)
    changed = torch.cat([x[:, :3], 1 - x[:, 3:]], dim=1)
    assert torch.equal(net(x), net(changed))


def test_camera_takes_the_radii_that_were_decided():
    """The middle stays the photo's; a light at the side becomes a disc of the first radius, times aperture."""
    photo = torch.full((1, 3, 256, 256), -1.0)
    photo[..., 126:130, 30:34] = 1
    photo[..., 128, 128] = 1
    settings = LensSettings((4.0, 400.0), weights_size=64, focus_range=(0.1, 0.9), aperture=2.0)
    generator = LensGenerator(Planned(), settings).eval()
    generator.change(LensChanges(camera=Camera(Aperture(blades=4))))
    weights = torch.zeros(1, 3, 256, 256)
    weights[:, 1, :, :64] = weights[:, 0, :, 64:] = 1
    out = generator.render(photo, weights)
    assert torch.equal(out[..., 64:], photo[..., 64:])
    lit = srgb_to_linear((out[0, 0, :, :64] + 1) / 2)
    # A square of corner radius 8 has area 2 * 8^2 and holds all 16 pixels of light.
    assert float(lit.sum()) == pytest.approx(16, rel=0.01)
    assert float((lit > lit.max() / 2).sum()) == pytest.approx(2 * 64, rel=0.12)
