"""Blur by a map of radii: between the discs that it mixes, exact at them, and with a gradient to the map."""

import torch
from skimage.data import chelsea

from util.optics.blur import disc_blur
from util.optics.varying import knots, varying_blur

RADII = (1.5, 4.0)


def light() -> torch.Tensor:
    return torch.from_numpy(chelsea()[:48, :64]).permute(2, 0, 1)[None].double() / 255


def test_each_side_has_its_own_disc():
    """0, 1.5, 4 and more than 4 pixels in stripes: the photo, and discs of those radii; beyond the last, the last."""
    x, ones = light(), torch.ones(1, 1, 48, 64, dtype=torch.float64)
    radius = torch.zeros_like(ones)
    radius[..., 16:32], radius[..., 32:48], radius[..., 48:] = 1.5, 4.0, 9.0
    out = varying_blur(x, ones, radius, RADII)
    assert torch.equal(out[..., :16], x[..., :16])
    torch.testing.assert_close(out[..., 16:32], disc_blur(x, ones, 1.5)[..., 16:32])
    torch.testing.assert_close(out[..., 32:], disc_blur(x, ones, 4.0)[..., 32:])


def test_radii_between_are_mixed_and_differentiable():
    x, ones = light(), torch.ones(1, 1, 48, 64, dtype=torch.float64)
    expected = 0.4 * disc_blur(x, ones, 1.5) + 0.6 * disc_blur(x, ones, 4.0)
    torch.testing.assert_close(varying_blur(x, ones, 3.0 * ones, RADII), expected)
    radius = (3.0 * ones).requires_grad_()
    (gradient,) = torch.autograd.grad(varying_blur(x, ones, radius, RADII).sum(), radius)
    slope = (disc_blur(x, ones, 4.0) - disc_blur(x, ones, 1.5)).sum(1, keepdim=True) / 2.5
    torch.testing.assert_close(gradient, slope)


def test_by_default_radii_are_mixed_of_discs_up_to_the_largest_each_larger_by_four_tenths():
    x, ones = light(), torch.ones(1, 1, 48, 64, dtype=torch.float64)
    radius = 3.0 * ones
    radius[..., 32:] = 0.9
    below, above = 0.75 * 1.4**4, 3.0
    assert knots(3.0)[-2:] == [below, above]
    # The largest radius is a disc of its own; 0.9 lies between the first two.
    share = (0.9 - 0.75) / (0.75 * 1.4 - 0.75)
    mixed = (1 - share) * disc_blur(x, ones, 0.75) + share * disc_blur(x, ones, 0.75 * 1.4)
    found = varying_blur(x, ones, radius)
    torch.testing.assert_close(found[..., :32], disc_blur(x, ones, 3.0)[..., :32])
    torch.testing.assert_close(found[..., 32:], mixed[..., 32:])
