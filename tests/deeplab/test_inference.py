import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deeplab.inference import main
from deeplab.smoothing import disc_blur, mean_blur
from tests.hard_photos import write_bad_photos, write_good_photos
from util.images import read_image, read_mask, write_image


def photo_with_person(size=(64, 48)) -> Image.Image:
    """Noise in blue and green; the right half is red: a person to the red segmenter."""
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    pixels[..., 0] = 0
    pixels[:, size[0] // 2 :, 0] = 255
    return Image.fromarray(pixels)


@pytest.fixture
def dataroot(tmp_path) -> Path:
    """Three photos with a person and one without, spread over phases and domains."""
    root = tmp_path / "root"
    for name in ("trainA/a1.png", "testA/a2.png", "trainB/b1.png"):
        write_image(photo_with_person(), root / name)
    write_image(Image.new("RGB", (64, 48), "blue"), root / "valB/b2.png")
    return root


def run(*words: object) -> None:
    main([str(word) for word in (*words, "--num_workers", 0)])


def run_with_failures(*words: object) -> None:
    """Run where some photos can't be done, which the exit status tells."""
    with pytest.raises(SystemExit) as end:
        run(*words)
    assert end.value.code == 1


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_masks_of_all_phases_and_domains(dataroot, red, capsys):
    run("--dataroot", dataroot)
    assert files(dataroot / "maskA") == ["a1.png", "a2.png"]
    assert files(dataroot / "maskB") == ["b1.png", "b2.png"]
    with Image.open(dataroot / "maskA/a1.png") as mask:
        assert mask.mode == "L" and mask.size == (64, 48)
        pixels = np.asarray(mask)
    assert set(np.unique(pixels)) == {0, 255}
    assert (pixels[:, :31] == 0).all() and (pixels[:, 33:] == 255).all()
    out = capsys.readouterr().out
    assert f"no person found: {dataroot}/valB/b2.png" in out
    assert "4 done, 0 up to date, 1 without a person, 0 refused" in out


def test_second_run_makes_only_what_is_missing_or_old(dataroot, red, capsys):
    run("--dataroot", dataroot)
    (dataroot / "maskA/a1.png").unlink()
    newer = (dataroot / "maskB/b1.png").stat().st_mtime + 10
    os.utime(dataroot / "trainB/b1.png", (newer, newer))
    kept = (dataroot / "maskA/a2.png").stat().st_mtime_ns
    red.batches.clear()
    run("--dataroot", dataroot)
    assert sum(n for n, *_ in red.batches) == 2
    assert (dataroot / "maskA/a2.png").stat().st_mtime_ns == kept
    assert "2 done, 2 up to date" in capsys.readouterr().out
    run("--dataroot", dataroot, "--overwrite", "--domain", "A", "--phase", "test")
    assert (dataroot / "maskA/a2.png").stat().st_mtime_ns > kept


def test_a_link_that_leads_nowhere_is_refused_each_time(dataroot, red, capsys):
    (dataroot / "trainA/link.png").symlink_to("nowhere.png")
    write_image(Image.new("L", (64, 48)), dataroot / "maskA/link.png")
    for _ in range(2):
        run_with_failures("--dataroot", dataroot)
        assert "link.png: no such file" in capsys.readouterr().err


def test_empty_photos_are_set_aside_even_when_their_masks_are_there(dataroot, red, capsys):
    run("--dataroot", dataroot)
    run("--dataroot", dataroot, "--drop_empty")
    assert files(dataroot / "valB") == [] and files(dataroot / "valB_empty") == ["b2.png"]
    assert files(dataroot / "maskB") == ["b1.png"]
    assert files(dataroot / "trainB") == ["b1.png"]
    assert "1 without a person, set aside" in capsys.readouterr().out


def test_soft_masks_keep_probabilities_and_threshold_moves_the_edge(tmp_path, red):
    ramp = np.zeros((32, 32, 3), np.uint8)
    ramp[..., 0] = np.arange(32) * 8
    write_image(Image.fromarray(ramp), tmp_path / "in/ramp.png")
    run("--input", tmp_path / "in", "--output", tmp_path / "soft", "--soft")
    assert (np.asarray(read_mask(tmp_path / "soft/ramp.png")) == ramp[..., 0]).all()
    run("--input", tmp_path / "in", "--output", tmp_path / "hard", "--threshold", "0.25")
    assert (np.asarray(read_mask(tmp_path / "hard/ramp.png")) == 255 * (ramp[..., 0] >= 64)).all()


def test_soft_mask_of_nobody_is_empty(tmp_path, red):
    write_image(Image.new("RGB", (20, 20), (90, 0, 0)), tmp_path / "in/x.png")
    run("--input", tmp_path / "in", "--output", tmp_path / "out", "--soft")
    assert read_mask(tmp_path / "out/x.png").getextrema() == (0, 0)


def test_cutout_holds_the_photo_and_the_mask(dataroot, red):
    run("--dataroot", dataroot)
    mask = read_mask(dataroot / "maskA/a1.png")
    run("--dataroot", dataroot, "--cutout", "--overwrite")
    with Image.open(dataroot / "maskA/a1.png") as cutout:
        assert cutout.mode == "RGBA"
        assert cutout.convert("RGB").tobytes() == read_image(dataroot / "trainA/a1.png").tobytes()
    assert read_mask(dataroot / "maskA/a1.png").tobytes() == mask.tobytes()


def test_smoothed_photos_of_a_folder_keep_names_and_folders(tmp_path, red):
    write_image(photo_with_person(), tmp_path / "in/sub/x.png")
    run("--input", tmp_path / "in", "--output", tmp_path / "out", "--smooth", "disc", "--radius", 3)
    assert files(tmp_path / "out") == ["sub/x.png"]
    pixels = np.asarray(read_image(tmp_path / "in/sub/x.png"))
    run("--input", tmp_path / "in", "--output", tmp_path / "masks")
    mask = np.asarray(read_mask(tmp_path / "masks/sub/x.png")) / 255
    assert (np.asarray(read_image(tmp_path / "out/sub/x.png")) == disc_blur(pixels, mask, 3)).all()


def test_smoothing_a_dataroot_takes_the_masks_that_are_there(dataroot, red, tmp_path):
    run("--dataroot", dataroot)
    hand_made = np.zeros((48, 64), np.uint8)
    hand_made[10:30, 5:20] = 255
    write_image(Image.fromarray(hand_made), dataroot / "maskA/a1.png")
    red.batches.clear()
    run("--dataroot", dataroot, "--smooth", "mean", "--output", tmp_path / "out")
    assert red.batches == []
    expected = mean_blur(np.asarray(read_image(dataroot / "trainA/a1.png")), hand_made / 255)
    assert (np.asarray(read_image(tmp_path / "out/trainA/a1.png")) == expected).all()
    assert files(tmp_path / "out") == ["testA/a2.png", "trainA/a1.png", "trainB/b1.png", "valB/b2.png"]


def test_figure_shows_photo_map_and_blurs(dataroot, red, tmp_path):
    write_image(photo_with_person((120, 80)), dataroot / "trainA/a1.png")
    run("--dataroot", dataroot, "--visualize", tmp_path / "figures")
    figure = np.asarray(read_image(tmp_path / "figures/trainA/a1.png"))
    assert figure.shape == (80 + 24, 5 * 120, 3)
    panels = np.split(figure[24:], 5, axis=1)
    pixels = np.asarray(read_image(dataroot / "trainA/a1.png"))
    mask = np.asarray(read_mask(dataroot / "maskA/a1.png")) / 255
    assert (panels[0] == pixels).all()
    assert (panels[1][:, :55] == 0).all() and (panels[1][:, 65:] == [192, 128, 128]).all()
    assert (panels[2] == mean_blur(pixels, mask)).all()
    assert (panels[4] == disc_blur(pixels, mask, 4)).all()


def test_one_stem_for_two_photos_is_refused_but_copies_share_a_mask(dataroot, red, capsys):
    write_image(read_image(dataroot / "trainA/a1.png"), dataroot / "valA/a1.png")
    run("--dataroot", dataroot)
    assert "4 done" in capsys.readouterr().out
    write_image(Image.new("RGB", (5, 5)), dataroot / "testA/a1.png")
    with pytest.raises(SystemExit):
        run("--dataroot", dataroot)
    assert "both would have the mask" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--dataroot", "D", "--output", "X"], "leave it out"),
        (["--input", "D"], "where the masks go"),
        (["--input", "D", "--smooth", "disc"], "where the smoothed photos go"),
        (["--input", "D", "--output", "X", "--radius", "3"], "--radius: needs --smooth"),
        (["--input", "D", "--output", "X", "--threshold", "0"], "--threshold 0.0"),
        (["--input", "D", "--output", "D/masks"], "lies inside --input"),
        (["--input", "missing", "--output", "X"], "missing: no such folder"),
        (["--dataroot", "missing"], "missing: no such folder"),
        (["--dataroot", "D", "--smooth", "mean", "--output", "./D"], "would mix with the photos"),
        (["--dataroot", "D", "--smooth", "mean", "--output", "D/trainA/x"], "would mix with the photos"),
        (["--dataroot", "D", "--visualize", "D/maskB"], "would mix with the photos"),
    ],
)
def test_wrong_command_lines_end_in_one_line(words, message, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    error = capsys.readouterr().err
    assert end.value.code == 2 and message in error and error.count("\n") == 1


def test_results_may_not_lie_among_photos_that_are_linked(tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    (tmp_path / "D").mkdir()
    (tmp_path / "D/trainA").symlink_to(tmp_path / "photos")
    with pytest.raises(SystemExit):
        run("--dataroot", tmp_path / "D", "--smooth", "mean", "--output", tmp_path / "photos/blurred")
    assert "would mix with the photos" in capsys.readouterr().err


def test_photos_of_every_kind_get_their_mask_or_a_listed_refusal(tmp_path, red, capsys):
    sizes = write_good_photos(tmp_path / "in")
    Image.new("RGB", (1, 1), "red").save(tmp_path / "in/dot.png")
    faults = write_bad_photos(tmp_path / "in")
    with pytest.raises(SystemExit) as end:
        main(["--input", str(tmp_path / "in"), "--output", str(tmp_path / "out"), "--num_workers", "2"])
    assert end.value.code == 1
    out, error = capsys.readouterr()
    assert f"{len(sizes) + 1} done" in out and f"{len(faults)} refused" in out
    for name, fault in faults.items():
        assert any(name in line and fault in line for line in error.splitlines())
    assert files(tmp_path / "out") == sorted(Path(name).stem + ".png" for name in (*sizes, "dot.png"))
    assert read_mask(tmp_path / "out/dot.png").getpixel((0, 0)) == 255
    for name, size in sizes.items():
        mask = read_mask(tmp_path / "out" / f"{Path(name).stem}.png")
        assert mask.size == size
        pixels = np.asarray(mask)
        assert pixels[:, : size[0] * 45 // 100].max() == 0, name
        assert pixels[:, size[0] * 55 // 100 :].min() == 255, name


@pytest.mark.parametrize("kind", ["--smooth disc --radius 2", "--cutout --refine", "--smooth mean"])
def test_every_product_takes_photos_of_every_kind(tmp_path, red, capsys, kind):
    sizes = write_good_photos(tmp_path / "in")
    (tmp_path / "in/large.jpg").unlink()
    Image.new("RGB", (1, 1), "red").save(tmp_path / "in/dot.png")
    faults = write_bad_photos(tmp_path / "in")
    words = ["--visualize", tmp_path / "figures", *kind.split()]
    run_with_failures("--input", tmp_path / "in", "--output", tmp_path / "out", *words)
    assert f"{len(sizes)} done" in capsys.readouterr().out
    assert len(files(tmp_path / "out")) == len(files(tmp_path / "figures")) == len(sizes)
    assert not set(faults) & set(files(tmp_path / "out"))


def test_smoothed_photos_of_phones_become_jpegs(tmp_path, red, capsys):
    photo = Image.new("RGB", (64, 48), "red")
    (tmp_path / "in").mkdir()
    for name in ("a.heic", "b.avif", "c.png"):
        photo.save(tmp_path / "in" / name)
    words = ("--input", tmp_path / "in", "--output", tmp_path / "out", "--smooth", "mean")
    run(*words)
    assert files(tmp_path / "out") == ["a.jpg", "b.jpg", "c.png"]
    assert Image.open(tmp_path / "out/a.jpg").size == photo.size
    photo.save(tmp_path / "in/a.jpg")
    with pytest.raises(SystemExit) as end:
        run(*words)
    assert end.value.code == 2 and "both would become" in capsys.readouterr().err


def test_mattes_in_place_of_masks_and_own_colours_in_cut_outs(tmp_path, red):
    """A soft edge from red to blue: its alpha is found, and what is mixed is red alone in the cut-out."""
    alpha = np.clip((np.arange(96) - 40) / 16, 0, 1)[None, :, None].repeat(64, 0)
    photo = alpha * np.array([255, 30, 10]) + (1 - alpha) * np.array([0, 20, 200])
    write_image(Image.fromarray(photo.round().astype(np.uint8)), tmp_path / "in/a.png")
    run("--input", tmp_path / "in", "--output", tmp_path / "mattes", "--matting")
    found = np.asarray(read_mask(tmp_path / "mattes/a.png"), np.float32) / 255
    assert np.abs(found - alpha[..., 0]).max() < 0.15
    run("--input", tmp_path / "in", "--output", tmp_path / "cut", "--matting", "--cutout")
    cut = np.asarray(Image.open(tmp_path / "cut/a.png"), int)
    assert np.array_equal(cut[..., 3], np.asarray(read_mask(tmp_path / "mattes/a.png")))
    mixed = (cut[..., 3] > 80) & (cut[..., 3] < 255)
    own, seen, true = cut[..., 2][mixed].mean(), photo[..., 2][mixed].mean(), 10
    assert own - true < 0.6 * (seen - true)
    whole = cut[..., 3] == 255
    assert np.array_equal(cut[whole][:, :3], photo.round()[whole])
    for word in ("--soft", "--refine"):
        with pytest.raises(SystemExit):
            run("--input", tmp_path / "in", "--output", tmp_path / "no", "--matting", word)


def test_mattes_of_nobody_are_empty(tmp_path, red, capsys):
    write_image(Image.new("RGB", (64, 48), (90, 0, 200)), tmp_path / "in/a.png")
    run("--input", tmp_path / "in", "--output", tmp_path / "mattes", "--matting")
    assert not np.asarray(read_mask(tmp_path / "mattes/a.png")).any()
    assert "1 without a person" in capsys.readouterr().out
