"""Ways of a ResNet to change sizes: closed forms, second implementations, and what they do to grids."""

import math

import numpy as np
import pytest
import scipy.ndimage
import torch

from models.architecture import Architecture, DiscriminatorArchitecture, generator_from_file, load_into
from models.nets.resnet import BlurPool2d, ResizeConv2d
from models.networks import define_D, define_G, init_weights
from util.checkpoint import save_network
from util.errors import UserError
from util.measure.metrics import grid_amplitude


def test_resize_convolution_is_a_convolution_of_repeated_pixels():
    torch.manual_seed(0)
    layer = ResizeConv2d(2, 3, 3)
    x = torch.randn(1, 2, 5, 7)
    large = np.pad(x[0].numpy().repeat(2, axis=1).repeat(2, axis=2), ((0, 0), (1, 1), (1, 1)), mode="reflect")
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    expected = np.stack(
        [
            bias[out] + sum(scipy.ndimage.correlate(large[c], weight[out, c])[1:-1, 1:-1] for c in range(2))
            for out in range(3)
        ]
    )
    np.testing.assert_allclose(layer(x)[0].detach().numpy(), expected, atol=1e-5)


def test_constant_input_makes_a_grid_by_transposed_convolution_only():
    """Even and odd output pixels see different entries of the 3x3 kernel k: its centre, sides or corners."""
    torch.manual_seed(0)
    transposed = torch.nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1, output_padding=1, bias=False)
    k = transposed.weight[0, 0]
    x = torch.ones(1, 1, 8, 8)
    inner = transposed(x)[0, 0, 2:-2, 2:-2]
    corners = k[0, 0] + k[0, 2] + k[2, 0] + k[2, 2]
    for rows, columns, expected in (
        (0, 0, k[1, 1]),
        (0, 1, k[1, 0] + k[1, 2]),
        (1, 0, k[0, 1] + k[2, 1]),
        (1, 1, corners),
    ):
        found = inner[rows::2, columns::2]
        torch.testing.assert_close(found, expected.expand_as(found))
    y = ResizeConv2d(1, 1, 3)(x)
    torch.testing.assert_close(y, y[..., :1, :1].expand_as(y))


@pytest.mark.parametrize("frequency", [0, math.pi / 4, math.pi / 2, math.pi])
def test_blur_pool_has_the_binomial_response(frequency):
    x = torch.cos(frequency * torch.arange(16.0)).expand(2, 3, 16, 16)
    y = BlurPool2d()(x)
    expected = math.cos(frequency / 2) ** 2 * x[..., ::2, ::2]
    torch.testing.assert_close(y[..., 1:-1], expected[..., 1:-1], atol=1e-6, rtol=1e-5)


def smooth_image():
    y, x = np.mgrid[:64, :64] / 64
    photo = np.stack([0.8 * x, 0.5 - 0.5 * y, 0.3 * x * y], axis=-1)
    return torch.from_numpy(photo).float().permute(2, 0, 1)[None]


def test_untrained_networks_print_grids_by_transposed_convolution_only():
    """Medians over ten random networks: the pattern is more than five times weaker with resize."""
    amplitudes = {}
    for upsample in ("transpose", "resize"):
        found = []
        for seed in range(10):
            torch.manual_seed(seed)
            net = init_weights(define_G(3, 3, 8, "resnet_6blocks", upsample=upsample, antialias=True)).eval()
            with torch.inference_mode():
                output = net(smooth_image())[0, :, 8:-8, 8:-8].permute(1, 2, 0).numpy() / 2
            found.append(grid_amplitude(output) / output.std())
        amplitudes[upsample] = np.median(found)
    assert amplitudes["resize"] < amplitudes["transpose"] / 5


@pytest.mark.parametrize("upsample", ["transpose", "resize"])
@pytest.mark.parametrize("antialias", [False, True])
def test_checkpoints_tell_how_sizes_change(tmp_path, upsample, antialias):
    """Loaded from the bare file, without options; all other keys are those of the published networks."""
    net = define_G(3, 3, 4, "resnet_6blocks", "batch", upsample=upsample, antialias=antialias).eval()
    found = Architecture.of_state(net.state_dict())
    assert (found.upsample, found.antialias) == (upsample, antialias)
    published = define_G(3, 3, 4, "resnet_6blocks", "batch").state_dict()
    assert set(net.state_dict()) - set(published) == (
        {"model.6.1.filt", "model.9.1.filt"} if antialias else set()
    )
    save_network(net, tmp_path / "net.pth")
    x = torch.randn(1, 3, 16, 24)
    torch.testing.assert_close(generator_from_file(tmp_path / "net.pth")(x), net(x), rtol=0, atol=0)
    assert net(x).shape == x.shape


def test_wrong_sizes_name_the_flags():
    state = define_G(3, 3, 4, "resnet_6blocks", upsample="resize", antialias=True).state_dict()
    with pytest.raises(UserError, match=r"use --upsample resize --antialias$"):
        load_into(define_G(3, 3, 4, "resnet_6blocks"), state, "x.pth")


def test_features_are_the_layers_of_a_whole_pass():
    """Seen by hooks; the in-place ReLU after a layer does not change what is returned."""
    torch.manual_seed(0)
    net = define_G(3, 3, 4, "resnet_6blocks").eval()
    x = torch.randn(2, 3, 16, 16)
    seen = {}
    layers = (0, 2, 7, 10)
    for index in layers:
        net.model[index].register_forward_hook(lambda m, i, y, index=index: seen.update({index: y.clone()}))
    net(x)
    for index, feature in zip(layers, net.features(x, layers), strict=True):
        assert torch.equal(feature, seen[index])


@pytest.mark.parametrize("netD", ["basic", "pixel", "n_layers"])
def test_spectral_norm_bounds_every_layer(netD):
    """After some passes the largest singular value, found by SVD, is 1; with biases, without layers between."""
    torch.manual_seed(0)
    net = init_weights(define_D(3, 4, netD, 2, norm="spectral"))
    for _ in range(200):
        net(torch.randn(1, 3, 32, 32))
    convs = [module for module in net.modules() if isinstance(module, torch.nn.Conv2d)]
    for conv in convs:
        assert torch.linalg.svdvals(conv.weight.flatten(1))[0].item() == pytest.approx(1, abs=0.01)
        assert conv.bias is not None
    expected = {"input_nc": 3, "ndf": 4, "netD": netD, "n_layers_D": 2 if netD == "n_layers" else 3}
    found = DiscriminatorArchitecture.of_state(net.state_dict())
    assert found == DiscriminatorArchitecture(**expected, norm="spectral")


def test_wrong_norm_of_a_discriminator_names_its_flag():
    state = define_D(3, 4, "basic", norm="spectral").state_dict()
    with pytest.raises(UserError, match=r"use --norm_D spectral$"):
        load_into(define_D(3, 4, "basic", norm="instance"), state, "x.pth")
