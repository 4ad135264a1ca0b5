"""Photos in which nobody is found."""

import numpy as np
from PIL import Image

from models.inference.folder import translate_folder


class Inverter:
    def batch(self, photos, masks=None, depths=None):
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
            Inverter(), weights, tmp_path / "photos", tmp_path / "soft", 2, overwrite=True, mask_of=masks
        )
        results = {
            name: np.asarray(Image.open(tmp_path / "soft" / f"{name}.png")) for name in ("a", "b", "c")
        }
        for name, result in results.items():
            expected = photo if masks and name == "b" else 255 - photo
            np.testing.assert_array_equal(result, expected)
    listed = [line for line in capsys.readouterr().out.splitlines() if "nobody found" in line]
    assert listed == [f"nobody found, left as it is: {tmp_path / 'photos' / 'b.png'}"]
