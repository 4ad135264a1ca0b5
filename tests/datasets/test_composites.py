import numpy as np

from datasets import composites
from datasets.composites import make_composite
from util.optics.arrays import srgb_to_linear


def test_a_composite_is_its_parts(monkeypatch):
    monkeypatch.setattr(composites, "NOISE", 0)
    monkeypatch.setattr(composites, "as_jpeg", lambda photo: photo)
    made = make_composite(np.random.default_rng(3), 160)
    assert (made.hair <= made.alpha + 1e-6).all() and 100 < (made.hair > 0.1).sum() < 0.1 * made.alpha.size
    assert (made.alpha == 1).sum() > 1000 < (made.alpha == 0).sum()
    assert np.array_equal(made.photo[made.alpha == 0], made.behind[made.alpha == 0])
    # Strands are dark, and what they share with the background is shared in light, not in sRGB values.
    strands = (made.hair > 0.3) & (made.hair < 0.7)
    light, behind = (srgb_to_linear(x[strands] / 255) for x in (made.photo, made.behind))
    color = (light - (1 - made.alpha[strands, None]) * behind) / made.alpha[strands, None]
    assert np.abs(color - np.median(color, axis=0)).mean() < 0.05


def test_backgrounds_and_numbers_decide_what_is_made():
    gray = np.full((90, 120, 3), 128, np.uint8)
    first, again, other = (
        make_composite(np.random.default_rng(seed), 128, backgrounds=[gray]) for seed in (5, 5, 6)
    )
    assert np.array_equal(first.photo, again.photo) and not np.array_equal(first.photo, other.photo)
    far = first.alpha == 0
    assert np.abs(np.median(first.photo[far], axis=0) - 128).max() <= 2
