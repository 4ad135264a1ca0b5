"""Networks have the keys, shapes and function of pytorch-CycleGAN-and-pix2pix's."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from models.architecture import Architecture, DiscriminatorArchitecture, generator_from_file, load_into
from models.lens.settings import LensSettings
from models.networks import LinearDecay, define_D, define_G, init_weights
from models.options.networks import INITS
from util.checkpoint import load_state_dict, save_network
from util.errors import UserError


def conv(key, out, into, size, bias, transposed=False):
    """Entries of a convolution from `into` to `out` channels; a transposed one has them the other way round."""
    shape = (into, out) if transposed else (out, into)
    return {f"{key}.weight": (*shape, size, size)} | ({f"{key}.bias": (out,)} if bias else {})


def norm_entries(key, channels, norm):
    if norm != "batch":
        return {}
    names = ("weight", "bias", "running_mean", "running_var")
    return {f"{key}.{name}": (channels,) for name in names} | {f"{key}.num_batches_tracked": ()}


def resnet_entries(n_blocks, norm, dropout, ngf=4, input_nc=3, output_nc=3):
    """Keys and shapes by the rules of the checkpoints' format, written down independently of the network."""
    bias = norm == "instance"
    up = 10 + n_blocks
    entries = conv("model.1", ngf, input_nc, 7, bias) | norm_entries("model.2", ngf, norm)
    entries |= conv("model.4", 2 * ngf, ngf, 3, bias) | norm_entries("model.5", 2 * ngf, norm)
    entries |= conv("model.7", 4 * ngf, 2 * ngf, 3, bias) | norm_entries("model.8", 4 * ngf, norm)
    second = 6 if dropout else 5
    for block in range(10, up):
        for index in (1, second):
            entries |= conv(f"model.{block}.conv_block.{index}", 4 * ngf, 4 * ngf, 3, bias)
            entries |= norm_entries(f"model.{block}.conv_block.{index + 1}", 4 * ngf, norm)
    entries |= conv(f"model.{up}", 2 * ngf, 4 * ngf, 3, bias, True) | norm_entries(
        f"model.{up + 1}", 2 * ngf, norm
    )
    entries |= conv(f"model.{up + 3}", ngf, 2 * ngf, 3, bias, True) | norm_entries(
        f"model.{up + 4}", ngf, norm
    )
    entries |= conv(f"model.{up + 7}", output_nc, ngf, 7, bias=True)
    return entries


def unet_entries(num_downs, norm, ngf=4, input_nc=3, output_nc=3):
    bias = norm == "instance"
    widths = [ngf * min(2**level, 8) for level in range(num_downs)]
    entries = conv("model.model.0", ngf, input_nc, 4, bias)
    entries |= conv("model.model.3", output_nc, 2 * ngf, 4, True, True)
    prefix = "model.model.1"
    for level in range(1, num_downs):
        outer, inner = widths[level - 1], widths[level]
        entries |= conv(f"{prefix}.model.1", inner, outer, 4, bias)
        innermost = level == num_downs - 1
        up = 3 if innermost else 5
        if not innermost:
            entries |= norm_entries(f"{prefix}.model.2", inner, norm)
        entries |= conv(f"{prefix}.model.{up}", outer, inner if innermost else 2 * inner, 4, bias, True)
        entries |= norm_entries(f"{prefix}.model.{up + 1}", outer, norm)
        prefix += ".model.3"
    return entries


def shapes(net):
    return {key: tuple(value.shape) for key, value in net.state_dict().items()}


@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("n_blocks", [6, 9])
def test_resnet_keys_and_shapes(n_blocks, norm, dropout):
    net = define_G(3, 3, 4, f"resnet_{n_blocks}blocks", norm, dropout)
    assert shapes(net) == resnet_entries(n_blocks, norm, dropout)
    expected = {"input_nc": 3, "output_nc": 3, "ngf": 4, "netG": f"resnet_{n_blocks}blocks", "norm": norm}
    expected |= {"dropout": dropout, "upsample": "transpose", "antialias": False}
    assert Architecture.of_state(net.state_dict()) == Architecture(**expected)


@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
@pytest.mark.parametrize(("netG", "num_downs"), [("unet_128", 7), ("unet_256", 8)])
def test_unet_keys_and_shapes(netG, num_downs, norm):
    net = define_G(1, 3, 4, netG, norm)
    assert shapes(net) == unet_entries(num_downs, norm, input_nc=1)
    expected = {"input_nc": 1, "output_nc": 3, "ngf": 4, "netG": netG, "norm": norm, "dropout": False}
    assert Architecture.of_state(net.state_dict()) == Architecture(**expected)


FOREIGN = [
    *((f"resnet_{blocks}blocks", norm, dropout, resnet_entries(blocks, norm, dropout))
      for blocks in (6, 9) for norm in ("instance", "batch", "none") for dropout in (False, True)),
    *((f"unet_{2**downs}", norm, False, unet_entries(downs, norm))
      for downs in (7, 8) for norm in ("instance", "batch", "none")),
]  # fmt: skip


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(("netG", "norm", "dropout", "entries"), FOREIGN)
def test_foreign_weights_load_and_ours_load_there(netG, norm, dropout, entries, old, tmp_path):
    """Files made from the tables alone; old ones have `module.` and the statistics of PyTorch 0.3's instance norm."""
    foreign = {key: torch.rand(shape) if shape else torch.tensor(5) for key, shape in entries.items()}
    content = dict(foreign)
    if old and norm == "instance":
        norms = {key.rpartition(".")[0] for key in norm_keys(netG, dropout)}
        content |= {
            f"{key}.{name}": torch.rand(4) for key in norms for name in ("running_mean", "running_var")
        }
    if old:
        content = {f"module.{key}": value for key, value in content.items()}
    torch.save(content, tmp_path / "theirs.pth")
    net = generator_from_file(tmp_path / "theirs.pth")
    save_network(net, tmp_path / "ours.pth")
    ours = torch.load(tmp_path / "ours.pth", weights_only=True)
    assert {key: tuple(value.shape) for key, value in ours.items()} == entries
    assert all(torch.equal(ours[key], value) for key, value in foreign.items())


def norm_keys(netG, dropout):
    """Keys of the norms' weights, of which batch norm has some and instance norm none."""
    if netG.startswith("unet"):
        num_downs = {"unet_128": 7, "unet_256": 8}[netG]
        entries = {key: unet_entries(num_downs, key) for key in ("batch", "none")}
    else:
        n_blocks = int(netG.removeprefix("resnet_").removesuffix("blocks"))
        entries = {key: resnet_entries(n_blocks, key, dropout) for key in ("batch", "none")}
    return entries["batch"].keys() - entries["none"].keys()


@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
@pytest.mark.parametrize(("netD", "n_layers"), [("basic", 3), ("n_layers", 2), ("n_layers", 5)])
def test_patch_discriminator_keys_and_shapes(netD, n_layers, norm):
    """Convolutions at model.0, 2, 5, 8, ..., norms behind all but the first and the last."""
    bias = norm == "instance"
    widths = [4 * min(2**n, 8) for n in range(n_layers + 1)]
    entries = conv("model.0", 4, 3, 4, bias=True)
    for n in range(1, n_layers + 1):
        entries |= conv(f"model.{3 * n - 1}", widths[n], widths[n - 1], 4, bias)
        entries |= norm_entries(f"model.{3 * n}", widths[n], norm)
    entries |= conv(f"model.{3 * n_layers + 2}", 1, widths[-1], 4, bias=True)
    assert shapes(define_D(3, 4, netD, n_layers, norm)) == entries


@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
def test_discriminator_keys(norm):
    basic = define_D(3, 4, "basic", norm=norm)
    convs = {key for key, value in basic.state_dict().items() if value.ndim == 4}
    assert convs == {f"model.{index}.weight" for index in (0, 2, 5, 8, 11)}
    assert basic.state_dict()["model.8.weight"].shape == (32, 16, 4, 4)
    pixel = define_D(3, 4, "pixel", norm=norm)
    convs = {key for key, value in pixel.state_dict().items() if value.ndim == 4}
    assert convs == {"net.0.weight", "net.2.weight", "net.5.weight"}
    for net, netD, n_layers in ((basic, "basic", 3), (pixel, "pixel", 3)):
        found = DiscriminatorArchitecture.of_state(net.state_dict())
        assert found == DiscriminatorArchitecture(3, 4, netD, n_layers, norm)


def test_basic_discriminator_sees_70_pixels():
    """The receptive field of one patch, found by the gradient, is the paper's 70x70."""
    net = init_weights(define_D(3, 4, "basic", norm="none"), "normal", 1.0)
    x = torch.randn(1, 3, 256, 256, requires_grad=True)
    y = net(x)
    assert y.shape == (1, 1, 30, 30)
    y[0, 0, 15, 15].backward()
    seen = x.grad.abs().sum((0, 1))
    assert (seen.sum(1) > 0).sum() == 70
    assert (seen.sum(0) > 0).sum() == 70


def test_n_layers_discriminator_halves_n_times():
    for n_layers in (1, 2, 4):
        y = define_D(3, 4, "n_layers", n_layers)(torch.randn(1, 3, 128, 128))
        assert y.shape[-1] == 128 // 2**n_layers - 2


def test_resnet_equals_a_forward_by_hand():
    torch.manual_seed(0)
    net = define_G(3, 3, 4, "resnet_6blocks")
    state = net.state_dict()
    x = torch.randn(2, 3, 16, 20)

    def layer(x, key, pad=0, **kwargs):
        x = F.pad(x, (pad,) * 4, mode="reflect") if pad else x
        return F.instance_norm(F.conv2d(x, state[f"{key}.weight"], state[f"{key}.bias"], **kwargs))

    y = layer(x, "model.1", pad=3).relu()
    y = layer(y, "model.4", stride=2, padding=1).relu()
    y = layer(y, "model.7", stride=2, padding=1).relu()
    for block in range(10, 16):
        inner = layer(y, f"model.{block}.conv_block.1", pad=1).relu()
        y = y + layer(inner, f"model.{block}.conv_block.5", pad=1)
    for key in ("model.16", "model.19"):
        weight, bias = state[f"{key}.weight"], state[f"{key}.bias"]
        y = F.instance_norm(F.conv_transpose2d(y, weight, bias, 2, 1, output_padding=1)).relu()
    y = F.pad(y, (3,) * 4, mode="reflect")
    y = torch.tanh(F.conv2d(y, state["model.23.weight"], state["model.23.bias"]))
    torch.testing.assert_close(net(x), y, rtol=1e-4, atol=1e-5)


def test_unet_skips_carry_what_was_before_the_activation():
    """Rectifying the encoder's features in place would change the sum that a linear decoder sees."""
    torch.manual_seed(0)
    net = define_G(3, 3, 2, "unet_128", "none")
    x = torch.randn(1, 3, 128, 128)
    state = net.state_dict()

    def level(y, prefix, depth):
        down = F.conv2d(F.leaky_relu(y, 0.2), state[f"{prefix}.model.1.weight"], None, 2, 1)
        if depth == 6:
            up = F.conv_transpose2d(down.relu(), state[f"{prefix}.model.3.weight"], None, 2, 1)
        else:
            inner = level(down, f"{prefix}.model.3", depth + 1)
            up = F.conv_transpose2d(inner.relu(), state[f"{prefix}.model.5.weight"], None, 2, 1)
        return torch.cat([y, up], 1)

    y = level(F.conv2d(x, state["model.model.0.weight"], None, 2, 1), "model.model.1", 1)
    y = F.conv_transpose2d(y.relu(), state["model.model.3.weight"], state["model.model.3.bias"], 2, 1)
    torch.testing.assert_close(net(x), torch.tanh(y))


@pytest.mark.parametrize("init_type", INITS)
def test_initial_weights_have_the_published_spread(init_type):
    torch.manual_seed(0)
    layer = init_weights(torch.nn.Sequential(torch.nn.Conv2d(32, 64, 3)), init_type, 0.02)[0]
    fan_in, fan_out = 32 * 9, 64 * 9
    expected = {
        "normal": 0.02,
        "xavier": 0.02 * (2 / (fan_in + fan_out)) ** 0.5,
        "kaiming": (2 / fan_in) ** 0.5,
        "orthogonal": 0.02 * fan_in**-0.5,  # 64 orthonormal rows of length 288
    }[init_type]
    assert layer.weight.std().item() == pytest.approx(expected, rel=0.05)
    assert layer.bias.abs().max() == 0


def test_linear_decay_reaches_one_step_above_zero():
    """50 epochs at 1, then 25 down; the 76th would be 0."""
    decay = LinearDecay(n_epochs=50, n_epochs_decay=25)
    assert [decay(epoch) for epoch in (0, 49)] == [1, 1]
    assert decay(50) == pytest.approx(25 / 26)
    assert decay(74) == pytest.approx(1 / 26)
    assert decay(75) == pytest.approx(0)


@pytest.mark.parametrize(
    ("mode", "lens"),
    [("image", None), ("residual", None), ("lens", LensSettings((2.0, 4.0)))],
)
def test_another_architecture_names_its_flags_whatever_the_output(mode, lens, tmp_path):
    """What a resumed run with the wrong options is told: the flags that its checkpoint asks for, and no others."""
    saved = Architecture("resnet_6blocks", 3, 3, 8, "batch", dropout=True, output_mode=mode, lens=lens)
    save_network(saved.build(), tmp_path / "net.pth")
    assert Architecture.of_state(load_state_dict(tmp_path / "net.pth")).flags_against(saved) == []
    with pytest.raises(UserError, match=r"use --ngf 8$"):
        load_into(replace(saved, ngf=4).build(), load_state_dict(tmp_path / "net.pth"), "net.pth")
    with pytest.raises(UserError, match=r"use --netG resnet_6blocks --norm batch --dropout$"):
        other = replace(saved, netG="resnet_9blocks", norm="instance", dropout=False)
        load_into(other.build(), load_state_dict(tmp_path / "net.pth"), "net.pth")


def test_lens_of_other_radii_or_without_mask_names_its_flags():
    saved = Architecture("resnet_6blocks", 4, 3, 4, output_mode="lens", lens=LensSettings((2.0, 4.0, 8.0)))
    fewer = replace(saved, input_nc=3, lens=LensSettings((2.0, 4.0)))
    assert sorted(saved.flags_against(fewer)) == ["--lens_radii with 3 numbers", "--mask_input"]
    image = replace(fewer, output_mode="image", lens=None)
    assert "--output_mode lens" in saved.flags_against(image)
