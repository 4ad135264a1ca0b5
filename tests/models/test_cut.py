"""CUT: the contrastive loss against closed forms and loops, the model against its definition, files and resume."""

import math
import signal

import pytest
import torch

import test as test_program
import train
from models import load_generator
from models.cut_model import CUTModel, feature_widths
from models.losses.gan import GANLoss
from models.losses.patchnce import PatchSampler, draw_places, patch_nce_loss
from models.networks import define_G
from options import TrainOptions
from util.checkpoint import load_state_dict
from util.errors import UserError
from util.images import read_image


def test_patch_nce_of_orthogonal_and_equal_keys():
    """P orthonormal queries that are their own keys: log(1 + (P-1) exp(-1/T)); all keys equal: log P."""
    q = torch.eye(5).expand(2, 5, 5)
    assert patch_nce_loss(q, q, 0.5).item() == pytest.approx(math.log(1 + 4 * math.exp(-2)))
    same = torch.ones(2, 7, 4) / 2
    assert patch_nce_loss(same, same).item() == pytest.approx(math.log(7))


def test_patch_nce_equals_the_papers_sum():
    torch.manual_seed(0)
    q, k = torch.nn.functional.normalize(torch.randn(2, 3, 6, 8, dtype=torch.float64), dim=-1)
    losses = []
    for image in range(3):
        for s in range(6):
            scores = [math.exp((q[image, s] @ k[image, n]).item() / 0.07) for n in range(6)]
            losses.append(-math.log(scores[s] / sum(scores)))
    assert patch_nce_loss(q, k).item() == pytest.approx(sum(losses) / 18, rel=1e-4)


def test_keys_get_no_gradient():
    q, k = torch.randn(2, 1, 4, 3).requires_grad_().unbind()
    k.retain_grad()
    q.retain_grad()
    patch_nce_loss(q, k).backward()
    assert k.grad is None
    assert q.grad.abs().sum() > 0


def test_sampler_takes_the_features_at_the_places():
    torch.manual_seed(0)
    net = PatchSampler([3, 5], nc=4)
    assert list(net.state_dict())[::2] == [f"mlp_{i}.{j}.weight" for i in range(2) for j in (0, 2)]
    features = [torch.randn(2, 3, 4, 6), torch.randn(2, 5, 2, 3)]
    places = draw_places(features, 8)
    assert [len(place.unique()) for place in places] == [8, 6]
    for layer, (feature, place, found) in enumerate(
        zip(features, places, net(features, places), strict=True)
    ):
        mlp = net.get_submodule(f"mlp_{layer}")
        width = feature.shape[-1]
        for number, index in enumerate(place.tolist()):
            y = mlp(feature[:, :, index // width, index % width])
            torch.testing.assert_close(found[:, number], y / y.norm(dim=1, keepdim=True))


def options(*argv):
    flags = (
        "--dataroot x --name x --device cpu --model cut --netG resnet_6blocks --ngf 4 --ndf 4 --netF_nc 32"
    )
    return TrainOptions().parse([*flags.split(), *argv])


@pytest.fixture
def batch():
    torch.manual_seed(0)
    mask = torch.zeros(2, 1, 64, 64)
    mask[..., 20:40, 10:30] = 1
    A, B = torch.rand(2, 2, 3, 64, 64) * 2 - 1
    return {
        "A": A,
        "B": B,
        "mask_A": mask,
        "mask_B": mask.flip(-1),
        "A_paths": ["a"] * 2,
        "B_paths": ["b"] * 2,
    }


def generator_losses(model, batch):
    """Of a step with all places compared, so that nothing is drawn."""
    model.set_input(batch)
    model.forward()
    return model.generator_losses()


def test_losses_are_their_definitions(batch):
    """Written down again from the paper, with all 256 places of the features at 1/4 of the size."""
    flags = [
        "--nce_layers",
        "7",
        "--lambda_NCE",
        "2",
        "--lambda_GAN",
        "3",
        "--add_mask",
        "--lambda_mask",
        "0.5",
    ]
    model = CUTModel(options(*flags))
    losses = generator_losses(model, batch)
    A, B, mask = batch["A"], batch["B"], batch["mask_A"]

    def embedded(x):
        y = model.netF.mlp_0(model.netG.features(x, [7])[0].flatten(2).transpose(1, 2))
        return y / y.norm(dim=-1, keepdim=True)

    def contrast(source, output):
        logits = embedded(output) @ embedded(source).transpose(1, 2) / 0.07
        return -logits.log_softmax(-1).diagonal(dim1=1, dim2=2).mean()

    own, idt = model.netG(A), model.netG(B)
    pasted = mask * A + (1 - mask) * own
    expected = {
        "G": 3 * GANLoss("lsgan")(model.netD(pasted), True),
        "NCE": contrast(A, own),
        "NCE_Y": contrast(B, idt),
        "mask": 10 * 0.5 * (mask * (own - A)).abs().mean(),
    }
    assert set(losses) == set(expected)
    for name, value in expected.items():
        assert losses[name].item() == pytest.approx(value.item(), rel=1e-4), name


def pixels_themselves(features, places):
    """In place of F: the features at the places, as they are."""
    return [feature.flatten(2).mT[:, place] for feature, place in zip(features, places, strict=True)]


def test_flip_equivariance_mirrors_what_the_networks_see(batch, monkeypatch):
    """In mirrored steps the output is `flip(G(flip(x)))`, and its features come back to the input's places."""
    model = CUTModel(options("--CUT_mode", "FastCUT", "--nce_layers", "0,7"))
    seen = set()
    for draw in (0.4, 0.6):
        monkeypatch.setattr(torch, "rand", lambda *size, draw=draw: torch.tensor(draw))
        losses = generator_losses(model, batch)
        flip = (lambda x: x.flip(-1)) if draw < 0.5 else (lambda x: x)
        torch.testing.assert_close(model.fake_B, flip(model.netG(flip(batch["A"]))))
        assert set(losses) == {"G", "NCE"}
        seen.add(model.mirrored)
    assert seen == {True, False}
    model.mirrored = True
    monkeypatch.setattr(model, "netF", pixels_themselves)
    found = []
    monkeypatch.setattr("models.cut_model.patch_nce_loss", lambda q, k, T: found.append((q, k)) or q.mean())
    model.nce_layers = [0]
    model.nce_loss(batch["A"], batch["A"])  # mirrored, padded and mirrored back, pixels are where they were
    torch.testing.assert_close(*found[0])


def test_presets_give_way_to_flags():
    cut, fast = options(), options("--CUT_mode", "FastCUT")
    assert (cut.lambda_NCE, cut.nce_idt, cut.flip_equivariance, cut.pool_size) == (1.0, True, False, 0)
    assert (fast.lambda_NCE, fast.nce_idt, fast.flip_equivariance) == (10.0, False, True)
    assert (fast.n_epochs, fast.n_epochs_decay) == (150, 50)
    own = options("--CUT_mode", "FastCUT", "--lambda_NCE", "4", "--nce_idt", "True", "--n_epochs", "7")
    assert (own.lambda_NCE, own.nce_idt, own.n_epochs) == (4.0, True, 7)
    assert options("--nce_idt", "false").nce_idt is False


def test_impossible_options_are_named():
    for flags, message in (
        (["--netG", "unet_128", "--crop_size", "128"], "--netG unet_128 is none"),
        (["--nce_layers", "0,99"], "resnet_6blocks has 0 to 15"),
        (["--nce_layers", "a"], "give numbers with commas between"),
        (["--output_nc", "1"], "--input_nc equal to --output_nc"),
    ):
        with pytest.raises(UserError, match=message):
            options(*flags)


def test_widths_are_found_without_a_trace():
    net = define_G(3, 3, 4, "resnet_6blocks", "batch", use_dropout=True)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    random = torch.get_rng_state()
    assert feature_widths(net, 3, [0, 4, 7, 10, 14]) == [3, 8, 16, 16, 16]
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert net.training


def test_bfloat16_teaches_the_sampler_too(batch):
    """Weights that autocast first copies without gradient must not be the ones that learn."""
    model = CUTModel(options())
    with torch.autocast("cpu", torch.bfloat16):
        sum(generator_losses(model, batch).values()).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.netF.parameters())


SWITCHES = [
    "--model",
    "cut",
    "--CUT_mode",
    "FastCUT",
    "--nce_idt",
    "--netF_nc",
    "8",
    "--pool_size",
    "2",
    "--add_mask",
    "--lambda_mask",
    "0.5",
    "--gan_region",
    "background",
    "--upsample",
    "resize",
    "--antialias",
    "--norm_D",
    "spectral",
    "--lambda_R1",
    "0.1",
    "--diffaugment",
    "color,translation,cutout",
    "--ema",
    "0.9",
]


def test_resumed_equals_uninterrupted_and_loads_at_test(run_flags, dataroot, tmp_path, monkeypatch):
    """With every switch on, stopped in the middle of an epoch: all that is random or learned goes on as it was."""
    flags = [*run_flags, *SWITCHES, "--n_epochs_decay", "0"]
    train.main([*flags, "--name", "whole"])
    optimize = CUTModel.optimize_parameters
    with monkeypatch.context() as patch:
        steps = []

        def stopping(model):
            steps.append(model)
            if len(steps) == 3:
                signal.raise_signal(signal.SIGTERM)
            return optimize(model)

        patch.setattr(CUTModel, "optimize_parameters", stopping)
        train.main([*flags, "--name", "parts"])
        assert len(steps) == 3
    checkpoints = tmp_path / "checkpoints"
    train.main(["--checkpoints_dir", str(checkpoints), "--name", "parts", "--continue_train"])
    for name in ("G", "D", "F"):
        state = load_state_dict(checkpoints / "parts" / f"latest_net_{name}.pth")
        for key, value in load_state_dict(checkpoints / "whole" / f"latest_net_{name}.pth").items():
            assert torch.equal(state[key], value), (name, key)
    assert "parametrizations.weight.original" in "".join(
        load_state_dict(checkpoints / "whole" / "latest_net_D.pth")
    )

    generator = load_generator(checkpoints / "whole")
    test_program.main(
        ["--dataroot", str(dataroot), "--checkpoints_dir", str(checkpoints), "--name", "whole", "--device", "cpu",
         "--num_threads", "0", "--results_dir", str(tmp_path / "results"), "--num_test", "1"]
    )  # fmt: skip
    images = tmp_path / "results" / "whole" / "test_latest" / "images"
    expected = generator(read_image(dataroot / "testA" / "test_0.png"))
    assert expected.tobytes() == read_image(images / "test_0_fake_B.png").tobytes()
