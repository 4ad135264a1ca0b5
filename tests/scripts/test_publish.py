"""Published models: what is written, that it runs as the original bit for bit, and that nothing in it is executed."""

import json
import pickle
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from tests.extras import need

need("safetensors")
need("huggingface_hub")

import test
from models import load_generator
from models.architecture import Architecture
from models.inference.published import sources
from models.lens.radius import RadiusNet
from models.lens.settings import LensSettings
from options import TrainOptions, save_options
from scripts import publish
from tests.conftest import small_photo
from tests.hub_server import hub_server
from util import hub
from util.checkpoint import load_state_dict, save_network
from util.errors import UserError
from util.measure.distributions import Estimate
from util.measure.report import Evaluation, write_files

LENS = LensSettings(
    (1.0, 2.0), weights_size=32, focus_range=(0.25, 0.75), soft_range=(0.125, 0.5), linear_light=False
)
ARCHITECTURES = {
    "resnet": Architecture("resnet_6blocks", 3, 3, 4, upsample="resize", antialias=True),
    "unet": Architecture("unet_128", 3, 3, 4, norm="batch", output_mode="residual"),
    "gray": Architecture("resnet_6blocks", 1, 3, 4, dropout=True),
    "lens": Architecture("unet_128", 3, 3, 4, output_mode="lens", lens=LENS),
    "told": Architecture("unet_128", 4, 3, 4, output_mode="lens", lens=LENS),
}
UNPICKLED: list[str] = []
# Python tells of all that a pickle names; a hook can't be taken away again.
sys.addaudithook(lambda event, args: UNPICKLED.append(event) if event == "pickle.find_class" else None)


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_TOKEN", "hf_of_a_test")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    hub.fetched.cache_clear()


def trained(folder, kind="resnet", name="G"):
    """A folder of checkpoints, as a training leaves it, whose weights are random."""
    torch.manual_seed(3)
    net = ARCHITECTURES[kind].build()
    for value in net.state_dict().values():
        if value.is_floating_point() and value.ndim:
            value += 0.02 * torch.randn_like(value) * (value.ndim > 1)
    save_network(net, folder / f"latest_net_{name}.pth")
    if kind == "lens":
        save_network(RadiusNet(width=8), folder / "latest_net_P.pth")
    secret = ["--dataroot", "/home/anna/photos", "--name", "anna", "--display_server", "http://10.0.0.7"]
    opt = TrainOptions().parse([*secret, "--load_size", "300", "--lambda_A", "7", "--device", "cpu"])
    save_options(opt, folder)
    return folder


def photo():
    return small_photo(np.random.default_rng(0), 45)[0]


def watch(monkeypatch):
    """From here on, what is unpickled; PyTorch has an unpickler of its own."""
    load = torch.load
    monkeypatch.setattr(
        torch, "load", lambda *args, **more: UNPICKLED.append("torch.load") or load(*args, **more)
    )
    UNPICKLED.clear()
    return UNPICKLED


def same_results(one, other):
    x = torch.rand(1, one.input_nc if one.input_nc != 4 else 3, 40, 52) * 2 - 1
    mask = torch.zeros(1, 1, 40, 52)
    mask[..., 10:30, 12:30] = 1
    assert torch.equal(one.translate(x, mask), other.translate(x, mask))


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_published_folder_runs_as_the_original(kind, tmp_path, monkeypatch):
    original = trained(tmp_path / "checkpoints" / "run", kind)
    publish.main(["--name", "run", "--to", "given"])
    given = tmp_path / "given"
    for name, file in sources(original, "latest", "AtoB", True, "").items():
        wanted, found = load_state_dict(file), load_state_dict(given / name)
        assert wanted.keys() == found.keys()
        for key, value in wanted.items():
            assert value.dtype == found[key].dtype
            assert value.shape == found[key].shape
            assert value.numpy().tobytes() == found[key].numpy().tobytes()
    assert (given / "radius.safetensors").exists() == (kind == "lens")

    unpickled = watch(monkeypatch)
    loaded = load_generator(given)
    assert unpickled == []
    same_results(load_generator(original), loaded)
    pickle.loads(pickle.dumps(tmp_path))
    assert {"torch.load", "pickle.find_class"} <= set(unpickled)  # so they would have been seen
    assert (loaded.net.scales_itself and loaded.net.radius_net is not None) == (kind == "lens")

    described = json.loads((given / "config.json").read_text())
    stated = {
        name: getattr(ARCHITECTURES[kind], name)
        for name in ("netG", "ngf", "norm", "output_mode", "upsample")
    }
    assert {name: described["architecture"][name] for name in stated} == stated
    if ARCHITECTURES[kind].lens:
        assert described["architecture"]["lens"]["focus_range"] == [0.25, 0.75]
    assert described["options"]["input_nc"] == (1 if kind == "gray" else 3)
    assert (described["options"]["load_size"], described["training"]["lambda_A"]) == (300, 7)
    for file in ("config.json", "README.md"):
        text = (given / file).read_text()
        assert not [word for word in ("anna", "10.0.0.7", str(tmp_path)) if word in text]
    # All may be read by whom one lets read any other new file.
    (tmp_path / "new").touch()
    assert {file.stat().st_mode for file in given.iterdir()} == {(tmp_path / "new").stat().st_mode}


def test_the_cards_python_runs_as_it_stands(tmp_path):
    trained(tmp_path / "checkpoints" / "run")
    publish.main(["--name", "run", "--to", "given"])
    photo().save("me.jpg")
    code = (tmp_path / "given" / "README.md").read_text().split("```python\n")[1].split("```")[0]
    exec(code, {})
    assert Image.open("me_soft.jpg").size == Image.open("me.jpg").size


def test_the_average_and_the_direction_are_those_of_test_py(tmp_path):
    folder = trained(tmp_path / "checkpoints" / "run", "resnet", "G_A")
    trained(folder, "gray", "G_B")
    save_network(ARCHITECTURES["resnet"].build(), folder / "latest_net_G_A_ema.pth")
    for flags, file in (
        ([], "latest_net_G_A_ema.pth"),
        (["--no_ema"], "latest_net_G_A.pth"),
        (["--direction", "BtoA"], "latest_net_G_B.pth"),
    ):
        publish.main(["--name", "run", "--to", "given", *flags])
        wanted = load_state_dict(folder / file)
        found = load_state_dict(tmp_path / "given" / "model.safetensors")
        assert all(torch.equal(wanted[key], found[key]) for key in wanted)


def results(folder):
    return {path.name: np.asarray(Image.open(path)) for path in sorted(folder.rglob("*.png"))}


def test_a_model_on_the_hub_is_published_fetched_and_run(tmp_path, monkeypatch):
    trained(tmp_path / "checkpoints" / "run", "resnet")
    (tmp_path / "D" / "testA").mkdir(parents=True)
    photo().save(tmp_path / "D" / "testA" / "a.png")
    flags = ["--input", "D/testA", "--device", "cpu", "--output"]
    test.main([*flags, "local", "--name", "run"])
    with hub_server() as there:
        monkeypatch.setenv("HF_ENDPOINT", there.server.url)
        publish.main(["--name", "run", "--to", "hf:me/soft", "--private"])
        assert set(there.models["me/soft"]) == {
            ".gitattributes",
            "README.md",
            "config.json",
            "model.safetensors",
        }
        assert there.private["me/soft"]
        # What others may have put there is not fetched.
        there.models["me/soft"]["latest_net_G.pth"] = pickle.dumps({"weights": np.zeros(3)})
        unpickled = watch(monkeypatch)
        test.main([*flags, "fetched", "--name", "hf:me/soft"])
        assert "torch.load" not in unpickled
        fetched = [request.path for request in there.server.requests if request.method == "GET"]
        assert [path for path in fetched if path.endswith("model.safetensors")]
        assert not [path for path in fetched if path.endswith(".pth")]
        revision = there.revision("me/soft")

    # Now without a network: from the cache, the revision of then too.
    hub.fetched.cache_clear()
    for name in ("hf:me/soft", f"hf:me/soft@{revision}"):
        same_results(load_generator("checkpoints/run"), load_generator(name))
    test.main(["--dataroot", "D", "--device", "cpu", "--name", "hf:me/soft", "--load_size", "45"])
    wanted = results(tmp_path / "local")["a.png"]
    assert np.array_equal(results(tmp_path / "fetched")["a.png"], wanted)
    assert np.array_equal(results(tmp_path / "results" / "me" / "soft" / "test_latest")["a_fake.png"], wanted)


def test_what_the_hub_refuses_is_one_line(tmp_path, monkeypatch):
    trained(tmp_path / "checkpoints" / "run", "resnet")
    with hub_server() as there:
        monkeypatch.setenv("HF_ENDPOINT", there.server.url)
        there.models["some/llm"] = {"config.json": b'{"model_type": "llama"}', "model.safetensors": b"large"}
        there.models["some/images"] = {"README.md": b"photos"}
        there.models["a/gated"] = {"config.json": b"{}"}
        there.gated.add("a/gated")
        for name, message in {
            "hf:me/nothing": "hf:me/nothing: no such model, or a private one",
            "hf:some/llm": "not of a model of this project",
            "hf:some/images": "it has no config.json",
            "hf:a/gated": "ask for access on its page",
            "hf:soft": "write hf:user/model, or hf:user/model@revision",
            "hf:../../etc": "write hf:user/model",
        }.items():
            with pytest.raises(UserError, match=message) as caught:
                load_generator(name)
            assert "\n" not in str(caught.value)
        assert not [path for path in there.server.paths() if path.endswith("model.safetensors")]
    with pytest.raises(UserError, match="can't be reached"):
        load_generator("hf:me/never")
    with pytest.raises(UserError, match=r"a published model is for test\.py"):
        TrainOptions().parse(["--dataroot", "D", "--name", "hf:me/soft", "--device", "cpu"])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--name", "nothing", "--to", "given"], "no such checkpoint"),
        (["--name", "hf:me/soft", "--to", "given"], "give the name of a model of your own"),
        (["--name", "run", "--to", "hf:me/soft@v1"], "leave out @v1"),
        (["--name", "run", "--to", "checkpoints"], "holds other files; give a new folder"),
        (["--name", "run", "--to", "checkpoints/run/train_opt.txt"], "is a file; give a folder"),
        (["--name", "run", "--to", "given", "--figures", "no.json"], "no such file; evaluate.py writes it"),
        (
            ["--name", "run", "--to", "given", "--figures", "checkpoints/run/train_opt.json"],
            "not what evaluate.py writes",
        ),
        (["--name", "D", "--to", "given"], "not a generator, so it can't be published"),
    ],
)
def test_mistakes_are_told_in_one_line(flags, message, tmp_path, capsys):
    trained(tmp_path / "checkpoints" / "run")
    save_network(torch.nn.Conv2d(3, 3, 3), tmp_path / "checkpoints" / "D" / "latest_net_G.pth")
    with pytest.raises(SystemExit):
        publish.main(flags)
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_a_damaged_file_is_told(tmp_path):
    trained(tmp_path / "checkpoints" / "run")
    publish.main(["--name", "run", "--to", "given"])
    file = tmp_path / "given" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"model\.safetensors: can't be read as PyTorch weights"):
        load_generator("given")
    with pytest.raises(UserError, match=r"no such checkpoint; it has model\.safetensors"):
        load_generator("given", epoch="5")


def test_the_card_shows_figures_and_pictures(tmp_path):
    trained(tmp_path / "checkpoints" / "run", "told")
    per_photo = {
        f"photo{place}": {
            "mine": {"subject_psnr": value, "gradient_left": 0.5},
            "input": {"subject_psnr": 40.0},
        }
        for place, value in enumerate((31.0, 33.0, 47.25))
    }
    medians = {
        "mine": {"subject_psnr": Estimate(33.0, 31.0, 47.25), "gradient_left": Estimate(0.5, 0.5, 0.5)},
        "input": {"subject_psnr": Estimate(float("inf"), 40.0, float("inf"))},
    }
    of_sets = {"mine": {"blur_match": 0.375}, "input": {"blur_match": float("nan")}}
    write_files(Evaluation(per_photo, medians, of_sets, None), tmp_path / "figures")
    taken = photo()
    exif = taken.getexif()
    exif[0x010E] = "at home"
    taken.save(tmp_path / "my dog.jpg", exif=exif)
    flags = [
        "--name",
        "run",
        "--to",
        "given",
        "--title",
        "Soft",
        "--license",
        "mit",
        "--pictures",
        "my dog.jpg",
    ]
    publish.main([*flags, "--figures", "figures/figures.json"])
    card = (tmp_path / "given" / "README.md").read_text()
    assert card.startswith("---\nlicense: mit\n")
    assert "# Soft" in card
    assert "--checkpoints_dir . --name given --masks auto" in card
    rows = {
        line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]]
        for line in card.splitlines()
        if line.startswith("|")
    }
    assert rows["method"] == ["subject PSNR, dB", "gradient left", "blur match"]
    assert rows["mine"] == ["33.0 [31.0, 47.2]", "0.50 [0.50, 0.50]", "0.38"]
    assert rows["input"] == ["inf [40.0, inf]", "", ""]
    assert "![my dog](images/1_my_dog.jpg)" in card
    shown = Image.open(tmp_path / "given" / "images" / "1_my_dog.jpg")
    assert shown.size == taken.size
    assert not shown.getexif()

    publish.main([*flags, "--figures", "figures/figures.csv"])
    card = (tmp_path / "given" / "README.md").read_text()
    assert "Medians of 3 photos" in card
    assert "33.0 [31.0, 47.2]" in card
    assert "40.0 [40.0, 40.0]" in card
