"""The lab's files: what they say of a scene is so."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion

from datasets.lab_lens import render
from datasets.lab_scenes import make_scene
from datasets.make_lab import main
from util.images import read_image
from util.measure.lab import decode_radius, encode_radius, is_lab, read_truth

SIZE = 128


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """One scene to choose on, three to report on."""
    root = tmp_path_factory.mktemp("lab")
    make(root)
    return root


def make(root: Path, *more: str, n_val: int = 1, n_test: int = 3) -> None:
    sizes = ("--size", str(SIZE), "--n_val", str(n_val), "--n_test", str(n_test), "--num_workers", "0")
    main(["--dataroot", str(root), *sizes, *more])


def test_files_of_a_scene_agree(lab):
    assert is_lab(lab) and not is_lab(lab / "truth")
    assert len(list((lab / "testA").iterdir())) == 3 and len(list((lab / "valA").iterdir())) == 1
    for stem in ("val_000", "test_000", "test_001", "test_002"):
        source = np.asarray(read_image(lab / f"{stem[:-4]}A/{stem}.png"), np.float32) / 255
        for lens in ("narrow", "wide", "far"):
            truth = read_truth(lab, stem, lens)
            expected = truth.lens.aperture * (truth.inverse_depth - truth.lens.focus)
            assert truth.radius == pytest.approx(expected, abs=0.02)
            x, y = truth.lens.point
            assert abs(truth.radius[y, x]) < 0.52
            subject = binary_erosion(truth.alpha == 1, iterations=2)
            assert subject.sum() > 0.04 * SIZE**2
            if lens == "far":
                assert np.abs(truth.photo - source)[subject].mean() > 0.002
            else:  # in focus she is the photo's, but where something nearer spreads over her
                reached = binary_dilation(truth.radius > 1, iterations=12)
                assert np.abs(truth.photo - source)[subject & ~reached].max() <= 1 / 255
        assert ((truth.hair > 0) & (truth.alpha < 1)).sum() > 5


def test_the_same_options_give_the_same_files_and_only_what_is_missing(lab, tmp_path, capsys):
    other = tmp_path / "again"
    make(other, n_test=0)
    for path in sorted(other.rglob("val_*")):
        assert (lab / path.relative_to(other)).read_bytes() == path.read_bytes(), path
    capsys.readouterr()
    make(other, n_test=0)
    assert "complete, nothing to make" in capsys.readouterr().out
    (other / "scenes/val_000.json").unlink()
    make(other, n_test=0)
    assert "1 scenes made" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        make(other)
    assert "other settings" in capsys.readouterr().err


def test_lights_keep_their_energy_through_every_lens():
    scenes = (make_scene(np.random.default_rng(number), SIZE, 0) for number in range(20))
    scene = next(scene for scene in scenes if any(light.clear for light in scene.lights))
    y, x = np.mgrid[:SIZE, :SIZE]
    energies = []
    without = [layer for layer in scene.layers if layer.light[:3].max() <= 1.01]
    for lens in ("pinhole", "narrow", "wide"):
        added = render(scene.layers, SIZE, scene.lenses[lens]) - render(without, SIZE, scene.lenses[lens])
        reach = scene.lenses["wide"].radius(scene.lights[0].inverse_depth)
        clear = [light for light in scene.lights if light.clear]
        discs = [np.hypot(x - light.x, y - light.y) < abs(reach) + 3 for light in clear]
        energies.append([added[disc].sum() for disc in discs])
    # Behind the light lies some background, which shows beside a narrower disc.
    assert energies[1] == pytest.approx(energies[0], rel=0.02)
    assert energies[2] == pytest.approx(energies[0], rel=0.02)


def test_people_of_a_folder_stand_in_the_scenes(tmp_path):
    people = tmp_path / "people"
    people.mkdir()
    body = np.zeros((120, 60, 4), np.uint8)
    body[10:110, 15:45] = (255, 0, 0, 255)
    Image.fromarray(body).save(people / "red.png")
    root = tmp_path / "lab"
    make(root, "--people", str(people), n_val=0)
    kind = json.loads((root / "scenes/test_002.json").read_text())["kind"]
    truth = read_truth(root, "test_002", "wide")
    red = truth.photo[(truth.alpha == 1) & (np.abs(truth.radius) < 0.1)]
    assert kind == "standing" and np.median(red[:, 0]) > 3 * np.median(red[:, 1])
    rows = np.nonzero((truth.alpha > 0.9).any(axis=1))[0]
    feet = rows[-1]
    # She stands on the ground: beside her feet it is as far away as she is.
    assert abs(truth.radius[feet, 2]) < 1 or abs(truth.radius[feet, -3]) < 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "64"], "choose 128 to 1024"),
        (["--n_val", "-1"], "--n_val -1: must be at least 0"),
        (["--people", "gone"], "gone: no such folder"),
    ],
)
def test_wrong_options_are_named(tmp_path, capsys, arguments, message):
    with pytest.raises(SystemExit):
        main(["--dataroot", str(tmp_path / "lab"), *arguments])
    assert message in capsys.readouterr().err


def test_pictures_without_a_person_are_named(tmp_path, capsys):
    for name, picture in (
        ("opaque", np.zeros((20, 20, 3), np.uint8)),
        ("empty", np.zeros((20, 20, 4), np.uint8)),
    ):
        folder = tmp_path / name
        folder.mkdir()
        Image.fromarray(picture).save(folder / "a.png")
        with pytest.raises(SystemExit):
            make(tmp_path / "lab", "--people", str(folder))
    error = capsys.readouterr().err
    assert "no alpha channel" in error and "nothing covers half a pixel" in error


def test_radii_survive_their_file():
    radii = np.array([-120.0, -3.25, 0, 0.5, 120.0], np.float32)
    assert np.array_equal(decode_radius(encode_radius(radii)), radii)
