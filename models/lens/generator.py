"""A generator that does not paint: it says how far out of focus each pixel is, and a lens does the rest."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F

from models.lens.exported import LOGIT_BOUND, WeightsGraph
from models.lens.focusing import refocused
from models.lens.matting import alphas, behind_subject, of_subject, told_prior
from models.lens.radius import RadiusNet
from models.lens.settings import LensChanges, LensSettings
from models.lens.softening import reference_size, share_of_blur
from models.lens.weights import GUIDE_EPS, GUIDE_RADIUS, carried, shared
from models.nets.base import AroundNet, GeneratorNet
from util.optics.blur import MAX_RADIUS, render
from util.optics.camera import Camera
from util.optics.camera import render as render_camera
from util.optics.focus import INSIDE
from util.optics.focus_options import Focus
from util.optics.light import linear_to_srgb, luma, srgb_to_linear
from util.optics.presets import REFERENCE_SIDE
from util.optics.varying import varying_blur
from util.present import present

# Settings that a file keeps, as buffers of these names.
KEPT = ("radii", "weights_size", "focus_range", "linear_light", "soft_range")


class Decision(NamedTuple):
    """What the network makes of photos: `logits` `[B,K+1,h,w]` at its own scale, and `weights` `[B,K+1,H,W]`, not
    negative and of sum 1, at the photos': in focus, then one for each radius."""

    weights: torch.Tensor
    logits: torch.Tensor


def _read_buffers_of(lens: "LensGenerator", _: object) -> None:
    lens._read_buffers()


class LensGenerator(AroundNet):
    """Mixture weights over the input and its lens-blurred copies, predicted by `net`, and their rendering.

    `net` sees the whole photo scaled so that its shorter side is `weights_size`: to know who is the subject takes
    the whole picture and few pixels. Its weights are then carried to the photo's own size. In training it may see
    fewer, `train_weights_size`: crops and zooms show people larger there than whole photos do (Touvron et al. 2019).

    In evaluation the in-focus weight is stretched so that `focus_range` becomes [0,1]: above it a pixel is the input's,
    exactly. In training, pixels beyond the range would have no gradient.

    In evaluation with the setting `matting` the in-focus weight is solved as alpha in a band around its edge, and mixed
    pixels are taken apart into the subject's colours and those behind it: see `util.matting`.

    In evaluation the logits are the mean of what it says of the photo and of its mirror image, which it saw as often.

    With a `radius_net` each place out of focus is blurred as much as a real lens would blur it; the mixture's other
    weights are not used then.

    A background that is as soft already as real lenses leave theirs is left alone: the radii of a photo are multiplied
    by its `softening`.

    Args:
        net: `[B,3(+1),h,w] in [-1,1]` -> `[B,K+1,h,w] in [-1,1]`; with a fourth channel it is told the subject's mask.
        settings: see `LensSettings`; a file that is loaded brings its own.
    """

    radii: torch.Tensor

    takes_any_size = True
    scales_itself = True
    takes_depth = True

    def __init__(self, net: GeneratorNet, settings: LensSettings):
        super().__init__(net)
        self.takes_mask = net.input_nc == 4
        for name in KEPT:
            self.register_buffer(name, torch.tensor(0))
        self.radius_net: RadiusNet | None = None
        self.configure(settings)
        self.register_load_state_dict_post_hook(_read_buffers_of)

    def configure(self, settings: LensSettings) -> None:
        """Take `settings`, also for the file that is saved."""
        self.settings = settings
        for name in KEPT:
            value = getattr(settings, name)
            dtype = torch.float32 if isinstance(value, tuple) else None
            setattr(self, name, torch.tensor(value, dtype=dtype, device=self.radii.device))
        self._read_buffers()

    def change(self, changes: LensChanges) -> None:  # type: ignore[override]
        """Take what `changes` states."""
        self.configure(self.settings.changed(changes))

    def _read_buffers(self) -> None:
        """Settings as a file holds them, rounded to float32: so a resumed run has those of an uninterrupted one."""
        read: dict[str, Any] = {}
        for name in KEPT:
            value = getattr(self, name).tolist()
            read[name] = tuple(value) if isinstance(value, list) else value
        self.settings = replace(self.settings, **read)

    def graph(self) -> WeightsGraph:
        return WeightsGraph(self.net)

    def kept(self) -> dict[str, Any]:
        return {name: getattr(self.settings, name) for name in KEPT}

    def described(self) -> dict[str, Any]:
        return self.kept() | {
            "channels": self.net.input_nc,
            "divisor": self.net.divisor,
            "reference_side": REFERENCE_SIDE,
            "guide_radius": GUIDE_RADIUS,
            "guide_eps": GUIDE_EPS,
            "largest_radius": MAX_RADIUS,
        }

    def forward(
        self,
        x: torch.Tensor,
        mask: torch.Tensor | None = None,
        depth: torch.Tensor | None = None,
        aperture: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The photo through the lens: `[B,3,H,W] in [-1,1]` -> the same.

        Args:
            x: photos.
            mask: `[B,1,H,W] in [0,1]`, 1 = subject; only a network with a fourth channel looks at it.
            depth: `[B,1,H,W]`, inverse, near is large; only a camera (`LensSettings`) looks at it.
            aperture: `[B]`, factors of the radii besides that of the settings.
        """
        weights, logits = self.decide(x, mask)
        return self.render(x, weights, depth, aperture, logits)

    def render(
        self,
        x: torch.Tensor,
        weights: torch.Tensor,
        depth: torch.Tensor | None = None,
        aperture: torch.Tensor | None = None,
        logits: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The photo `x` as the lens shows it whose `weights` were decided, of these `logits`."""
        share = self.softening(x, weights[:, :1])
        share = share if aperture is None else share * aperture
        subject = weights[:, :1]
        # Where blur grows is asked without the aperture, which has no part in alpha and in logits.
        if logits is not None and not self.mattes:
            subject = self.in_range(logits.softmax(dim=1)[:, :1])
        if self.settings.camera is not None:
            return self.photograph(x, weights, share, self.settings.camera, depth, subject)
        if self.radius_net is not None:
            return self.blur_by_place(x, weights[:, :1], share, subject)
        return self.blur(x, weights, share)

    @property
    def mattes(self) -> bool:
        """Whether alpha is solved at the photo's size."""
        return self.settings.matting and not self.training

    def decide(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> Decision:
        """What is in focus and what is not; arguments as of `forward`."""
        logits = self.logits(x, mask)
        small = logits.softmax(dim=1)
        weights = self.stretch(self.carry(small, x))
        if self.mattes:
            alpha = alphas(x, told_prior(self.in_range(small[:, :1]), x.shape[-2:], mask))
            weights = shared(alpha, weights[:, 1:])
        return Decision(weights, logits)

    def blur(
        self,
        x: torch.Tensor,
        weights: torch.Tensor,
        share: torch.Tensor | None = None,
        radii: tuple[float, ...] | None = None,
    ) -> torch.Tensor:
        """`render` with radii (at 256 pixels; default: the settings') scaled to photo and aperture, times `share`."""
        scale = self.scale(x.shape[-2:])
        radii = self.settings.radii if radii is None else radii
        behind = behind_subject(x, weights[:, :1]) if self.mattes else x
        scaled = [scale * radius for radius in radii]
        return render(x, weights, scaled, self.settings.linear_light, share, behind)

    def scale(self, size: Sequence[int]) -> float:
        """Pixels of photos of `size` for each pixel of a radius as it is stated, the aperture counted in."""
        return self.settings.aperture * min(size) / REFERENCE_SIDE

    def photograph(
        self,
        x: torch.Tensor,
        weights: torch.Tensor,
        share: torch.Tensor,
        camera: Camera,
        depth: torch.Tensor | None = None,
        subject: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """What `camera` makes of photos whose in-focus weights are alpha and whose radii the lens has decided.

        With `depth` or a focus of its own, those radii only say how wide the lens is: see `refocused`.
        """
        in_focus = weights[:, :1].float()
        if self.radius_net is not None:
            radius = self.radius_by_place(x, in_focus if subject is None else subject, share)
        else:
            radii = self.scale(x.shape[-2:]) * weights.new_tensor(self.settings.radii).view(1, -1, 1, 1)
            blurred = weights[:, 1:]
            radius = (blurred * radii).sum(1, keepdim=True) / blurred.sum(1, keepdim=True).clamp(min=1e-6)
            radius = radius * share.view(-1, 1, 1, 1)
        if depth is not None or self.settings.focus != Focus():
            in_focus, radius = refocused(in_focus, radius.float(), depth, self.settings.focus)
        else:
            radius = torch.where(in_focus > INSIDE, 0.0, -radius.float())
        front = of_subject(x, in_focus) if self.mattes else None
        camera = replace(camera, linear=self.settings.linear_light)
        return render_camera(x.float(), in_focus, radius, camera, front)

    @torch.no_grad()
    def blur_by_place(
        self,
        x: torch.Tensor,
        in_focus: torch.Tensor,
        share: torch.Tensor,
        subject: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Each place blurred by its radius of `radius_by_place`; where `in_focus` is 1 the result is `x`, exactly."""
        radius = self.radius_by_place(x, in_focus if subject is None else subject, share)
        behind = behind_subject(x, in_focus) if self.mattes else x
        light = (behind + 1) / 2
        light = srgb_to_linear(light) if self.settings.linear_light else light
        light = varying_blur(light, 1 - in_focus, radius)
        values = linear_to_srgb(light) if self.settings.linear_light else light
        return x + (1 - in_focus) * (2 * values - 1 - behind)

    @torch.no_grad()
    def radius_by_place(self, x: torch.Tensor, subject: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
        """The radius that `radius_net` says a lens would leave at each place, times aperture and `share`.

        Args:
            x: photos `[B,3,H,W] in [-1,1]`.
            subject: `[B,1,h,w] in [0,1]`, of any size.
            share: `[B]`, of `softening`.

        Returns:
            `[B,1,H,W]`, pixels, not negative.
        """
        radii = present(self.radius_net).radii(x, subject, self.settings.farthest)
        radius = self.scale(x.shape[-2:]) * share.view(-1, 1, 1, 1) * radii
        return F.interpolate(radius, x.shape[-2:], mode="bilinear", align_corners=False)

    @torch.no_grad()
    def softening(self, x: torch.Tensor, in_focus: torch.Tensor) -> torch.Tensor:
        """How much of the blur each photo's background still needs, `[B] in [0,1]`: see `share_of_blur`."""
        if self.settings.soft_range[1] <= 0:
            return x.new_ones(len(x))
        size = reference_size(x.shape[-2:])
        gray = luma((F.interpolate(x.float(), size, mode="area") + 1) / 2)
        return share_of_blur(gray, F.interpolate(in_focus.float(), size, mode="area"), self.settings)

    def logits(
        self, x: torch.Tensor, mask: torch.Tensor | None, size: Sequence[int] | None = None
    ) -> torch.Tensor:
        """What the network makes of the whole photo at its own scale: `[B,K+1,h,w]`, bounded; see above for mirrors.

        `size`: of the photo (height, width), where `x` and `mask` are smaller copies.
        """
        size = size or x.shape[-2:]
        shorter = self.settings.weights_size
        if self.training:
            shorter = self.settings.train_weights_size or shorter
        scale = shorter / min(size)
        divisor = self.net.divisor
        size = [max(1, round(side * scale / divisor)) * divisor for side in size]
        seen = torch.cat([x, 2 * present(mask) - 1], dim=1) if self.takes_mask else x
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
        return carried(weights, x)

    def stretch(self, weights: torch.Tensor) -> torch.Tensor:
        """Stretch the in-focus weight from `focus_range` to [0,1]; the others share the rest as before.

        With a wider aperture the share out of focus becomes `(1 - w_0)^(aperture^3)`: blur of twice the radius changes
        what it touches more, and what is half in focus, hair and the net's own doubts, must not pay for it.
        """
        if self.training:
            return weights
        sharp = 1 - (1 - self.in_range(weights[:, :1])) ** self.stretching()
        return shared(sharp, weights[:, 1:])

    def in_range(self, in_focus: torch.Tensor) -> torch.Tensor:
        """In-focus weights `[B,1,H,W]` stretched from `focus_range` to [0,1]."""
        low, high = self.settings.focus_range
        return ((in_focus - low) / (high - low)).clamp(0, 1)

    def stretching(self) -> float:
        """The power to which `stretch` takes the share out of focus."""
        return max(self.settings.aperture, 1.0) ** 3
