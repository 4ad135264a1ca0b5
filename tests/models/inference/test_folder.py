"""Photos in which nobody is found, and results that are written behind."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
from PIL import Image

from models.inference import write_behind
from models.inference.folder import translate_folder
from models.inference.translator import Sources
from models.inference.write_behind import WriteBehind
from util.errors import UserError
from util.images import Metadata


class Inverter:
    at_once = 1

    def batch(self, photos, told):
        return [255 - photo for photo in photos]


def test_photos_without_a_person_are_left_as_they_are_and_listed(tmp_path, capsys):
    weights = tmp_path / "weights.pth"
    weights.touch()
    photo = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    (tmp_path / "photos").mkdir()
    for name in ("a", "b", "c"):
        Image.fromarray(photo).save(tmp_path / "photos" / f"{name}.png")

    def mask_of(path, pixels):
        mask = np.full(pixels.shape[:2], 0.4, np.float32)
        mask[2, 3] = 0.4 if path.stem == "b" else 0.6
        return mask

    for masks in (mask_of, None):
        translate_folder(
            Inverter(),
            weights,
            tmp_path / "photos",
            tmp_path / "soft",
            2,
            overwrite=True,
            sources=Sources(masks),
        )
        results = {
            name: np.asarray(Image.open(tmp_path / "soft" / f"{name}.png")) for name in ("a", "b", "c")
        }
        for name, result in results.items():
            expected = photo if masks and name == "b" else 255 - photo
            np.testing.assert_array_equal(result, expected)
    listed = [line for line in capsys.readouterr().out.splitlines() if "nobody found" in line]
    assert listed == [
        f"nobody found, left as it is: {tmp_path / 'photos' / 'b.png'}",
        "nobody found in 1 of 3 photos",
    ]


def test_results_are_written_behind_few_at_a_time_and_the_bad_ones_listed(tmp_path):
    """The second can't be written: JPEG has no 16 bits. To take the third, the first has to be done."""
    pixels = np.zeros((2, 2, 3), np.uint8)
    go_on, refused = Event(), []
    with ThreadPoolExecutor(1) as pool:
        pool.submit(go_on.wait)
        writer = WriteBehind(pool, 2, refused)
        writer.write(tmp_path / "photo0", pixels, tmp_path / "0.png", Metadata())
        writer.write(tmp_path / "photo1", pixels.astype(np.uint16), tmp_path / "1.jpg", Metadata())
        assert not (tmp_path / "0.png").exists()
        go_on.set()
        writer.write(tmp_path / "photo2", pixels, tmp_path / "2.png", Metadata())
        assert (tmp_path / "0.png").exists()
        writer.finish()
    assert (tmp_path / "2.png").exists()
    (line,) = refused
    assert line.startswith(f"{tmp_path / 'photo1'}: ")
    assert "16 bits" in line


def test_what_stops_every_photo_is_raised(tmp_path, monkeypatch):
    def full(*_):
        raise UserError("no space left") from OSError(28, "No space left on device")

    monkeypatch.setattr(write_behind, "write_pixels", full)
    with ThreadPoolExecutor(1) as pool:
        writer = WriteBehind(pool, 2, [])
        writer.write(tmp_path / "a", np.zeros((1, 1, 3), np.uint8), tmp_path / "a.png", Metadata())
        with pytest.raises(UserError, match="no space left"):
            writer.finish()
