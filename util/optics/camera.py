"""A camera: photo, subject and radii of blur in, the photo through its lens out.

    result = render(photo, alpha, radius, Camera(Aperture(blades=7), highlights=4))

The picture is taken apart from back to front: what lies behind the subject, continued behind it by push-pull; the
subject in its own colours; what lies in front of both. Each part is blurred by itself (util/optics/layers.py), and near
parts cover far ones, softly where they are out of focus. docs/camera.md tells it with pictures.
"""

import math
from dataclasses import dataclass, field, replace

import torch

from util.optics.canvas import grown, over, put_over, under
from util.optics.copies import by_rows, halved
from util.optics.fill import continued
from util.optics.grain import add_grain
from util.optics.highlights import compress, expand
from util.optics.layers import (
    SHARP,
    Layers,
    choose_levels,
    nearer_share,
    shrink_of,
)
from util.optics.light import linear_to_srgb, srgb_to_linear
from util.optics.pupil import Aperture
from util.optics.spread import spread

# Shares below this are rounding: a pixel that is in focus but for them is the photo's.
TRACE = 1e-5
# Alpha from which a pixel's colours are mixed with the subject's, and count as unknown background.
MIXED = 0.05
# The power of alpha by which mixed pixels hold light brighter than white: half of one holds a sixteenth of it.
OWN_LIGHT = 4
# Around the subject, so much of the shorter side is not trusted as a source for what is behind it.
RIM = 1 / 400
# Levels are chosen by every n-th pixel, about so many of the shorter side.
SAMPLED_SIDE = 512
# Radii in diagonals of the photo from which every pupil, a triangle too, sees all of it: more changes nothing.
WIDEST = 2.0
# Where levels are chosen, white counts at least so many times.
BRIGHT = 4.0


@dataclass(frozen=True)
class Camera:
    """All that decides how a photo is rendered, besides where it is out of focus.

    Attributes:
        aperture: the pupil's shape.
        highlights: what white stands for, in units of white: 1 takes photos as they are; above, clipped lights get
            their energy back before they are spread (util/optics/highlights.py).
        linear: spread linear light, as a lens does; False spreads sRGB values.
        grain: how much of the photo's noise is put back into what was blurred, in [0,1].
        seed: of that noise.
        levels: different radii at most, at least 3.
    """

    aperture: Aperture = field(default_factory=Aperture)
    highlights: float = 1.0
    linear: bool = True
    grain: float = 0.0
    seed: int = 0
    levels: int = 12


def render(
    photo: torch.Tensor,
    alpha: torch.Tensor,
    radius: torch.Tensor,
    camera: Camera | None = None,
    foreground: torch.Tensor | None = None,
) -> torch.Tensor:
    """What `camera` makes of photos in which all is sharp.

    Where the radius is at most half a pixel and nothing out of focus lies in front, the result is the photo, bit for
    bit. Differentiable in photo, alpha and radius; which radii become levels is a constant to the gradient.

    Args:
        photo: `[B,3,H,W] in [-1,1]`, sRGB.
        alpha: `[B,1,H,W] in [0,1]`, 1 = subject.
        radius: `[B,1,H,W]`, radius of the circle of confusion in pixels, signed: 0 in focus, positive nearer than the
            focus, negative farther.
        camera: default: `Camera()`.
        foreground: `[B,3,H,W] in [-1,1]`, the subject's own colours (`util.matting`); default: what the photo leaves
            when the continued background is taken off.

    Returns:
        `[B,3,H,W] in [-1,1]`.

    Raises:
        ValueError: shapes that don't fit together.
    """
    camera = camera or Camera()
    if alpha.shape != photo[:, :1].shape or radius.shape != alpha.shape:
        raise ValueError(
            f"photo {tuple(photo.shape)}, alpha {tuple(alpha.shape)}, radius {tuple(radius.shape)}: alpha and radius "
            "must be [B,1,H,W] of the photo's size"
        )
    widest = WIDEST * math.hypot(*photo.shape[-2:])
    own = [None] * len(photo) if foreground is None else foreground.split(1)
    parts = zip(photo.split(1), alpha.split(1), radius.clamp(-widest, widest).split(1), own, strict=True)
    results = [_render(Scene(*of_photo, camera)) for of_photo in parts]
    return torch.cat(results) if len(results) > 1 else results[0]


def _render(scene: "Scene") -> torch.Tensor:
    """One photo, `[1,...]`."""
    photo, camera = scene.photo, scene.camera
    light, blurred = scene.composite()

    def developed(light: torch.Tensor, blurred: torch.Tensor, photo: torch.Tensor) -> torch.Tensor:
        values = compress(light.clamp(min=0), camera.highlights)
        image = 2 * (linear_to_srgb(values) if camera.linear else values) - 1
        return torch.where(blurred > TRACE, image, photo)

    image = by_rows(developed, light, blurred, photo, into=light)
    return add_grain(image, photo, blurred, camera.grain, camera.seed) if camera.grain else image


class Scene:
    """A photo taken apart into what is behind the subject, the subject, and what is in front. All `[1,C,H,W]`."""

    def __init__(
        self,
        photo: torch.Tensor,
        alpha: torch.Tensor,
        radius: torch.Tensor,
        foreground: torch.Tensor | None,
        camera: Camera,
    ):
        self.photo, self.foreground, self.camera, self.alpha = photo, foreground, camera, alpha
        step = max(1, min(photo.shape[-2:]) // SAMPLED_SIDE)
        sample = photo[..., ::step, ::step]
        self.levels = choose_levels(radius[..., ::step, ::step], _importance(sample, camera), camera.levels)
        # Not of soft edges, whose radii may be those of what is behind them.
        self.subject_radius = _weighted_mean(radius, by_rows(lambda alpha: alpha * (alpha > 0.5), alpha))
        # The levels up to this one lie behind the subject.
        self.last_behind = sum(level <= self.subject_radius + SHARP for level in self.levels) - 1
        self.light = by_rows(self.to_light, photo)
        self.radius = radius
        in_front = by_rows(self._in_front, radius, alpha)
        self.has_front = bool((in_front > 0).any())
        self._continue_behind(photo, in_front)

    def to_light(self, photo: torch.Tensor) -> torch.Tensor:
        """What is spread: linear light with its highlights, or sRGB values, of a photo in [-1,1]."""
        values = (photo + 1) / 2
        return expand(srgb_to_linear(values) if self.camera.linear else values, self.camera.highlights)

    def _in_front(self, radius: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
        """How much of each pixel lies before the subject."""
        return nearer_share(radius, self.levels, self.last_behind + 1) * (1 - alpha)

    def _continue_behind(self, photo: torch.Tensor, in_front: torch.Tensor) -> None:
        """Find the background, and its radii, behind the subject, and all behind what is in front."""

        def seen(alpha: torch.Tensor) -> torch.Tensor:
            return ((MIXED - alpha) / MIXED).clamp(0, 1)

        def as_light(filled: torch.Tensor) -> torch.Tensor:
            hidden_radius = filled[:, 3:].clamp(max=self.levels[self.last_behind])
            return torch.cat([self.to_light(filled[:, :3].clamp(-1, 1)), hidden_radius], dim=1)

        known = by_rows(lambda alpha, in_front: seen(alpha) * (1 - in_front), self.alpha, in_front)
        # Averaged as sRGB values: one light at the subject's edge must not become many behind it.
        filled = continued([photo, self.radius], known, RIM, as_light)
        of_light, of_radius = (
            replace(filled, small=filled.small[:, part]) for part in (slice(3), slice(3, 4))
        )
        self.background, self.background_radius = (
            by_rows(lambda filled, own, alpha: torch.lerp(filled, own, seen(alpha)), part, own, self.alpha)
            for part, own in ((of_light, self.light), (of_radius, self.radius))
        )
        own_colors = [] if self.foreground is None else [self.foreground]
        self.subject = by_rows(self._subject, self.alpha, self.light, self.background, *own_colors)
        if self.has_front:
            filled = continued([self.subject], 1 - in_front, RIM)
            self.subject = by_rows(
                lambda filled, subject, in_front: torch.where(in_front > 0, filled, subject),
                filled,
                self.subject,
                in_front,
                into=self.subject,
            )

    def _subject(
        self,
        alpha: torch.Tensor,
        light: torch.Tensor,
        background: torch.Tensor,
        colors: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The subject's premultiplied light S, and alpha, `[1,4,h,w]`: the photo is P = S + (1 - alpha) B.

        Its colour S / alpha is some colour between black and white. Else what a matte takes for the subject by mistake,
        a twig or a lamp at alpha 0.2, would stay at full contrast. Only where the subject is nearly all may it be as
        bright as a light that was clipped.
        """
        if colors is None:
            found = light - (1 - alpha) * background
            own = torch.minimum(found.clamp(min=0), alpha * light.clamp(min=1))
        else:
            own = alpha * torch.where(alpha < 1, self.to_light(colors), light)
        beyond_white = (light.amax(dim=1, keepdim=True) - 1).clamp(min=0)
        brightest = alpha * (1 + alpha**OWN_LIGHT * beyond_white)
        # All channels alike: colours stay.
        own = own * (brightest / own.amax(dim=1, keepdim=True).clamp(min=1e-6)).clamp(max=1)
        return torch.cat([own, alpha], dim=1)

    def composite(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Light of the whole picture, and the share of each pixel that is out of focus."""
        aperture = self.camera.aperture
        canvas = over(
            Layers(self.background, self.background_radius, self.levels, aperture), self.last_behind
        )
        if canvas is None:
            light, blurred = self.background, torch.zeros_like(self.alpha)
        else:
            canvas.grow(1)
            light, blurred = canvas.light, canvas.blurred
        light, blurred = self._with_subject(light, blurred)
        if not self.has_front:
            return light, blurred
        # The subject's own pixels may be as near as what lies in front, but they do not.
        behind = self.levels[self.last_behind]
        radius = by_rows(
            lambda alpha, radius: torch.where(alpha > MIXED, behind, radius), self.alpha, self.radius
        )
        canvas = under(Layers(self.light, radius, self.levels, aperture), self.last_behind + 1)
        if canvas is None:
            return light, blurred
        canvas.grow(1)
        return (
            by_rows(put_over, light, canvas.light, canvas.cover, into=light),
            by_rows(put_over, blurred, canvas.blurred, canvas.cover, into=blurred),
        )

    def _with_subject(self, light: torch.Tensor, blurred: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The subject over what is behind it."""
        in_focus = abs(self.subject_radius) <= SHARP
        subject = self.subject if in_focus else self._spread_subject()
        own, cover = subject[:, :3], subject[:, 3:]
        light = by_rows(put_over, light, own, cover, into=light)
        return light, by_rows(put_over, blurred, cover * (not in_focus), cover, into=blurred)

    def _spread_subject(self) -> torch.Tensor:
        """The subject out of focus, `[1,4,H,W]`: its light and alpha, each level of them with its own pupil.

        One body hardly hides parts of itself, so its levels are summed.
        """
        size = self.alpha.shape[-2:]
        radius = continued([self.radius], (self.alpha > 1 - MIXED).to(self.alpha), RIM).whole()
        subject = torch.cat([self.subject[:, :3].clamp(min=0), self.subject[:, 3:]], dim=1)
        total = torch.zeros_like(subject)
        for k, level in enumerate(self.levels):
            share = nearer_share(radius, self.levels, k) - nearer_share(radius, self.levels, k + 1)
            if not (share * self.alpha).any():
                continue
            parts = torch.cat([subject * share, torch.ones_like(share)], dim=1)
            shrink = shrink_of(level)
            for _ in range(shrink.bit_length() - 1):
                parts = halved(parts)
            parts = spread(parts, level / shrink, self.camera.aperture)
            total = total + grown(parts[:, :4] / parts[:, 4:].clamp(min=1e-6), shrink, size)
        # Where radii shrink towards each other the sum is above 1.
        return total / total[:, 3:].clamp(min=1)


def _importance(photo: torch.Tensor, camera: Camera) -> torch.Tensor:
    """How much a pixel's radius shows: by its light, and a little in any case. `[1,1,H,W]`."""
    light = expand(srgb_to_linear((photo.detach() + 1) / 2), max(camera.highlights, BRIGHT))
    return 0.1 + light.amax(dim=1, keepdim=True)


def _weighted_mean(x: torch.Tensor, weight: torch.Tensor) -> float:
    """0 where there is no weight."""
    x, weight = x.detach(), weight.detach()
    total = float(weight.sum())
    return float((x * weight).sum()) / total if total > 0 else 0.0
