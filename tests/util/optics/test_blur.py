"""The lens: its light, its discs and the pictures that it makes, against numpy, OpenCV and closed forms."""

import cv2
import numpy as np
import pytest
import torch
from skimage.data import chelsea

from deeplab.smoothing import disc_blur as disc_blur_of_smoothing
from util.optics import arrays as numpy_lens
from util.optics.blur import convolve, disc_blur, render
from util.optics.discs import disc_kernels
from util.optics.light import linear_to_srgb, srgb_to_linear


def photo(side: int = 96) -> np.ndarray:
    """Part of a photograph of a cat, uint8 [side,side,3]."""
    return np.ascontiguousarray(chelsea()[60 : 60 + side, 120 : 120 + side])


def as_tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image.transpose(2, 0, 1).astype(np.float32)).div(127.5).sub(1)[None]


def test_light_is_that_of_the_numpy_version():
    values = np.linspace(0, 1, 1001, dtype=np.float32)
    assert np.allclose(srgb_to_linear(torch.from_numpy(values)), numpy_lens.srgb_to_linear(values), atol=1e-6)
    assert np.allclose(linear_to_srgb(torch.from_numpy(values)), numpy_lens.linear_to_srgb(values), atol=1e-6)


@pytest.mark.parametrize("radius", [0.3, 2, 5.5, 12])
def test_disc_is_a_convolution(radius):
    image = photo(40).astype(np.float32) / 255
    kernels = disc_kernels(torch.tensor([radius]), radius)
    ours = convolve(torch.from_numpy(image.transpose(2, 0, 1))[None], kernels)[0].numpy()
    truth = cv2.filter2D(image, -1, numpy_lens.disc_kernel(radius), borderType=cv2.BORDER_CONSTANT)
    assert np.allclose(ours.transpose(1, 2, 0), truth, atol=1e-5)


def test_disc_larger_than_the_picture():
    assert torch.allclose(
        disc_blur(torch.full((1, 3, 5, 7), 0.3), torch.ones(1, 1, 5, 7), 11.0), torch.tensor(0.3)
    )


def test_large_discs_on_small_copies_stay_close_to_the_true_disc():
    image = torch.from_numpy(chelsea()[:256, :256].transpose(2, 0, 1).astype(np.float32) / 255)[None]
    ones = torch.ones(1, 1, 256, 256)
    kernels = disc_kernels(torch.tensor([20.0]), 20.0)
    direct = convolve(image, kernels) / convolve(ones, kernels)
    assert (disc_blur(image, ones, 20.0) - direct).abs().max() < 0.01


def test_nothing_of_the_subject_bleeds():
    """A white subject on black: the background stays black, up to the subject's very edge."""
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 20:44, 20:44] = 1
    white_on_black = (2 * mask - 1).expand(1, 3, 64, 64)
    out = render(white_on_black, torch.cat([mask, (1 - mask) / 2, (1 - mask) / 2], dim=1), [4.0, 15.0])
    assert torch.allclose(out, white_on_black, atol=1e-5)


def test_render_is_the_disc_blur_behind_a_mask():
    image = photo()
    mask = np.zeros((96, 96), np.float32)
    mask[30:80, 25:70] = 1
    m = torch.from_numpy(mask)[None, None]
    out = render(as_tensor(image), torch.cat([m, 1 - m], dim=1), [6.0])[0].numpy().transpose(1, 2, 0)
    truth = disc_blur_of_smoothing(image, mask, 6.0).astype(np.float32)
    inner = np.s_[7:-7, 7:-7]  # they differ in what lies beyond the border
    assert np.abs((out + 1) * 127.5 - truth)[inner].max() < 0.6


def test_in_focus_pixels_are_the_inputs():
    """Bit for bit, whatever lies beside them."""
    x = as_tensor(photo())
    weights = torch.rand(1, 4, 96, 96).softmax(dim=1)
    sharp = torch.rand(1, 1, 96, 96) < 0.5
    weights = torch.where(sharp, torch.tensor([1.0, 0, 0, 0])[None, :, None, None], weights)
    out = render(x, weights, [2, 4, 8])
    assert torch.equal(out[sharp.expand_as(out)], x[sharp.expand_as(x)])
    assert not torch.equal(out, x)


def test_gradient_is_that_of_the_mixture():
    """The loss falls where a weight moves to the copy that is nearer to the target: sign of a closed form."""
    x = as_tensor(photo(48))
    ones = torch.ones(1, 1, 48, 48)
    target = render(x, torch.cat([0 * ones, 0 * ones, ones], dim=1), [2.0, 6.0])
    weights = torch.cat([0 * ones, ones / 2, ones / 2], dim=1).requires_grad_()
    (render(x, weights, [2.0, 6.0]) - target).square().sum().backward()
    assert weights.grad[:, 1].sum() > 0 > weights.grad[:, 2].sum()
