import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import prepare
from datasets.prepare import main
from deeplab.segmenter import InputSize, Segmenter
from tests.hard_photos import scene, write_bad_photos, write_good_photos


def photo(seed: int, size: int = 96) -> Image.Image:
    """Random coarse noise: no two seeds look alike."""
    coarse = np.random.default_rng(seed).integers(0, 255, (12, 12, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)


def make_photos(folder: Path, seeds: range) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        photo(seed).save(folder / f"p{seed}.jpg", quality=90)


def run(root: Path, *words: object, workers: int = 0) -> None:
    always = ("--dataroot", root / "out", "--size", 48, "--min_bytes", 0, "--num_workers", workers)
    main([str(word) for word in (*always, *words)])


def report(root: Path, domain: str = "A") -> dict[str, dict[str, str]]:
    with (root / f"out/report_{domain}.csv").open(newline="") as file:
        return {Path(row["photo"]).name: row for row in csv.DictReader(file)}


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_photos_of_every_kind_are_kept_upright_or_listed(tmp_path, capsys):
    sizes = write_good_photos(tmp_path / "in")
    faults = write_bad_photos(tmp_path / "in")
    Image.new("RGB", (1, 1)).save(tmp_path / "in/dot.png")
    run(tmp_path, "--input_A", tmp_path / "in", "--split", 1, 0, 0, workers=2)
    rows = report(tmp_path)
    assert {name for name, row in rows.items() if row["status"] == "kept"} == set(sizes)
    assert rows["dot.png"]["status"] == "too small"
    out = capsys.readouterr().out
    for name, fault in faults.items():
        assert rows[name]["status"] == "unreadable" and fault in rows[name]["detail"]
        aside = tmp_path / "out/unreadable/A" / name
        assert aside.read_bytes() == (tmp_path / "in" / name).read_bytes()
        assert any(name in line and fault in line for line in out.splitlines())
    for name, size in sizes.items():
        assert (int(rows[name]["width"]), int(rows[name]["height"])) == size
        with Image.open(tmp_path / "out/trainA" / f"{Path(name).stem}.png") as image:
            assert image.mode == "RGB" and image.size == (48, 48)
            pixels = np.asarray(image)
        assert pixels[:, :20, 0].max() < 40 and pixels[:, 28:, 0].min() > 215, name  # red on the right
    assert len(list((tmp_path / "in").iterdir())) == len(sizes) + len(faults) + 1


def test_a_link_that_leads_nowhere_is_listed(tmp_path, capsys):
    make_photos(tmp_path / "in", range(2))
    (tmp_path / "in/link.jpg").symlink_to("nowhere.jpg")
    for _ in range(2):
        run(tmp_path, "--input_A", tmp_path / "in")
        assert report(tmp_path)["link.jpg"]["status"] == "unreadable"
        assert "link.jpg: can't be read (No such file or directory)" in capsys.readouterr().out
    photo(2).save(tmp_path / "in/nowhere.jpg")
    run(tmp_path, "--input_A", tmp_path / "in")
    assert report(tmp_path)["link.jpg"]["status"] in ("kept", "duplicate")


def test_duplicates_keep_the_best_copy_across_domains(tmp_path):
    make_photos(tmp_path / "a", range(4))
    make_photos(tmp_path / "b", range(4, 8))
    shutil.copy(tmp_path / "a/p0.jpg", tmp_path / "a/same.jpg")
    photo(1).save(tmp_path / "a/worse.jpg", quality=40)
    photo(2).resize((64, 64)).save(tmp_path / "b/smaller.png")
    run(tmp_path, "--input_A", tmp_path / "a", "--input_B", tmp_path / "b")
    rows = {**report(tmp_path, "A"), **report(tmp_path, "B")}
    expected = {"same.jpg": "p0.jpg", "worse.jpg": "p1.jpg", "smaller.png": "p2.jpg"}
    found = {name: Path(r["detail"]).name for name, r in rows.items() if r["status"] == "duplicate"}
    assert found == expected
    run(tmp_path, "--input_A", tmp_path / "a", "--input_B", tmp_path / "b", "--max_distance", -1)
    rows = {**report(tmp_path, "A"), **report(tmp_path, "B")}
    assert [name for name, row in rows.items() if row["status"] == "duplicate"] == ["same.jpg"]


def test_split_is_exact_seeded_and_calm(tmp_path):
    make_photos(tmp_path / "in", range(20))
    shares = ("--split", 0.7, 0.1, 0.2)
    run(tmp_path, "--input_A", tmp_path / "in", *shares)
    first = {name: row["output"] for name, row in report(tmp_path).items()}
    count = {phase: len(list((tmp_path / f"out/{phase}A").glob("*"))) for phase in ("train", "val", "test")}
    assert count == {"train": 14, "val": 2, "test": 4}
    make_photos(tmp_path / "in", range(20, 22))
    run(tmp_path, "--input_A", tmp_path / "in", *shares)
    second = {name: row["output"] for name, row in report(tmp_path).items()}
    assert sum(first[name] != second[name] for name in first) <= 3
    run(tmp_path, "--input_A", tmp_path / "in", *shares, "--seed", 1)
    third = {name: row["output"] for name, row in report(tmp_path).items()}
    assert sum(second[name] != third[name] for name in second) > 3
    made = {name for name in tree(tmp_path / "out") if name.endswith(".png")}
    assert made == set(third.values())  # nothing is left where it no longer belongs


@pytest.mark.parametrize(("kind", "workers"), [("png", 2), ("jpg", 0)])
def test_twice_and_from_scratch_gives_the_same_bytes(tmp_path, kind, workers):
    make_photos(tmp_path / "in", range(6))
    write_bad_photos(tmp_path / "in")
    run(tmp_path, "--input_A", tmp_path / "in", "--format", kind)
    first = tree(tmp_path / "out")
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "out/trainA").iterdir()}
    run(tmp_path, "--input_A", tmp_path / "in", "--format", kind)
    assert tree(tmp_path / "out") == first
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "out/trainA").iterdir()} == times
    shutil.rmtree(tmp_path / "out")
    run(tmp_path, "--input_A", tmp_path / "in", "--format", kind, workers=workers)
    assert tree(tmp_path / "out") == first


def test_a_stopped_run_goes_on(tmp_path, monkeypatch, capsys):
    make_photos(tmp_path / "in", range(8))
    run(tmp_path, "--input_A", tmp_path / "in")
    whole = tree(tmp_path / "out")
    shutil.rmtree(tmp_path / "out")
    written, examined = [], []
    real_write, real_examine = prepare.write_fitted, prepare.examine

    def stops(task, fit):
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(task)
        return real_write(task, fit)

    def counts(path):
        examined.append(path)
        return real_examine(path)

    monkeypatch.setattr(prepare, "write_fitted", stops)
    monkeypatch.setattr(prepare, "examine", counts)
    with pytest.raises(SystemExit) as end:
        run(tmp_path, "--input_A", tmp_path / "in")
    assert end.value.code == 130 and "stopped" in capsys.readouterr().err
    with (tmp_path / "out/.prepare.jsonl").open("a") as file:
        file.write('["written", "trainA/p')  # killed in the middle of a line
    monkeypatch.setattr(prepare, "write_fitted", lambda *a, **k: written.append(a) or real_write(*a, **k))
    run(tmp_path, "--input_A", tmp_path / "in")
    assert len(examined) == 8 and len(written) == 8
    after = tree(tmp_path / "out")
    assert {k: v for k, v in after.items() if k != ".prepare.jsonl"} == {
        k: v for k, v in whole.items() if k != ".prepare.jsonl"
    }


def test_other_options_make_everything_anew_and_leave_the_other_domain(tmp_path):
    make_photos(tmp_path / "a", range(3))
    make_photos(tmp_path / "b", range(3, 6))
    run(tmp_path, "--input_A", tmp_path / "a", "--input_B", tmp_path / "b")
    run(tmp_path, "--input_A", tmp_path / "a", "--size", 32, "--keep_aspect")
    for path in (tmp_path / "out").glob("*A/*"):
        assert Image.open(path).size == (32, 32)
    assert len(list((tmp_path / "out").glob("*B/*.png"))) == 3


def test_same_names_in_subfolders_stay_apart(tmp_path):
    for i, name in enumerate(("x/1.jpg", "y/1.jpg", "x_1.jpg", "x_1.png")):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        photo(i).save(tmp_path / "in" / name)
    run(tmp_path, "--input_A", tmp_path / "in", "--split", 1, 0, 0)
    names = sorted(path.stem for path in (tmp_path / "out/trainA").iterdir())
    assert len(names) == 4 and names[0] == "x_1" and names[3] == "y_1"


class BrightSegmenter(Segmenter):
    """Takes what is brighter than 200 in all channels for a person."""

    input_size = InputSize(50, keep_aspect=False)

    def predict(self, images: np.ndarray) -> np.ndarray:
        return (images.min(axis=3) > 200).astype(np.float32)


def test_photos_without_a_person_or_with_a_small_one_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "create_segmenter", lambda *_: BrightSegmenter())
    for side in (0, 10, 30, 60):  # 0, 1, 9 and 36% of the photo
        image = Image.eval(photo(side, 100), lambda v: v // 2)
        image.paste((255, 255, 255), (20, 20, 20 + side, 20 + side))
        (tmp_path / "in").mkdir(exist_ok=True)
        image.save(tmp_path / f"in/{side}.png")
    run(tmp_path, "--input_A", tmp_path / "in", "--require_person")
    status = {name: row["status"] for name, row in report(tmp_path).items()}
    assert status == {"0.png": "no person", "10.png": "no person", "30.png": "kept", "60.png": "kept"}
    monkeypatch.setattr(prepare, "create_segmenter", None)  # what was seen once is not looked at again
    run(tmp_path, "--input_A", tmp_path / "in", "--require_person", "--min_subject", 0.2)
    assert report(tmp_path)["30.png"]["detail"] == "9.0% of the photo"


def test_a_blur_report_leaves_out_what_its_domain_does_not_want(tmp_path):
    make_photos(tmp_path / "a", range(4))
    make_photos(tmp_path / "b", range(10, 14))
    kinds = {"a": ("sharp", "shallow", "soft", "between"), "b": ("sharp", "shallow", "soft", "between")}
    lines = ["photo,kind,sure"]
    for folder, first in (("a", 0), ("b", 10)):
        lines += [
            f"{tmp_path / folder / f'p{first + i}.jpg'},{kind},1" for i, kind in enumerate(kinds[folder])
        ]
    make_photos(tmp_path / "a", range(4, 5))
    (tmp_path / "blur.csv").write_text("\n".join(lines))
    words = ("--input_A", tmp_path / "a", "--input_B", tmp_path / "b", "--blur_report", tmp_path / "blur.csv")
    run(tmp_path, *words)
    kept = [{name for name, row in report(tmp_path, d).items() if row["status"] == "kept"} for d in "AB"]
    assert kept == [{"p0.jpg", "p4.jpg"}, {"p11.jpg", "p13.jpg"}]
    assert report(tmp_path)["p1.jpg"]["status"] == "other blur"
    assert report(tmp_path)["p1.jpg"]["detail"] == "shallow"


@pytest.mark.parametrize(
    ("text", "message"), [("name\nx\n", "not a report"), ("photo,kind\nx,sharp\n", "none of")]
)
def test_a_wrong_blur_report_ends_in_one_line(tmp_path, capsys, text, message):
    make_photos(tmp_path / "a", range(1))
    (tmp_path / "blur.csv").write_text(text)
    with pytest.raises(SystemExit):
        run(tmp_path, "--input_A", tmp_path / "a", "--blur_report", tmp_path / "blur.csv")
    assert message in capsys.readouterr().err


def test_table_counts_every_photo_once(tmp_path, capsys):
    make_photos(tmp_path / "in", range(10))
    scene(20, 20).save(tmp_path / "in/small.png")
    run(tmp_path, "--input_A", tmp_path / "in", "--split", 0.5, 0.2, 0.3)
    lines = capsys.readouterr().out.splitlines()[-9:]
    table = {line[:12].strip(): int(line[12:]) for line in lines}
    assert table == {
        "kept": 10, "train": 5, "val": 2, "test": 3, "duplicate": 0, "too small": 1, "unreadable": 0, "no person": 0,
        "other blur": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--dataroot", "R"], "--input_A, --input_B or both"),
        (["--dataroot", "file", "--input_A", "in"], "file: File exists"),
        (["--dataroot", "R", "--input_A", "missing"], "missing: no such folder"),
        (["--dataroot", "in/out", "--input_A", "in"], "lies inside in"),
        (["--dataroot", ".", "--input_B", "trainB/new"], "would overwrite trainB/new"),
        (["--dataroot", "R", "--input_A", "in", "--input_B", "./in"], "share photos"),
        (["--dataroot", "R", "--input_A", "in/b", "--input_B", "in"], "share photos"),
        (["--dataroot", "R", "--input_A", "in", "--split", "0.9", "0.2", "0.1"], "add up to 1"),
        (
            ["--dataroot", "R", "--input_A", "in", "--split", "nan", "0", "1"],
            "--split nan: must be between 0 and 1",
        ),
        (["--dataroot", "R", "--input_A", "in"], "no photos in in"),
    ],
)
def test_wrong_command_lines_end_in_one_line(tmp_path, monkeypatch, words, message, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as end:
        main([*words, "--num_workers", "0"])
    error = capsys.readouterr().err
    assert end.value.code == 2 and message in error and error.count("\n") == 1
