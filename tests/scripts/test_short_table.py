"""The tables on top of the ablation: the protocol's steps with programs replaced, and figures in closed form."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from datasets.photo_check import Notebook
from deeplab.smoothing import disc_blur
from scripts import short_page
from scripts.peer_blur import main as peer_blur
from scripts.short_methods import METHODS, Generator, entries_of, name_of
from scripts.short_page import section
from scripts.short_table import RADII, ShortTable, Sources, peak, unseen
from util.measure.keeping import FAILS

TRUTH = 200  # the level of the lab's true photos


def pictures(folder: Path, names: list[str], level: int = 100) -> Path:
    """Plain pictures of these names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.fromarray(np.full((8, 8, 3), level, np.uint8)).save(folder / f"{name}.png")
    return folder


def figures(photos: int = 9, psnr: float = 30.0, failing: int = 0) -> dict:
    """What evaluate.py's figures.json has."""
    bounds = {"median": psnr, "low": psnr - 1, "high": psnr + 1}
    names = ("psnr", "psnr_edge", "ssim", "subject_psnr", "gradient_left", "seen_background")
    fails = {
        name: {"photos": photos, **{f"above_{limit:g}": failing for limit in FAILS[name]}} for name in FAILS
    }
    method = {"median": dict.fromkeys(names, bounds), "set": {"blur_match": 0.5}, "failures": fails}
    seen = {
        name: dict.fromkeys(bounds, value) for name, value in (("seen_background", 2.4), ("seen_subject", 0))
    }
    return {"photos": photos, "methods": {"any": method, "real photos": {"median": seen}}}


class Programs:
    """In place of the programs: a blur's level nears the truth's at radius 3; figures are the same for all."""

    def __init__(self) -> None:
        self.ran: list[list[str]] = []
        self.measured: list[list[str]] = []

    def run(self, command: list[str]) -> None:
        self.ran.append(command[1:])
        source, output = (Path(command[command.index(name) + 1]) for name in ("--input", "--output"))
        strength = output.name.rpartition("_")[2]
        off = abs(float(strength) - 3) if strength.isdigit() else 0
        pictures(output, [path.stem for path in source.iterdir()], TRUTH - int(10 * off))

    def measure(self, options: list[str]) -> None:
        self.measured.append(options)
        output = Path(options[options.index("--output") + 1])
        output.mkdir(parents=True, exist_ok=True)
        (output / "figures.json").write_text(json.dumps(figures()))


@pytest.fixture
def places(tmp_path, monkeypatch) -> Sources:
    """All sets, two photos each; a checkpoint of each generator but for the third seed."""
    monkeypatch.chdir(tmp_path)
    for folder in ("pretrained/portrait", "pretrained/portrait_mask", "checkpoints/portrait_seed2"):
        (tmp_path / folder).mkdir(parents=True)
    d, lab, photos, pairs = (tmp_path / name for name in ("d", "lab", "photos", "pairs"))
    pictures(d / "testA", ["t1", "t2"])
    pictures(d / "trainA", ["a1", "a2", "a3"])
    for folder in ("trainB", "testB", "maskA", "maskB"):
        pictures(d / folder, ["b1"])
    pictures(lab / "valA", ["v1", "v2"])
    pictures(lab / "testA", ["l1", "l2"])
    pictures(lab / "truth/wide", ["v1", "v2", "l1", "l2"], TRUTH)
    noise = np.random.default_rng(0)
    (photos / "testA").mkdir(parents=True)
    for name in ("p1", "p2"):
        Image.fromarray(noise.integers(0, 256, (64, 64, 3), np.uint8)).save(photos / "testA" / f"{name}.png")
    pictures(pairs, ["n1_allinfocus", "n1_near"])
    for model in ("cyclegan", "mask_loss", "overlay", "combined"):
        pictures(tmp_path / "published" / model, ["a1", "a3"])
    return Sources(d, lab, photos, tmp_path / "published", pairs)


def test_strength_is_chosen_on_val_and_reported_on_test(places, tmp_path):
    programs = Programs()
    rows = ShortTable(places, tmp_path / "work", programs.run, programs.measure).rows()
    assert {row.radius for row in rows if "published" not in row.method.title} == {3.0}
    inputs = {(Path(c[2]).name, Path(c[4]).name) for c in programs.ran if c[0] != "deeplab/inference.py"}
    disc = {(place, name) for place, name in inputs if name.startswith("rvm_disc")}
    on_val = {("valA", f"rvm_disc_behind_its_matte_{radius}") for radius in (2, 3, 4, 6)}
    on_pairs = {("pairs", f"rvm_disc_behind_its_matte_{radius}") for radius in (1, 2, 3, 4, 6, 8, 12)}
    reported = {("testA", "rvm_disc_behind_its_matte_3")}
    photos = {("photos", f"rvm_disc_behind_its_matte_{radius}") for radius in (3, 6)}
    assert disc == on_val | on_pairs | reported | photos
    # One strength for all seeds: the second is never run on the scenes to choose on.
    assert not [name for place, name in inputs if place == "valA" and "seed2" in name]
    apertures = {c[c.index("--aperture") + 1] for c in programs.ran if "--aperture" in c and "valA" in c[2]}
    assert apertures == {"0.5", "0.75", "1", "1.5"}
    radius_of = {Path(c[4]).name: c[c.index("--radius") + 1] for c in programs.ran if c[0] == "test.py"}
    assert {radius for name, radius in radius_of.items() if "_one_radius_" in name} == {"none"}
    assert {radius for name, radius in radius_of.items() if "_one_radius_" not in name} == {
        "pretrained/radius/latest_net_P.pth"
    }


def test_each_set_is_measured_against_what_is_true_of_it(places, tmp_path):
    programs = Programs()
    rows = ShortTable(places, tmp_path / "work", programs.run, programs.measure).rows()
    by_title = {row.method.title: row for row in rows}
    assert set(by_title["published CycleGAN"].found) == {"published"}
    everywhere = {"lab", "photos", "photos_x2", "portraits", "published", "pairs"}
    assert set(by_title["ours alone"].found) == everywhere
    assert len(by_title["ours alone"].found["lab"]) == 2  # the third seed waits
    options = [" ".join(each) for each in programs.measured if "selfie_segmenter_disc" in " ".join(each)]
    of_lab, of_published, of_portraits, of_pairs, of_photos, twice = options
    assert f"--truth {places.lab}/truth/wide" in of_lab and "--alphas selfie" in of_lab
    of_ours = [" ".join(each) for each in programs.measured if "--alphas ours_told_matte" in " ".join(each)]
    assert len(of_ours) == 2 and all("in_focus/lab/portrait_mask_rvm" in each for each in of_ours)
    assert f"--dataroot {places.photos}" in of_photos and "_6" in twice.rpartition("/")[2]
    assert f"--dataroot {places.dataroot}" in of_portraits
    shown = tmp_path / "work/inputs/published/testA"
    assert f"--dataroot {shown.parent}" in of_published
    assert sorted(path.stem for path in shown.iterdir()) == ["a1", "a3"]
    assert of_pairs.count("mask@") == of_pairs.count("=") == 7 and "--best_of psnr" in of_pairs


def test_what_is_there_is_not_made_again(places, tmp_path):
    programs = Programs()
    for _ in range(2):
        ShortTable(places, tmp_path / "work", programs.run, programs.measure).rows()
    commands = [" ".join(command) for command in programs.ran]
    assert len(commands) == len(set(commands))
    assert len(programs.measured) == len({" ".join(options) for options in programs.measured})
    masks = [command for command in commands if command.startswith("deeplab/inference.py")]
    assert len(masks) == 2 * 6  # each segmenter once on val, lab, photos, portraits, published, pairs
    newest = tmp_path / "work/results/lab/ours_told_matte_portrait_mask_3/l1.png"
    (newest.parent / "l2.png").unlink()
    ShortTable(places, tmp_path / "work", programs.run, programs.measure).rows()
    assert [" ".join(command) for command in programs.ran[len(commands) :]] == [
        command for command in commands if "lab/ours_told_matte_portrait_mask_3 " in command
    ]


def test_page_of_what_is_known_so_far(places, tmp_path):
    programs = Programs()
    table = (places, tmp_path / "work", programs.run, programs.measure)
    assert not any(row.found or row.radius for row in ShortTable(*table, only_known=True).rows())
    assert not programs.ran and not programs.measured
    whole = ShortTable(*table).rows()
    count = len(programs.ran)
    assert ShortTable(*table, only_known=True).rows() == whole
    assert len(programs.ran) == count


def test_without_a_lab_the_usual_strength_counts(places, tmp_path):
    programs = Programs()
    rows = ShortTable(Sources(places.dataroot), tmp_path / "work", programs.run, programs.measure).rows()
    assert {row.radius for row in rows} == {None, 4.0}
    assert {name for row in rows for name in row.found} == {"portraits"}


def test_the_peak_is_found_from_either_side():
    for best in RADII:
        assert peak(lambda x, best=best: -abs(np.log(x / best)), RADII, 4.0) == best
    asked: list[float] = []
    peak(lambda x: asked.append(x) or -abs(x - 4), RADII, 4.0)
    assert set(asked) == {3.0, 4.0, 6.0}


def test_copies_of_what_was_trained_on_are_left_out(tmp_path):
    """Another size and quality is a copy; another part of the photo is not."""
    photo = Image.fromarray(data.astronaut())
    other = Image.fromarray(data.astronaut()[:256, 200:456])
    for name, image in (("large", photo), ("other", other)):
        image.save(tmp_path / f"{name}.png")
    photo.resize((170, 170)).save(tmp_path / "small.jpg", quality=80)
    files = [tmp_path / "large.png", tmp_path / "other.png"]
    for _ in range(2):  # from the photos, then from the notes
        notes = Notebook(tmp_path / "notes.txt")
        assert unseen(files, [tmp_path / "small.jpg"], notes) == [tmp_path / "other.png"]
    assert len(notes.names("phash")) == 3


def test_names_of_folders_differ():
    names = [name_of(method, entry) for method in METHODS for entry in getattr(method, "checkpoints", [""])]
    assert len(set(names)) == len(names)
    assert sum(method.in_short for method in METHODS) == 6
    assert entries_of(Generator("x", ("nowhere",))) == ()


def test_a_blur_behind_masks_that_are_there(tmp_path):
    photo = data.astronaut()[:128, 100:260]
    mask = np.zeros((128, 160), np.uint8)
    mask[40:, 50:100] = 255
    for folder, picture in (("photos", photo), ("masks", mask)):
        (tmp_path / folder).mkdir()
        Image.fromarray(picture).save(tmp_path / folder / "a.png")
    words = ["--input", str(tmp_path / "photos"), "--output", str(tmp_path / "out"), "--radius", "8"]
    peer_blur([*words, "--masks", str(tmp_path / "masks"), "--blur", "lens_disc"])
    made = np.asarray(Image.open(tmp_path / "out/a.png"))
    assert np.array_equal(made, disc_blur(photo, mask / 255, 4))  # half of what is asked for at 256 pixels
    (tmp_path / "masks/a.png").rename(tmp_path / "masks/b.png")
    with pytest.raises(SystemExit):
        peer_blur([*words, "--masks", str(tmp_path / "masks")])


def test_shares_have_wilson_s_interval():
    found = short_page.share_failing(figures(40, failing=4)["methods"]["any"], "subject_blurred")
    p, n, z = 0.1, 40, 1.959964
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert found.median == 0.1
    assert (found.low, found.high) == pytest.approx(
        ((middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n))
    )


def test_seeds_together_are_the_middle_one_and_all_intervals():
    seeds = [figures(psnr=psnr)["methods"]["any"] for psnr in (30.0, 27.0, 28.0)]
    assert short_page.together("psnr", 1)(seeds) == "28.0 [26.0, 31.0]"
    assert short_page.each("psnr", 0)(seeds) == "30 [29, 31] / 27 [26, 28] / 28 [27, 29]"
    seeds[0]["median"]["subject_psnr"] = dict.fromkeys(("median", "low", "high"), "Infinity")
    assert short_page.each("subject_psnr", 1)(seeds[:1]) == "exact [exact, exact]"
    assert short_page.each("psnr_hair", 1)(seeds) == "-"


def test_page_has_six_rows_then_every_method(places, tmp_path):
    programs = Programs()
    text = "\n".join(section(ShortTable(places, tmp_path / "work", programs.run, programs.measure).rows()))
    short, _, rest = text.partition("## Every method")
    assert short.count("\n| ") == 1 + 6
    ours = next(line for line in short.splitlines() if line.startswith("| ours alone"))
    assert ours.startswith("| ours alone, 2 seeds | 0% [0, 30] | 0% [0, 30] | 30.0 [29.0, 31.0] |")
    assert "| published CycleGAN | - | - | - | - | - | 30.0 [29.0, 31.0] | 30.00 [29.00, 31.00] |" in short
    assert "| RVM, disc behind its matte | 3 | 30.0 [29.0, 31.0] |" in rest
    assert "| ours alone, 2 seeds | 0, 0 of 9 / 0, 0 of 9 |" in rest
    assert "; in real photos of domain B 2.4 [2.4, 2.4] and 0.00 [0.00, 0.00]" in rest
    lines = rest[rest.index("### Real photos") :].splitlines()
    assert not any("published" in line for line in lines[: lines.index("### Portraits of 256 pixels")])
