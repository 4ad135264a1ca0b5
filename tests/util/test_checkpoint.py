"""Weights and states: forgiving of old forms, clear about broken files."""

import random

import numpy as np
import pytest
import torch

from models.architecture import generator_from_file, load_into
from models.networks import define_D, define_G
from util.checkpoint import clean_state_dict, load, load_state_dict, save, save_network
from util.errors import UserError
from util.seeds import rng_state, set_rng_state

OLD_STATISTICS = ("running_mean", "running_var")


def test_old_instance_norm_statistics_and_wrappers_are_dropped(tmp_path):
    """A file of PyTorch 0.3 from a DataParallel run loads into today's network and gives the same output."""
    net = define_G(3, 3, 4, "resnet_6blocks").eval()
    old = {f"module.{key}": value for key, value in net.state_dict().items()}
    old |= {f"module.model.2.{name}": torch.ones(4) for name in OLD_STATISTICS}
    old["module.model.2.num_batches_tracked"] = torch.tensor(7)
    torch.save(old, tmp_path / "old.pth")
    loaded = generator_from_file(tmp_path / "old.pth")
    x = torch.randn(1, 3, 16, 16)
    assert torch.equal(loaded(x), net(x))


def test_batch_norm_statistics_stay(tmp_path):
    net = define_G(3, 3, 4, "unet_128", "batch")
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
    torch.save({f"_orig_mod.{key}": value for key, value in net.state_dict().items()}, tmp_path / "net.pth")
    state = load_state_dict(tmp_path / "net.pth")
    assert state.keys() == net.state_dict().keys()
    assert all(torch.equal(state[key], value) for key, value in net.state_dict().items())


def test_saved_weights_are_bare(tmp_path):
    net = torch.nn.DataParallel(define_D(3, 4, "basic"))
    save_network(net, tmp_path / "net.pth")
    assert torch.load(tmp_path / "net.pth", weights_only=True).keys() == net.module.state_dict().keys()


def test_prefixes_inside_the_key_are_stripped_too():
    assert list(clean_state_dict({"model._orig_mod.1.weight": torch.zeros(1)})) == ["model.1.weight"]


@pytest.mark.parametrize(
    ("net", "file_net", "flags"),
    [
        (
            ("resnet_6blocks", "instance", False),
            ("resnet_9blocks", "instance", False),
            "--netG resnet_9blocks",
        ),
        (("resnet_6blocks", "instance", False), ("resnet_6blocks", "batch", False), "--norm batch"),
        (("resnet_6blocks", "instance", False), ("resnet_6blocks", "instance", True), "--dropout"),
        (("unet_128", "batch", False), ("unet_256", "batch", False), "--netG unet_256"),
    ],
)
def test_mismatch_names_the_flag(net, file_net, flags):
    state = define_G(3, 3, 4, *file_net).state_dict()
    with pytest.raises(UserError, match=f"x.pth: .*{flags}$"):
        load_into(define_G(3, 3, 4, *net), state, "x.pth")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "can't be read"), (b"<html></html>", "can't be read"), (b"PK\x03\x04 cut", "can't be read")],
)
def test_broken_files_are_named(tmp_path, content, message):
    (tmp_path / "latest_net_G_A.pth").write_bytes(content)
    with pytest.raises(UserError, match=rf"latest_net_G_A\.pth: {message}") as caught:
        load(tmp_path / "latest_net_G_A.pth")
    assert "\n" not in str(caught.value)


def test_files_with_code_are_refused(tmp_path):
    """A pickle could run anything; weights never need that."""

    class Evil:
        def __reduce__(self):
            return (print, ("run",))

    torch.save({"weight": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(UserError, match="can't be read"):
        load(tmp_path / "evil.pth")


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    save({"a": torch.ones(2)}, tmp_path / "x.pth")

    def full(content, path):
        path.write_bytes(b"half")
        raise RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(UserError, match=r"x\.pth: can't be written .*disk full"):
        save({"a": torch.zeros(2)}, tmp_path / "x.pth")
    assert load(tmp_path / "x.pth")["a"].tolist() == [1, 1]
    assert [path.name for path in tmp_path.iterdir()] == ["x.pth"]


def test_random_numbers_go_on_after_a_round_trip(tmp_path):
    def draw():
        return torch.rand(2).tolist(), np.random.rand(), np.random.randn(), random.random()  # noqa: NPY002

    np.random.randn()  # noqa: NPY002  (leaves one normal number in store)
    save(rng_state(), tmp_path / "rng.pth")
    expected = draw()
    draw()
    set_rng_state(load(tmp_path / "rng.pth"))
    assert draw() == expected
