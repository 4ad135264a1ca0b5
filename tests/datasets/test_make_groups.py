import numpy as np
import pytest
from PIL import Image

from datasets.make_groups import main
from tests.conftest import make_dataroot


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


def test_photos_without_masks_and_folders_without_photos_are_told(tmp_path, capsys):
    root = make_dataroot(tmp_path / "root", per_domain=2)
    for words, told in ((["--phase", "val"], "valA"), (["--phase", "train"], "no mask for")):
        (root / "maskB/train_0.png").unlink(missing_ok=True)
        with pytest.raises(SystemExit):
            main(["--dataroot", str(root), "--output", str(tmp_path / "out"), *words])
        assert told in capsys.readouterr().err
