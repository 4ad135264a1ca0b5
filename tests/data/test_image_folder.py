"""The scan: every kind of bad file is found, good ones pass, and nothing is read twice."""

import os
import pickle
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data import file_check
from data.image_folder import PhotoFolder, scan_folders
from tests.data.coordinate_photos import coordinates, options, save
from util.errors import UserError


def folders(dataroot: Path, **changes) -> list[PhotoFolder]:
    opt = options(dataroot, **changes)
    return [PhotoFolder.of_domain(opt, letter, 3) for letter in "AB"]


def problems(dataroot: Path, **changes) -> str:
    with pytest.raises(UserError) as error:
        scan_folders(dataroot, folders(dataroot, **changes))
    return str(error.value)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_good_photos_come_with_sizes_and_masks_in_order(dataroot):
    photos_A, photos_B = scan_folders(dataroot, folders(dataroot))
    assert [photo.path.name for photo in photos_A] == [f"A{number}.png" for number in range(5)]
    assert {photo.size for photo in photos_A} == {(60, 48)} and {photo.size for photo in photos_B} == {
        (40, 56)
    }
    assert [photo.mask for photo in photos_B] == [
        dataroot / "maskB" / f"B{number}.png" for number in range(3)
    ]


def overwrite_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle - 5 : middle + 5] = b"\xff" * 10
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "said", "advice"),
    [
        (lambda d: (d / "maskA/A1.png").unlink(), "trainA/A1.png: no mask", "--dataroot {}"),
        (
            lambda d: save(np.zeros((48, 60), np.uint8), d / "maskA/A1.png"),
            "A1.png: no subject",
            "--drop_empty",
        ),
        (
            lambda d: save(np.ones((48, 60), np.uint8), d / "maskA/A1.png"),
            "A1.png: no subject",
            "--drop_empty",
        ),
        (
            lambda d: save(np.full((60, 48), 255, np.uint8), d / "maskA/A1.png"),
            "48 x 60 px, but its photo",
            "--overwrite",
        ),
        (lambda d: (d / "maskA/A1.png").write_bytes(b""), "maskA/A1.png: the file is empty", "--overwrite"),
        (lambda d: cut_short(d / "maskA/A1.png"), "maskA/A1.png: can't be decoded", "--overwrite"),
        (lambda d: overwrite_middle(d / "maskA/A1.png"), "maskA/A1.png: can't be decoded", "--overwrite"),
        (
            lambda d: (d / "trainA/A1.png").write_bytes(b""),
            "trainA/A1.png: the file is empty",
            "remove or replace",
        ),
        (
            lambda d: (d / "trainA/A1.png").write_text("<html>"),
            "trainA/A1.png: not an image",
            "remove or replace",
        ),
        (lambda d: cut_short(d / "trainA/A1.png"), "trainA/A1.png: can't be decoded", "remove or replace"),
        (lambda d: save(coordinates(60, 48), d / "trainA/more/A1.png"), "the same name as another", "rename"),
    ],
    ids=[
        "no",
        "black",
        "ones",
        "turned",
        "void",
        "cut",
        "damaged",
        "photo-void",
        "photo-html",
        "photo-cut",
        "twice",
    ],
)
def test_each_kind_of_problem_is_named_with_its_advice(dataroot, spoil, said, advice):
    spoil(dataroot)
    message = problems(dataroot)
    assert said in message and advice.format(dataroot) in message.splitlines()[-1]


def test_one_error_lists_ten_problems_and_counts_all(dataroot):
    for number in range(12):
        save(coordinates(20, 20, number), dataroot / "trainB" / f"new{number:02}.png")
    (dataroot / "trainA" / "A0.png").write_bytes(b"")
    lines = problems(dataroot).splitlines()
    assert lines[0] == f"{dataroot}: 13 problems in 28 photos and masks:"
    assert len([line for line in lines if ".png: " in line]) == 10 and lines[11] == "  and 3 more"
    assert lines[12:] == [
        "remove or replace files that can't be read",
        f"make missing masks: python deeplab/inference.py --dataroot {dataroot}",
    ]


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_sizes_are_compared_upright(dataroot, suffix):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter: 30 x 20 in the file, 20 x 30 upright
    Image.fromarray(coordinates(30, 20)).save(dataroot / "trainA" / f"turned.{suffix}", exif=exif)
    save(np.full((30, 20), 255, np.uint8), dataroot / "maskA" / "turned.png")
    photos, _ = scan_folders(dataroot, folders(dataroot))
    assert photos[-1].size == (20, 30)
    save(np.full((20, 30), 255, np.uint8), dataroot / "maskA" / "turned.png")
    assert "30 x 20 px, but its photo" in problems(dataroot)


def test_commands_can_be_pasted_whatever_the_folder_is_called(dataroot):
    odd = dataroot.rename(dataroot.with_name(f"{dataroot.name}, Anna's; 1"))
    (odd / "maskA/A1.png").unlink()
    *_, command = problems(odd).splitlines()
    words = shlex.split(command.partition(": ")[2])
    assert words == ["python", "deeplab/inference.py", "--dataroot", str(odd)]


def test_optional_masks_may_be_missing_or_empty_but_not_broken(dataroot):
    (dataroot / "maskA" / "A0.png").unlink()
    save(np.zeros((48, 60), np.uint8), dataroot / "maskA" / "A1.png")
    photos, _ = scan_folders(dataroot, folders(dataroot, mask_policy="optional"))
    assert [photo.mask is None for photo in photos] == [True, False, False, False, False]
    cut_short(dataroot / "maskA" / "A2.png")
    assert "maskA/A2.png: can't be decoded" in problems(dataroot, mask_policy="optional")
    photos, _ = scan_folders(dataroot, folders(dataroot, mask_policy="none"))
    assert not any(photo.mask for photo in photos)


def test_missing_and_empty_folders(dataroot):
    assert "valA: no such folder; check --dataroot and --phase" in problems(dataroot, phase="val")
    (dataroot / "valA").mkdir()
    assert "valA: no images in there" in problems(dataroot, phase="val")


def test_limit_takes_the_first_and_leaves_the_others_unchecked(dataroot):
    (dataroot / "trainA" / "A4.png").write_bytes(b"")
    found = scan_folders(dataroot, folders(dataroot), limit=2)
    assert [[photo.path.stem for photo in photos] for photos in found] == [["A0", "A1"], ["B0", "B1"]]


def test_only_files_that_changed_are_read_again(dataroot, monkeypatch):
    read = []
    check_file = file_check.check_file
    monkeypatch.setattr(
        file_check, "check_file", lambda task: read.append(Path(task[0]).name) or check_file(task)
    )
    first = scan_folders(dataroot, folders(dataroot))
    assert len(read) == 16
    read.clear()
    assert scan_folders(dataroot, folders(dataroot)) == first and read == []
    save(np.zeros((48, 60), np.uint8), dataroot / "maskA" / "A3.png")
    os.utime(dataroot / "trainB" / "B1.png")
    (dataroot / "trainA" / "A0.png").write_bytes(b"")
    for expected in (["A0.png", "A3.png", "B1.png"], ["A0.png"]):  # what can't be read is not remembered
        read.clear()
        assert "2 problems" in problems(dataroot)
        assert sorted(read) == expected
    (dataroot / ".scan.npy").write_text("broken")
    read.clear()
    problems(dataroot)
    assert len(read) == 16


def test_a_dataroot_can_be_moved_without_being_read_again(dataroot, monkeypatch):
    scan_folders(dataroot, folders(dataroot))
    moved = dataroot.rename(dataroot.with_name(f"{dataroot.name} moved"))
    monkeypatch.setattr(file_check, "check_file", lambda task: pytest.fail(f"{task} is read again"))
    photos, _ = scan_folders(moved, folders(moved))
    assert photos[0].mask == moved / "maskA/A0.png"


def test_what_is_known_of_one_folder_stays_when_another_is_scanned(dataroot, monkeypatch):
    for folder in folders(dataroot):
        scan_folders(dataroot, [folder])
    monkeypatch.setattr(file_check, "check_file", lambda task: pytest.fail(f"{task} is read again"))
    assert [len(photos) for photos in scan_folders(dataroot, folders(dataroot))] == [5, 3]


def test_a_thousand_photos_are_kept_in_little_memory(dataroot):
    """Not an object each: a photo, its mask and their sizes take as much as their names and some numbers."""
    photos, _ = scan_folders(dataroot, folders(dataroot))
    assert len(pickle.dumps(photos[:4])) - len(pickle.dumps(photos[:3])) < 60
    assert photos[1:3] == list(photos)[1:3] and photos != photos[1:]


def test_processes_find_what_one_finds(dataroot, monkeypatch):
    cut_short(dataroot / "trainB" / "B2.png")
    alone = problems(dataroot)
    (dataroot / ".scan.npy").unlink()
    monkeypatch.setattr(file_check, "PARALLEL_FROM", 1)
    assert problems(dataroot) == alone


@pytest.mark.parametrize("kind", ["gray", "bilevel", "16-bit", "cut-out", "jpeg", "palette"])
def test_empty_masks_of_every_kind_are_found(dataroot, kind):
    subject = np.zeros((48, 60), np.uint8)
    path = dataroot / "maskA" / "A2.png"
    for peak, accepted in ((0, False), (255, True)):
        subject[10:30, 10:30] = peak
        image = Image.fromarray(subject)
        if kind == "bilevel":
            image = image.convert("1")
        elif kind == "16-bit":
            image = Image.fromarray(subject.astype(np.uint16) * 257)
        elif kind == "cut-out":
            image = Image.merge("RGBA", [Image.new("L", image.size, 200)] * 3 + [image])
        elif kind == "palette":
            image = image.convert("P")
        elif kind == "jpeg":
            path.unlink(missing_ok=True)
            path = path.with_suffix(".jpg")
        image.save(path)
        if accepted:
            assert scan_folders(dataroot, folders(dataroot))[0][2].mask == path
        else:
            assert f"{path}: no subject" in problems(dataroot)


def test_masks_that_are_subject_everywhere_are_listed(dataroot, capsys):
    for path in sorted((dataroot / "maskA").iterdir()):
        mask = np.full((48, 60), 255, np.uint8)
        mask[0, 0] = 0
        save(mask, path)
    save(np.full((48, 60), 255, np.uint8), dataroot / "maskA/A1.png")
    for _ in range(2):
        scan_folders(dataroot, folders(dataroot)[:1])
        said = capsys.readouterr().err
        assert "1 masks are subject everywhere" in said and "maskA/A1.png" in said and "A2.png" not in said


def test_masks_that_are_neither_black_nor_white_are_listed(dataroot, capsys):
    """A photo's luma, or classes that went through it; a soft edge is none of that."""
    for path in sorted((dataroot / "maskA").iterdir()):
        mask = np.full((48, 60), 255, np.uint8)
        mask[:, :24] = 0
        mask[:, 24:30] = np.linspace(0, 255, 6, dtype=np.uint8)
        save(mask, path)
    gray = np.full((48, 60), 150, np.uint8)
    gray[:8] = 0
    save(gray, dataroot / "maskA/A1.png")
    scan_folders(dataroot, folders(dataroot)[:1])
    said = capsys.readouterr().err
    assert "1 masks are neither black nor white" in said and "maskA/A1.png" in said and "A2.png" not in said


def test_depths_are_checked_where_there_are_some(dataroot):
    """One for each photo, of its size, and not the same everywhere; without the folder none is wanted."""
    scan_folders(dataroot, folders(dataroot, reads_depth=True))
    for number in range(5):
        save(np.arange(48 * 60, dtype=np.uint16).reshape(48, 60), dataroot / f"depthA/A{number}.png")
    photos_A, photos_B = scan_folders(dataroot, folders(dataroot, reads_depth=True))
    assert [photo.depth for photo in photos_A] == [dataroot / f"depthA/A{n}.png" for n in range(5)]
    assert {photo.depth for photo in photos_B} == {None}
    (dataroot / "depthA/A1.png").unlink()
    save(np.full((48, 60), 7, np.uint8), dataroot / "depthA/A2.png")
    save(np.arange(60 * 48, dtype=np.uint16).reshape(60, 48), dataroot / "depthA/A3.png")
    cut_short(dataroot / "depthA/A4.png")
    message = problems(dataroot, reads_depth=True)
    assert "4 problems" in message
    assert f"trainA/A1.png: no depth {dataroot}/depthA/A1.png" in message
    assert "depthA/A2.png: the same depth everywhere" in message
    assert "depthA/A3.png: 48 x 60 px, but its photo" in message and "depthA/A4.png: can't be" in message
    assert f"python deeplab/depth.py --dataroot {dataroot}" in message
    scan_folders(dataroot, folders(dataroot))
