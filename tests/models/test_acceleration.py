"""Switches that must not change what is computed: against the plain step, closed forms and stated tolerances."""

import copy

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import test as test_program
from models import acceleration, create_model, load_generator
from models.acceleration import Acceleration, WeightAverage, computing_dtype, place
from models.base_model import split_batch
from models.networks import define_D
from models.training_state import load_state, save_state
from options import TrainOptions
from util.checkpoint import load_state_dict
from util.errors import UserError

COMBINED = ["--add_mask", "--lambda_mask", "0.5", "--pool_size", "0", "--batch_size", "4"]


@pytest.fixture
def make_model(run_flags):
    """Function from flags to a model of the combined recipe, always with the same first weights."""

    def make(*flags):
        torch.manual_seed(0)
        return create_model(TrainOptions().parse([*run_flags, *COMBINED, "--precision", "fp32", *flags]))

    return make


def photos(count=4, seed=1):
    generator = torch.Generator().manual_seed(seed)
    batch = {name: torch.rand(count, 3, 32, 32, generator=generator) * 2 - 1 for name in ("A", "B")}
    masks = {f"mask_{name}": torch.rand(count, 1, 32, 32, generator=generator).round() for name in ("A", "B")}
    return batch | masks | {f"{name}_paths": [f"{number}.png" for number in range(count)] for name in "AB"}


def gradients(model):
    return {
        f"{name}.{key}": parameter.grad.clone()
        for name, net in model.networks.items()
        for key, parameter in net.named_parameters()
    }


def assert_same_step(found, expected, relative):
    """Losses, and gradients by the norm of their difference."""
    losses, reference = (model.train_step(photos()) for model in (found, expected))
    assert {name: loss.item() for name, loss in losses.items()} == pytest.approx(
        {name: loss.item() for name, loss in reference.items()}, rel=relative
    )
    largest = max(value.norm() for value in gradients(expected).values())
    for (name, value), want in zip(gradients(found).items(), gradients(expected).values(), strict=True):
        # Biases before an instance norm have no influence: their gradients are rounding errors.
        assert (value - want).norm() < relative * (want.norm() + 1e-2 * largest), name


@pytest.mark.parametrize("parts", ["2", "3"])
def test_parts_of_a_batch_add_up_to_the_whole(make_model, parts):
    assert_same_step(make_model("--accumulate", parts), make_model(), 1e-4)


def test_batches_split_into_all_their_photos():
    parts = list(split_batch(photos(5), 3))
    assert [len(part.batch["A"]) for part in parts] == [1, 2, 2]
    assert sum(part.share for part in parts) == pytest.approx(1)
    assert [(part.first, part.last) for part in parts] == [(True, False), (False, False), (False, True)]
    assert [path for part in parts for path in part.batch["A_paths"]] == photos(5)["A_paths"]
    assert len(list(split_batch(photos(1), 3))) == 1


@pytest.mark.parametrize("output_mode", ["image", "residual"])
def test_checkpointed_activations_give_the_same_step_from_less_memory(output_mode, make_model):
    flags = ["--dropout", "--output_mode", output_mode]
    plain, checkpointed = make_model(*flags), make_model(*flags, "--checkpoint_activations")
    kept = {}
    for name, model in (("plain", plain), ("checkpointed", checkpointed)):
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda x, sizes=sizes: sizes.append(x.numel()) or x, lambda x: x
        ):
            model.netG_A(photos()["A"])
        kept[name] = sum(sizes)
    assert kept["checkpointed"] < kept["plain"] / 4
    torch.manual_seed(3)
    expected = plain.train_step(photos())
    torch.manual_seed(3)
    assert checkpointed.train_step(photos()) == expected
    for found, want in zip(gradients(checkpointed).values(), gradients(plain).values(), strict=True):
        assert torch.equal(found, want)


def test_channels_last_gives_the_same_step_and_files(make_model):
    model = make_model("--channels_last")
    assert model.netG_A.model[4].weight.is_contiguous(memory_format=torch.channels_last)
    assert_same_step(model, make_model(), 1e-4)
    model.save_networks("latest")
    state = load_state_dict(model.save_dir / "latest_net_G_A.pth")
    assert all(value.is_contiguous() for value in state.values())


def test_compiled_networks_keep_keys_and_numbers(monkeypatch):
    """Traced only: building the kernels of the default compiler takes minutes."""
    traced = []
    compile_in_place = torch.nn.Module.compile
    monkeypatch.setattr(
        torch.nn.Module,
        "compile",
        lambda net, mode: compile_in_place(net, backend=lambda graph, _: traced.append(graph) or graph),
    )
    net = define_D(3, 4, "basic")
    plain = copy.deepcopy(net)
    opt = Acceleration(compile=True)
    place(net, opt, torch.device("cpu"))
    assert net.state_dict().keys() == plain.state_dict().keys()
    assert torch.equal(net(photos()["A"]), plain(photos()["A"]))
    assert len(traced) == 1


def test_cuda_graphs_are_a_mode_of_compilation_and_marked_at_each_step(make_model, monkeypatch):
    """As far as can be seen without a GPU: what is asked of PyTorch, and when."""
    modes, steps = [], []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda net, mode: modes.append(mode))
    monkeypatch.setattr(torch.compiler, "cudagraph_mark_step_begin", lambda: steps.append(None))
    model = make_model()
    model.train_step(photos())
    assert not modes and not steps
    place(define_D(3, 4, "basic"), Acceleration(compile=True), torch.device("cpu"))
    place(define_D(3, 4, "basic"), Acceleration(compile=True, cuda_graphs=True), torch.device("cpu"))
    place(define_D(3, 4, "basic"), Acceleration(cuda_graphs=True), torch.device("cpu"))
    assert modes == [None, "reduce-overhead", "reduce-overhead"]
    assert torch._inductor.list_mode_options("reduce-overhead")["triton.cudagraphs"]
    vars(model.opt)["cuda_graphs"] = True
    for _ in range(3):
        model.train_step(photos())
    assert len(steps) == 3


def test_cuda_graphs_need_a_gpu(run_flags, monkeypatch):
    for device in ("cpu", "auto"):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(UserError, match="--cuda_graphs needs a GPU, not --device cpu"):
            TrainOptions().parse([*run_flags, "--cuda_graphs", "--device", device])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert TrainOptions().parse([*run_flags, "--cuda_graphs", "--device", "auto"]).device == "cuda"


def test_bf16_stays_within_its_tolerance(make_model):
    """Losses to 2%, images to 0.02 on average and 0.1 at most; the first gradients to a cosine of 0.95.

    Later gradients are taken elsewhere: Adam's first steps have the size of lr whatever the gradient's.
    """
    plain, half = make_model(), make_model("--precision", "bf16")
    for step in range(3):
        found, expected = (model.train_step(photos(seed=step)) for model in (half, plain))
        assert all(loss.dtype == torch.float32 for loss in found.values())
        assert {name: loss.item() for name, loss in found.items()} == pytest.approx(
            {name: loss.item() for name, loss in expected.items()}, rel=0.02
        )
        difference = (half.own_B - plain.own_B).abs()
        assert difference.mean() < 0.02
        assert difference.max() < 0.1
        if step == 0:
            for name in half.networks:
                a, b = (
                    torch.cat([p.grad.flatten() for p in model.networks[name].parameters()])
                    for model in (half, plain)
                )
                assert torch.cosine_similarity(a, b, dim=0) > 0.95, name


def test_fp16_leaves_out_a_step_that_overflows(make_model):
    model = make_model("--precision", "fp16")
    model.train_step(photos())
    before, scale = copy.deepcopy(model.netG_A.state_dict()), model.scalers["G"].get_scale()
    weight = next(model.netG_A.parameters())
    model.step("G", (weight * 1e38).sum() * 1e3)
    assert model.scalers["G"].get_scale() == scale / 2
    assert all(torch.equal(value, before[key]) for key, value in model.netG_A.state_dict().items())


def test_auto_takes_bf16_only_where_the_hardware_has_it(monkeypatch):
    cpu = torch.device("cpu")
    for native, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(acceleration, "computes_bf16", lambda device, native=native: native)
        assert computing_dtype("auto", cpu) == dtype
    assert computing_dtype("fp16", cpu) == torch.float16


class NoValues(TorchDispatchMode):
    """Refuses what makes the host wait for a value: `.item()`, `.tolist()`, a condition on a tensor."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func is not torch.ops.aten._local_scalar_dense.default
        assert func is not torch.ops.aten.nonzero.default
        return func(*args, **(kwargs or {}))


def test_a_step_never_waits_for_the_device(make_model):
    model = make_model("--ema", "0.9", "--pool_size", "2", "--accumulate", "2")
    with NoValues():
        for _ in range(2):
            losses = model.train_step(photos())
        with pytest.raises(AssertionError):
            losses["G_A"].item()


def test_a_lens_step_never_waits_for_the_device(run_flags):
    """Although how much each photo is blurred follows from what is in it."""
    lens = ["--model", "lens", "--weights_size", "32", "--soft_range", "0.01", "0.02", "--lambda_GAN", "0.1"]
    model = create_model(TrainOptions().parse([*run_flags, *lens, "--mask_input", "--batch_size", "2"]))
    with NoValues():
        for _ in range(2):
            model.train_step(photos(2))


def test_average_is_the_weighted_sum_of_all_weights():
    net = torch.nn.Linear(1, 1, bias=False)
    values = [3.0, -1.0, 4.0, 1.5]
    net.weight.data.fill_(values[0])
    average = WeightAverage(net, 0.3)
    for value in values[1:]:
        net.weight.data.fill_(value)
        average.update()
    decays = [min(0.3, (1 + t) / (10 + t)) for t in (1, 2, 3)]
    expected = values[0]
    for decay, value in zip(decays, values[1:], strict=True):
        expected = decay * expected + (1 - decay) * value
    assert average.weights["weight"].item() == pytest.approx(expected, rel=1e-6)


def test_the_average_is_saved_and_resumed(make_model):
    model = make_model("--ema", "0.9")
    model.train_step(photos(seed=1))
    model.save_networks("latest")
    save_state(model, {})
    resumed = make_model("--ema", "0.9")
    load_state(resumed)
    for each in (model, resumed):
        each.train_step(photos(seed=2))
    assert resumed.averages["G_A"].updates == 2
    for key, value in model.averages["G_A"].weights.items():
        assert torch.equal(value, resumed.averages["G_A"].weights[key])
        assert key.endswith("bias") or not torch.equal(value, model.netG_A.state_dict()[key])


def test_tests_take_the_average_unless_told_otherwise(make_model, dataroot, tmp_path):
    model = make_model("--ema", "0.9")
    model.train_step(photos())
    model.save_networks("latest")
    saved = load_state_dict(model.save_dir / "latest_net_G_A_ema.pth")
    used = load_generator(model.save_dir).net.state_dict()
    assert all(torch.equal(value, used[f"net.{key}"]) for key, value in saved.items())
    for name, flag in (("average", []), ("last", ["--no_ema"])):
        folder = ["--checkpoints_dir", str(tmp_path / "checkpoints"), "--name", "run", "--device", "cpu"]
        photo = ["--input", str(dataroot / "testA" / "test_0.png"), "--output", str(tmp_path / name)]
        test_program.main([*folder, *photo, *flag])
    assert (tmp_path / "average" / "test_0.png").read_bytes() != (
        tmp_path / "last" / "test_0.png"
    ).read_bytes()

    make_model().save_networks("latest")
    assert not (model.save_dir / "latest_net_G_A_ema.pth").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--accumulate", "5"], "--accumulate 5 splits a batch of 4"),
        (["--accumulate", "0"], "must be at least 1"),
        (["--ema", "1"], "--ema 1.0: must be at least 0 and below 1"),
        (["--checkpoint_activations", "--norm", "batch"], "would count each batch twice"),
        (
            ["--checkpoint_activations", "--netG", "unet_128", "--load_size", "128", "--crop_size", "128"],
            "resnet",
        ),
        (["--precision", "fp16", "--gan_mode", "wgangp"], "use --precision bf16"),
    ],
)
def test_contradictions_are_refused(run_flags, flags, message):
    with pytest.raises(UserError, match=message):
        TrainOptions().parse([*run_flags, *COMBINED, *flags])


@pytest.mark.parametrize(
    ("device", "norm", "calls"), [("cuda", "instance", 1), ("cuda", "batch", 2), ("cpu", "instance", 2)]
)
def test_translation_and_identity_share_a_pass_where_it_pays(make_model, device, norm, calls):
    """On a GPU and with norms of single images alone; the numbers are the same either way."""
    model = make_model("--norm", norm)
    expected = [model.netG_A(photos()[name]) for name in "AB"]
    model.device = torch.device(device)  # asked for its type; the tensors stay where they are
    seen = []
    model.netG_A.register_forward_hook(lambda *_: seen.append(1))
    found = model.translate(model.netG_A, photos()["A"], photos()["B"])
    assert len(seen) == calls
    for x, y in zip(found, expected, strict=True):
        torch.testing.assert_close(x, y, rtol=1e-4, atol=1e-5)
