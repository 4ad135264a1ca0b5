"""evaluate.py from the command line, on photos small enough to know the answers."""

import csv
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import scripts.evaluating
from scripts.compared import baselines
from tests.scripts.compared import SUBJECT, evaluate, make_compared
from util.errors import UserError
from util.measure.evaluation import find_sources, measure_background
from util.measure.metrics import Regions, figures_of_output
from util.measure.results import Result, parse_result


@pytest.fixture
def dataroot(tmp_path):
    return make_compared(tmp_path / "d")


def test_figures_are_those_of_the_files(dataroot, capsys):
    evaluate(dataroot, "--results", dataroot / "results/mine/test_latest", "--baselines")
    with (dataroot / "out/figures.csv").open(newline="") as file:
        rows = {(row["photo"], row["method"]): row for row in csv.DictReader(file)}
    assert len(rows) == 3 * 5
    photo = np.float32(Image.open(dataroot / "testA/a 1#.png")) / 255
    output = np.float32(Image.open(dataroot / "results/mine/test_latest/images/a 1#_fake_B.png")) / 255
    mask = np.zeros(photo.shape[:2])
    mask[SUBJECT] = 1
    for name, value in figures_of_output(output, photo, Regions.of_mask(mask)).items():
        assert float(rows["a 1#", "mine"][name]) == pytest.approx(value)
    assert float(rows["a 1#", "mine"]["gradient_left"]) == pytest.approx(0.8, abs=0.02)
    assert float(rows["a 1#", "input"]["gradient_left"]) == 1
    stored = json.loads((dataroot / "out/figures.json").read_text())
    medians = [float(rows[f"a {n}#", "mine"]["color_error"]) for n in range(3)]
    assert stored["methods"]["mine"]["median"]["color_error"]["median"] == pytest.approx(np.median(medians))
    assert stored["methods"]["mine"]["median"]["subject_psnr"]["median"] == "Infinity"
    assert stored["methods"]["mine"]["set"]["blur_match"] > 0
    real = [measure_background(photo) for photo in find_sources(dataroot / "testB", dataroot / "maskB")]
    assert stored["real_photos"]["gradient_fifth"] == pytest.approx(np.quantile(real, 0.2))
    assert stored["real_photos"]["gradient_median"] == pytest.approx(np.median(real))
    printed = capsys.readouterr().out
    assert "| mine " in printed and "exact" in printed
    assert "No LPIPS: --lpips_weights FILE was not given" in printed
    assert "No FID and KID: --inception_weights FILE" in printed


def test_one_real_photo_has_no_halves(dataroot, capsys):
    for extra in ("b1.png", "b2.png"):
        (dataroot / "testB" / extra).unlink()
    evaluate(dataroot, "--results", dataroot / "results/mine/test_latest")
    page = (dataroot / "out/index.html").read_text()
    for text in (capsys.readouterr().out, page):
        assert "Too few real photos to compare random halves of them" in text
        assert ">nan<" not in text and " nan" not in text


def test_without_masks_of_the_real_photos_all_else_is_measured(dataroot, capsys, monkeypatch):
    """One mask of three is missing: that is said before the work, and blur match alone is left out."""
    (dataroot / "maskB" / "b1.png").unlink()
    said_before = []
    measure = scripts.evaluating.measure_photo
    monkeypatch.setattr(
        scripts.evaluating,
        "measure_photo",
        lambda photo: said_before.append(capsys.readouterr().out) or measure(photo),
    )
    evaluate(dataroot, "--results", dataroot / "results/mine/test_latest")
    line = f"No blur match: {dataroot}/maskB lacks 1 of 3 masks of {dataroot}/testB; make them with: python deeplab/"
    assert line in said_before[0]
    stored = json.loads((dataroot / "out/figures.json").read_text())
    assert "blur_match" not in stored["methods"]["mine"]["set"]
    assert stored["methods"]["mine"]["median"]["gradient_left"]["median"] == pytest.approx(0.8, abs=0.02)
    assert "there are no real photos" not in capsys.readouterr().out


def test_blurs_can_be_sent_to_processes():
    photo = np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    for blur in baselines([2.5]).values():
        assert np.array_equal(
            pickle.loads(pickle.dumps(blur))(photo, np.zeros((20, 24))), blur(photo, np.zeros((20, 24)))
        )


def test_contact_sheet_shows_the_chosen_photos_by_method(dataroot):
    sheet = dataroot / "sheet.png"
    evaluate(dataroot, "--baselines", "--export_grid", sheet, "--grid_photos", "a 2#", "a 0#")
    with Image.open(sheet) as image:
        assert image.size == (4 * 112 + 3 * 4, 24 + 2 * 112 + 4)  # cells as large as the largest side
        photo = np.asarray(Image.open(dataroot / "testA/a 2#.png"))
        shown = np.asarray(image)[24 + 8 : 24 + 104, :112]  # first cell, the 112 x 96 photo in its middle
    assert np.array_equal(shown, photo)


def test_what_is_missing_is_named(dataroot, capsys):
    def error(*arguments):
        with pytest.raises(SystemExit) as ended:
            evaluate(dataroot, *arguments)
        assert ended.value.code == 2
        return capsys.readouterr().err

    assert "nothing to measure; give --results DIR" in error()
    assert "gone: no such folder of results" in error("--results", dataroot / "gone")
    assert "no file there is named like a photo" in error("--results", dataroot / "testB")
    assert "a 9# is not among the photos" in error(
        "--baselines", "--export_grid", "g.png", "--grid_photos", "a 9#"
    )
    assert "gone: no such folder" in error("--baselines", "--truth", dataroot / "gone")
    assert "no file there is named like a photo" in error("--baselines", "--truth", dataroot / "testB")
    (dataroot / "maskA/a 1#.png").unlink()
    assert "no mask for 1 photos (a 1#" in error("--baselines")


def test_pictures_that_browsers_lack_are_shown_as_png(dataroot):
    for path in (dataroot / "testA").iterdir():
        Image.open(path).save(path.with_suffix(".tif"))
        path.unlink()
    evaluate(dataroot, "--baselines", "--results", f"same={dataroot / 'testA'}")
    copies = list((dataroot / "out/images").iterdir())
    assert len(copies) == 3 * 5
    for path in copies:
        with Image.open(path) as image:
            assert image.format == "PNG"
    stored = json.loads((dataroot / "out/figures.json").read_text())["methods"]
    assert stored["same"]["median"]["gradient_left"]["median"] == 1


def test_methods_of_other_scripts_keep_their_own_pictures(dataroot):
    shutil.copytree(dataroot / "testA", dataroot / "plain")
    mine = dataroot / "results/mine/test_latest"
    evaluate(dataroot, "--results", f"темно={mine}", f"ясно={dataroot / 'plain'}")
    stored = json.loads((dataroot / "out/figures.json").read_text())["methods"]
    assert stored["ясно"]["median"]["gradient_left"]["median"] == 1
    assert stored["темно"]["median"]["gradient_left"]["median"] < 0.9


@pytest.mark.parametrize("option", ["--lpips_weights", "--inception_weights"])
def test_weights_that_are_not_there_are_named_before_the_work(dataroot, capsys, option):
    with pytest.raises(SystemExit):
        evaluate(dataroot, "--baselines", option, "gone.pth")
    assert f"gone.pth: no such file; see {option}" in capsys.readouterr().err
    assert not (dataroot / "out").exists()


@pytest.mark.parametrize(("where", "inner"), [("/test_latest", "images"), ("", "")])
def test_published_results_are_read_as_they_lie(dataroot, where, inner):
    """An overlay run's pictures, `<stem>_<label>.png`: in the folder of a page, or straight in the experiment's."""
    published = dataroot / f"results/selfie2bokeh_cyclegan_mask_added{where}"
    (published / inner).mkdir(parents=True)
    (published / "index.html").write_text("<h3>a</h3>")
    for path in (dataroot / "testA").iterdir():
        photo = Image.open(path)
        dark = photo.point(lambda value: value // 2)
        labels = {
            "real_A": photo, "fake_B": photo, "fake_B_noMask": dark, "rec_A": photo, "mask_real_A": dark
        }  # fmt: skip
        for label, picture in labels.items():
            picture.save(published / inner / f"{path.stem}_{label}.png")
    evaluate(dataroot, "--results", published, f"own={published}:fake_B_noMask")
    stored = json.loads((dataroot / "out/figures.json").read_text())["methods"]
    overlay, own = (
        stored[name]["median"]["subject_psnr"]["median"]
        for name in ("selfie2bokeh_cyclegan_mask_added", "own")
    )
    assert overlay == "Infinity" and own < 20


def test_a_label_that_no_picture_has_is_named(dataroot, capsys):
    with pytest.raises(SystemExit):
        evaluate(dataroot, "--results", f"{dataroot / 'results/mine/test_latest'}:fake_C")
    assert "no picture of the label fake_C" in capsys.readouterr().err


# Results of one experiment; names that make one file name; the name of a baseline.
@pytest.mark.parametrize("names", [["", ""], ["a b=", "a+b="], ["input=", "--baselines"]])
def test_methods_that_would_overwrite_each_other_are_refused(dataroot, capsys, names):
    folder = str(dataroot / "results/mine/test_latest")
    arguments = [name if name.startswith("--") else name + folder for name in names]
    with pytest.raises(SystemExit):
        evaluate(dataroot, "--results", *arguments)
    assert "too much alike; name them" in capsys.readouterr().err


def test_results_are_named_after_the_experiment_or_as_told():
    folder = Path("results/mine/test_latest")
    assert parse_result(str(folder)) == Result("mine", folder)
    assert parse_result("outputs/photos").title == "photos"
    assert parse_result("best=a/b") == Result("best", Path("a/b"))
    assert parse_result("lens@2.5=a@3") == Result("lens", Path("a@3"), 2.5)
    assert parse_result("lens@2.5=a").title == "lens@2.5"
    assert parse_result(f"{folder}:fake_B_noMask").title == "mine fake_B_noMask"
    assert parse_result("own@2=a:fake_B_noMask") == Result("own", Path("a"), 2.0, "fake_B_noMask")
    with pytest.raises(UserError, match="no strength; write NAME@2=DIR"):
        parse_result("me@home=a")


def test_photos_that_fail_are_counted_and_linked(dataroot, capsys):
    for folder in ("matteA", "matteA_2"):
        shutil.copytree(dataroot / "maskA", dataroot / folder)
    shutil.rmtree(dataroot / "maskA")  # one of the mattes serves
    shutil.rmtree(dataroot / "testB")
    flat = dataroot / "flat"
    flat.mkdir()
    for path in (dataroot / "testA").iterdir():
        image = np.asarray(Image.open(path)).copy()
        if path.stem != "a 0#":
            image[SUBJECT] = 128
        Image.fromarray(image).save(flat / path.name)
    evaluate(dataroot, "--results", f"wrong={flat}")
    failures = json.loads((dataroot / "out/figures.json").read_text())["methods"]["wrong"]["failures"]
    assert failures["subject_blurred"]["above_0.1"] == 2
    assert failures["subject_blurred"]["photos"] == 3
    with (dataroot / "out/figures.csv").open(newline="") as file:
        shares = sorted(float(row["subject_blurred"]) for row in csv.DictReader(file))
    # Of three values, the quantile lies four fifths of the way from the second to the third.
    assert failures["subject_blurred"]["quantile_90"] == pytest.approx(0.2 * shares[1] + 0.8 * shares[2])
    assert failures["background_sharp"]["photos"] == 0  # enlarged eight times, nothing is sharp
    assert "2 > 3%, 2 > 10%" in capsys.readouterr().out
    page = (dataroot / "out/index.html").read_text()
    assert 'href="#photo-a%201%23"' in page and 'id="photo-a 1#"' in page


def test_only_what_is_asked_for_is_measured(dataroot, capsys):
    for folder in ("matteA", "matteA_2"):
        shutil.copytree(dataroot / "maskA", dataroot / folder)
    result = ("--results", f"mine={dataroot / 'results/mine/test_latest'}", "--truth", dataroot / "testA")

    def known(*against):
        evaluate(dataroot, *result, *against)
        methods = json.loads((dataroot / "out/figures.json").read_text())["methods"]["mine"]
        return {name: each["median"] for name, each in methods["median"].items()} | methods["set"]

    everything = known()
    of_truth, of_mattes = known("--against", "truth"), known("--against", "mattes")
    assert set(of_truth) == {"psnr", "ssim"} and set(of_mattes) == {"subject_blurred", "background_sharp"}
    of_photo = known("--against", "photo")
    assert everything == of_photo | of_truth | of_mattes and "blur_match" in of_photo
    with pytest.raises(SystemExit):
        evaluate(dataroot, *result, "--against", "truth", "--baselines")
    assert "--baselines: needs the photo and its mask" in capsys.readouterr().err


def test_blur_that_a_network_sees_stands_beside_real_photos(dataroot, monkeypatch, capsys):
    """A network that takes light for blur, at a quarter of the size: 2 px in subjects, 6 beside them, real photos 1."""
    levels = {"mine": (60, 20), "real": (10, 10)}  # background, subject
    folder = dataroot / "flat"
    folder.mkdir()
    for directory, name in ((folder, "mine"), (dataroot / "testB", "real")):
        for path in (dataroot / ("testA" if name == "mine" else "testB")).iterdir():
            picture = np.full((96, 112, 3), levels[name][0], np.uint8)
            picture[SUBJECT] = levels[name][1]
            Image.fromarray(picture).save(directory / path.name)
    monkeypatch.setattr(scripts.evaluating, "radius_map", lambda _: lambda photo: photo[::4, ::4, 0] / 10)
    evaluate(dataroot, "--results", f"mine={folder}", "--blur_weights", "E.pth")
    methods = json.loads((dataroot / "out/figures.json").read_text())["methods"]
    seen = {name: methods[name]["median"] for name in ("mine", "real photos")}
    assert seen["mine"]["seen_background"]["median"] == pytest.approx(6)
    assert seen["mine"]["seen_subject"]["median"] == pytest.approx(2)
    assert seen["real photos"]["seen_background"]["median"] == pytest.approx(1)
    assert "| real photos |" in capsys.readouterr().out
    monkeypatch.undo()
    evaluate(
        dataroot, "--results", f"mine={folder}", "--blur_weights"
    )  # the network that comes with the code
    assert "| real photos |" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        evaluate(dataroot, "--results", f"mine={folder}", "--blur_weights", "gone.pth")
    assert "gone.pth" in capsys.readouterr().err
