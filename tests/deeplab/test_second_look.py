"""People whom a segmenter passes over, found by a look at the photo without the others."""

import numpy as np

from deeplab.second_look import with_passed_over

PEOPLE = {  # rows and columns, and how bright they are
    "in front": (slice(40, 100), slice(10, 40), 250),
    "beside": (slice(30, 100), slice(40, 70), 200),
    "far behind": (slice(10, 30), slice(120, 140), 160),
    "a stranger": (slice(10, 18), slice(80, 88), 180),
}
LEAST_BRIGHT = 140


def photo_of(*names):
    photo = np.full((100, 150, 3), 60, np.uint8)
    for name in names:
        rows, columns, light = PEOPLE[name]
        photo[rows, columns] = light
    return photo


def mask_of(*names):
    return (photo_of(*names)[..., 0] > LEAST_BRIGHT).astype(np.float32)


class SeesTheBrightest:
    """A segmenter that passes over all but the brightest person."""

    def __init__(self):
        self.looks = 0

    def __call__(self, photo):
        self.looks += 1
        gray = photo[..., 0]
        return ((gray == gray.max()) & (gray > LEAST_BRIGHT)).astype(np.float32)


def found_by(look, photo):
    return with_passed_over(photo, look(photo), look)


def test_those_beside_and_behind_are_found_one_after_the_other():
    assert np.array_equal(found_by(SeesTheBrightest(), photo_of("in front")), mask_of("in front"))
    everybody = ("in front", "beside", "far behind")
    for names in (everybody[:2], everybody):
        assert np.array_equal(found_by(SeesTheBrightest(), photo_of(*names)), mask_of(*names))


def test_strangers_are_much_smaller_and_stay_out():
    photo = photo_of("in front", "a stranger")
    assert np.array_equal(found_by(SeesTheBrightest(), photo), mask_of("in front"))


def test_it_looks_no_longer_than_somebody_is_found():
    for photo, looks in ((photo_of(), 1), (photo_of("beside"), 2), (photo_of("beside", "far behind"), 4)):
        look = SeesTheBrightest()
        found_by(look, photo)
        assert look.looks == looks


def test_gray_silhouettes_are_nobody_new():
    """A segmenter that sees them as they are painted, a little too wide, and takes the gap between two for a third."""
    photo, mask = photo_of("in front"), mask_of("in front")

    def look(shown):
        gray = shown[..., 0] == 127
        wide = np.zeros(mask.shape, np.float32)
        wide[39:, 9:41] = gray.any()
        wide[90:, 23:26] = gray.any()
        return wide

    mask[90:, 23:26] = 0
    assert np.array_equal(with_passed_over(photo, mask, look), mask)


def test_what_one_of_two_looks_sees_is_nobody():
    photo = photo_of("in front", "far behind")

    def look(shown):
        seen = mask_of("in front") * (shown[..., 0] != 127)
        rows, columns, _ = PEOPLE["far behind"]
        seen[rows, columns] = 0.8
        return seen

    found = with_passed_over(photo, mask_of("in front"), look)
    assert np.array_equal(found, mask_of("in front"))
