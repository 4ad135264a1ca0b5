"""A generator that does not paint: it says how far out of focus each pixel is, and a lens does the rest."""

import argparse
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from util.errors import UserError
from util.guided_filter import apply_coefficients, guided_coefficients
from util.optics.blur import render

# Logits are bounded by the network's tanh times this: the softmax can be sure (0.9999), but never so flat that
# its gradient dies before the network has learned anything.
LOGIT_BOUND = 5.0

# Window (pixels of the network's own scale) and smoothness of the guided filter; photos in [-1,1].
GUIDE_RADIUS = 4
GUIDE_EPS = 4e-3
STRIP = 256  # rows of a large photo that are filtered at a time

# Radii are given at this length of a photo's shorter side, and grow with it.
REFERENCE_SIDE = 256

# Luma of ITU-R BT.601 and Sobel's kernels divided by 8: units per pixel.
LUMA = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
_ACROSS = torch.tensor([1.0, 2.0, 1.0]).outer(torch.tensor([-1.0, 0.0, 1.0])) / 8
SOBEL = torch.stack([_ACROSS, _ACROSS.T])[:, None]

# Pixels around the subject, at that length, whose gradient is the subject's outline and not the background's.
OUTLINE = 8


class LensGenerator(nn.Module):
    """Mixture weights over the input and its lens-blurred copies, predicted by `net`, and their rendering.

    `net` sees the whole photo scaled so that its shorter side is `weights_size`: to know who is the subject takes
    the whole picture and few pixels. Its weights are then carried to the photo's own size. In training it may see
    fewer, `train_weights_size`: crops and zooms show people larger there than whole photos do (Touvron et al. 2019).

    In evaluation the in-focus weight is stretched so that `focus_range` becomes [0,1]: above it a pixel is the input's,
    exactly. In training, pixels beyond the range would have no gradient.

    In evaluation the logits are the mean of what it says of the photo and of its mirror image, which it saw as often.

    A background that is as soft already as real lenses leave theirs is left alone: the radii of a photo are multiplied
    by its `softening`.

    Args:
        net: `[B,3(+1),h,w] in [-1,1]` -> `[B,K+1,h,w] in [-1,1]`; with a fourth channel it is told the subject's mask.
        radii: K radii of blur, pixels where the photo's shorter side is 256.
        soft_range: mean gradients of a background, LOW and HIGH: below LOW it is not blurred, above HIGH in full.
    """

    divisor = 1
    takes_any_size = True

    def __init__(
        self,
        net: nn.Module,
        radii: Sequence[float],
        weights_size: int = 128,
        focus_range: Sequence[float] = (0.0, 1.0),
        linear_light: bool = True,
        soft_range: Sequence[float] = (0.0, 0.0),
        train_weights_size: int | None = None,
    ):
        super().__init__()
        self.net = net
        self.train_weights_size = train_weights_size or weights_size
        self.aperture = 1.0  # multiplies the radii
        self.takes_mask = input_channels(net) == 4
        self.register_buffer("radii", torch.tensor(radii, dtype=torch.float32))
        self.register_buffer("weights_size", torch.tensor(weights_size))
        self.register_buffer("focus_range", torch.tensor(focus_range, dtype=torch.float32))
        self.register_buffer("linear_light", torch.tensor(linear_light))
        self.register_buffer("soft_range", torch.tensor(soft_range, dtype=torch.float32))

    def forward(
        self,
        x: torch.Tensor,
        mask: torch.Tensor | None = None,
        with_logits: bool = False,
    ) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The photo through the lens: `[B,3,H,W] in [-1,1]` -> the same.

        Args:
            x: photos.
            mask: `[B,1,H,W] in [0,1]`, 1 = subject; only a network with a fourth channel looks at it.
            with_logits: return also the weights `[B,K+1,H,W]` and the logits `[B,K+1,h,w]` they come from.
        """
        logits = self.logits(x, mask)
        weights = self.stretch(self.carry(logits.softmax(dim=1), x))
        image = self.blur(x, weights, self.radii.tolist())
        return (image, weights, logits) if with_logits else image

    def blur(self, x: torch.Tensor, weights: torch.Tensor, radii: Sequence[float]) -> torch.Tensor:
        """`render` with `radii` (at 256 pixels) scaled to the photo, to the aperture, and to what each photo needs."""
        scale = self.aperture * min(x.shape[-2:]) / REFERENCE_SIDE
        photos = zip(x.split(1), weights.split(1), self.softening(x, weights[:, :1]).tolist(), strict=True)
        return torch.cat(
            [
                render(photo, w, [scale * share * radius for radius in radii], bool(self.linear_light))
                for photo, w, share in photos
            ]
        )

    @torch.no_grad()
    def softening(self, x: torch.Tensor, in_focus: torch.Tensor) -> torch.Tensor:
        """How much of the blur each photo's background still needs, `[B] in [0,1]`.

        Real lenses leave a wall as it is and dissolve a hedge. The mean gradient, as `util.measure.metrics`
        defines it, is placed in `soft_range`, on the scale of its logarithm. A photo without background needs all.
        A gradient behind a lens falls with the radius, so a wider aperture has a lower range.
        """
        low, high = (self.soft_range / max(self.aperture, 1.0)).tolist()
        if high <= 0:
            return x.new_ones(len(x))
        scale = min(1.0, REFERENCE_SIDE / min(x.shape[-2:]))
        size = [max(1, round(side * scale)) for side in x.shape[-2:]]
        gray = (F.interpolate(x, size, mode="area").float() + 1) / 2
        gray = (gray * LUMA.to(gray)).sum(1, keepdim=True) if x.shape[1] == 3 else gray
        with torch.autocast(x.device.type, enabled=False):
            gradient = F.conv2d(F.pad(gray, (1, 1, 1, 1), mode="replicate"), SOBEL.to(gray)).norm(dim=1)
        focus = F.interpolate(in_focus.float(), size, mode="area")
        background = 1 - F.max_pool2d(focus, 2 * OUTLINE + 1, stride=1, padding=OUTLINE)[:, 0]
        mean = (gradient * background).sum((1, 2)) / background.sum((1, 2)).clamp(min=1e-6)
        place = (mean.clamp(min=1e-6) / low).log() / math.log(high / low)
        return torch.where(background.sum((1, 2)) > 0, place.clamp(0, 1), 1.0)

    def logits(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """What the network makes of the whole photo at its own scale: `[B,K+1,h,w]`, bounded; see above for mirrors."""
        shorter = self.train_weights_size if self.training else int(self.weights_size)
        scale = shorter / min(x.shape[-2:])
        divisor = self.net.divisor
        size = [max(1, round(side * scale / divisor)) * divisor for side in x.shape[-2:]]
        seen = torch.cat([x, 2 * mask - 1], dim=1) if self.takes_mask else x
        seen = F.interpolate(seen, size, mode="bilinear", antialias=True, align_corners=False)
        if self.training:
            return LOGIT_BOUND * self.net(seen).float()
        both = LOGIT_BOUND * self.net(torch.cat([seen, seen.flip(-1)])).float()
        plain, mirrored = both.chunk(2)
        return (plain + mirrored.flip(-1)) / 2

    def carry(self, weights: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Weights `[B,K+1,h,w]` at the size of the photo `x`; in evaluation their edges become the photo's."""
        if self.training:
            return F.interpolate(weights, x.shape[-2:], mode="bilinear", align_corners=False)
        small = F.interpolate(x, weights.shape[-2:], mode="area")
        coefficients = guided_coefficients(small, weights, GUIDE_RADIUS, GUIDE_EPS)
        # In strips: at the photo's size the coefficients would take more memory than all the rest.
        height = x.shape[-2]
        strips = [
            apply_coefficients(coefficients, x[..., top : top + STRIP, :], top, height).clamp(0, 1)
            for top in range(0, height, STRIP)
        ]
        return torch.cat(strips, dim=-2)

    def stretch(self, weights: torch.Tensor) -> torch.Tensor:
        """Stretch the in-focus weight from `focus_range` to [0,1]; the others share the rest as before.

        With a wider aperture the share out of focus becomes `(1 - w_0)^(aperture^3)`: blur of twice the radius changes
        what it touches more, and what is half in focus, hair and the net's own doubts, must not pay for it.
        """
        if self.training:
            return weights
        low, high = self.focus_range.tolist()
        in_focus, blurred = weights[:, :1], weights[:, 1:]
        sharp = ((in_focus - low) / (high - low)).clamp(0, 1)
        sharp = 1 - (1 - sharp) ** max(self.aperture, 1.0) ** 3
        return torch.cat(
            [sharp, blurred * ((1 - sharp) / blurred.sum(1, keepdim=True).clamp(min=1e-6))], dim=1
        )


def add_lens_test_options(parser: argparse.ArgumentParser) -> None:
    """What of a trained lens can be changed at test."""
    add = parser.add_argument_group("lens output").add_argument
    add("--aperture", type=float, default=1.0, help="multiplies the radii of the blur")
    add("--weights_size", type=int, help="see train.py; default: as trained")
    add("--lens_light", choices=("linear", "srgb"), help="see train.py; default: as trained")
    for name in ("focus_range", "soft_range"):
        add(
            f"--{name}",
            type=float,
            nargs=2,
            metavar=("LOW", "HIGH"),
            help="see train.py; default: as trained",
        )


def check_lens_test_options(opt: argparse.Namespace) -> None:
    """Raise a `UserError` for values of `add_lens_test_options` that can't work."""
    if opt.aperture < 0:
        raise UserError(f"--aperture {opt.aperture}: must not be negative")
    check_lens_options(opt)


def check_lens_options(opt: argparse.Namespace) -> None:
    """Raise a `UserError` for values that can't work, of the options that training and testing share."""
    for name in ("weights_size", "train_weights_size"):
        size = getattr(opt, name, None)
        if size is not None and size < 1:
            raise UserError(f"--{name} {size}: must be at least 1")
    if opt.focus_range and not opt.focus_range[0] < opt.focus_range[1]:
        raise UserError("--focus_range LOW HIGH: LOW must be below HIGH")
    if opt.soft_range and opt.soft_range != [0, 0] and not 0 < opt.soft_range[0] < opt.soft_range[1]:
        raise UserError("--soft_range LOW HIGH: LOW must be above 0 and below HIGH; 0 0 turns it off")


def adjust_lens(net: nn.Module, opt: argparse.Namespace) -> nn.Module:
    """Give `net`, if it is a lens, what the test options say; returns it."""
    if isinstance(net, LensGenerator):
        net.aperture = opt.aperture
        names = ("weights_size", "focus_range", "soft_range")
        changes = {name: getattr(opt, name) for name in names}
        changes["linear_light"] = None if opt.lens_light is None else opt.lens_light == "linear"
        for name, value in changes.items():
            if value is not None:
                getattr(net, name).copy_(torch.as_tensor(value))
    return net


def input_channels(net: nn.Module) -> int:
    """Number of channels that `net`'s first convolution takes."""
    return next(module.in_channels for module in net.modules() if isinstance(module, nn.Conv2d))
