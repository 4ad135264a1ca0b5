import numpy as np
import pytest
import torch
from PIL import Image

import datasets.make_groups as make_groups
from datasets.make_groups import Subject, main, placed
from tests.conftest import make_dataroot
from util.errors import UserError


def pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path), np.float32)


def test_groups_are_their_places_but_where_the_mask_says_people(tmp_path):
    """Places are gray, people red before gray: what is red is in the mask, and all else is the place."""
    root = tmp_path / "root"
    mask = np.zeros((60, 40), np.uint8)
    mask[10:, 12:28] = 255
    for kind, photos in (("valA", 3), ("valB", 3)):
        for number in range(photos):
            photo = np.full((60, 40, 3), 128, np.uint8)
            photo[mask > 0] = (220, 20, 20)
            for folder, content in ((kind, photo), (f"mask{kind[-1]}", mask)):
                (root / folder).mkdir(parents=True, exist_ok=True)
                Image.fromarray(content).save(root / folder / f"{kind}_{number}.png")
    words = ["--dataroot", str(root), "--n", "6", "--size", "64", "--output"]
    main([*words, str(tmp_path / "groups")])
    main([*words, str(tmp_path / "again")])
    more = 0
    for number in range(6):
        name = f"group_{number:03d}.png"
        photo, alpha = (pixels(tmp_path / "groups" / folder / name) for folder in ("testA", "matteA"))
        assert photo.shape == (64, 64, 3) and np.array_equal(pixels(tmp_path / "again/testA" / name), photo)
        assert np.array_equal(alpha, pixels(tmp_path / "groups/matteA_2" / name))
        # Relighting keeps red far from gray, and cubic interpolation leaves gray by a little.
        colourful = np.ptp(photo, axis=2) > 60
        assert (colourful == (alpha > 127))[(alpha < 5) | (alpha > 250)].mean() > 0.99
        assert np.abs(photo[alpha == 0] - 128).max() < 12
        more += (alpha > 127).mean() > (mask > 0)[:40].mean()
    assert more == 6


def test_people_come_to_where_they_are_placed():
    mask = torch.zeros(1, 30, 20)
    mask[:, 6:, 8:14] = 1
    subject = Subject(torch.full((3, 30, 20), 0.5), mask)
    assert (subject.trunk, subject.top, subject.length) == (3, 6, 24)
    larger = placed(subject, 2.0, 20, 70, 80)
    rows, columns = (larger.mask[0] > 0.5).nonzero().unbind(1)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 67, 64, 75)
    assert (larger.photo[:, larger.mask[0] == 1] == 0.5).all()
    beyond = placed(subject, 1.0, -10, 0, 80)
    assert beyond.mask.sum() == 14 * 3
    assert placed(subject, 1.0, 0, 200, 80).mask.sum() == 0


def test_people_of_a_group_are_about_as_large_as_each_other(monkeypatch):
    """People 6 and 40 pixels wide join one of 20; of those 400 wide nobody can."""
    subjects = {}
    for width in (6, 20, 40, 400):
        mask = torch.zeros(1, 6 * width, 3 * width)
        mask[:, width:, width : 2 * width] = 1
        subjects[width] = Subject(torch.zeros(3, *mask.shape[1:]), mask)
    monkeypatch.setattr(make_groups, "read", lambda width, square=None: subjects[width])
    frame = torch.zeros(1, 120, 120)
    frame[:, 20:, 50:70] = 1
    subjects[20] = Subject(torch.zeros(3, 120, 120), frame)
    for number in range(5):
        rng = np.random.default_rng(number)
        group = make_groups.make_group(rng, [20], [6, 40], 120)
        added = (group.mask - frame).clamp(min=0)
        assert added.sum() > 0
        widths = (added[0, -1] > 0.5).sum()
        assert 0 < widths <= 7 * 24
        assert abs(int((added[0] > 0.5).any(1).nonzero()[0]) - 20) <= 11
    with pytest.raises(UserError, match="nobody is of a size"):
        make_groups.make_group(np.random.default_rng(0), [20], [400], 120)


def test_photos_without_masks_and_folders_without_photos_are_told(tmp_path, capsys):
    root = make_dataroot(tmp_path / "root", per_domain=2)
    for words, told in ((["--phase", "val"], "valA"), (["--phase", "train"], "no mask for")):
        (root / "maskB/train_0.png").unlink(missing_ok=True)
        with pytest.raises(SystemExit):
            main(["--dataroot", str(root), "--output", str(tmp_path / "out"), *words])
        assert told in capsys.readouterr().err
