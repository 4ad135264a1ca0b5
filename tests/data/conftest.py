"""The dataset that the tests of this folder share."""

from pathlib import Path

import pytest

from tests.data.coordinate_photos import coordinates, save


@pytest.fixture
def dataroot(tmp_path) -> Path:
    """Five photos A of 60 x 48 and three B of 40 x 56 pixels.

    Blue is 10, 11, ... in A and 20, 21, ... in B; masks are half their photo's red plus 150, so never empty.
    """
    for letter, count, size in (("A", 5, (60, 48)), ("B", 3, (40, 56))):
        for number in range(count):
            photo = coordinates(*size, blue=(10 if letter == "A" else 20) + number)
            save(photo, tmp_path / f"train{letter}" / f"{letter}{number}.png")
            save(photo[..., 0] // 2 + 150, tmp_path / f"mask{letter}" / f"{letter}{number}.png")
    return tmp_path
