"""What a lens generator is told besides its weights: its settings, and the options that state them."""

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

from util.errors import UserError
from util.optics.focus_options import Focus, add_focus_options
from util.optics.presets import (
    BY_EXIF,
    RADIUS_OF_APERTURE,
    add_camera_options,
    aperture_of_options,
    camera_of_options,
)
from util.options import Options
from util.present import present
from util.ranges import finite, non_negative, positive_int

if TYPE_CHECKING:
    from util.optics.camera import Camera

# For `--aperture`: the radii that the photos of domain B would have.
AUTO = "auto"

# Shorter side, in pixels, of the picture that `RadiusNet` looks at. A blur of 4 pixels at 256 is one of 1 pixel here.
LOOK_SIDE = 64

# Sides of the square that such a picture fills in part, in training and at test: how much of it is filled takes part in
# the network's norms.
LOOK_SQUARE = 96


@dataclass(frozen=True)
class LensSettings:
    """How a lens generator looks at photos and blurs them.

    Args:
        radii: of the blurred copies, in pixels where the photo's shorter side is 256.
        weights_size: shorter side, in pixels, at which the network sees the whole photo.
        focus_range: LOW and HIGH; in evaluation in-focus weights below LOW count as 0, above HIGH as 1.
        linear_light: blur linear light, as a lens does, and not sRGB values.
        soft_range: mean gradients of a background, LOW and HIGH: below LOW it is not blurred, above HIGH in full;
            (0, 0) blurs all in full.
        train_weights_size: `weights_size` in training; None: the same.
        aperture: multiplies the radii (`LensGenerator.blur`). Above 1 it also divides `soft_range`, since a wider lens
            leaves less of a gradient (`softening`), and takes the share out of focus to its third power, so that
            what is half in focus gets sharper (`stretch`).
        camera: renders with layers and light as `util.optics.camera` says; None: by the mixture of blurred copies.
        focus: what is sharp, with a `camera`; all that is in focus by default.
        matting: solve alpha, and the subject's colours in mixed pixels, at the photo's size (`util.matting`).
        farthest: the radius, in pixels where the shorter side is 256 and the aperture 1, that what is farthest has at
            least where a radius network tells radii; 0: as it tells them.
    """

    radii: tuple[float, ...]
    weights_size: int = 128
    focus_range: tuple[float, float] = (0.0, 1.0)
    linear_light: bool = True
    soft_range: tuple[float, float] = (0.0, 0.0)
    train_weights_size: int | None = None
    aperture: float = 1.0
    camera: "Camera | None" = None
    focus: Focus = field(default_factory=Focus)
    matting: bool = False
    farthest: float = 0.0

    @classmethod
    def of_options(cls, opt: Options) -> "LensSettings":
        """The settings that options of training state."""
        return cls(
            radii=tuple(opt.lens_radii),
            weights_size=present(opt.weights_size),
            focus_range=present(_pair(opt.focus_range)),
            linear_light=opt.lens_light == "linear",
            soft_range=present(_pair(opt.soft_range)),
            train_weights_size=opt.train_weights_size,
        )

    def changed(self, changes: "LensChanges") -> "LensSettings":
        """These settings with what `changes` states."""
        stated = {known.name: getattr(changes, known.name) for known in fields(changes)}
        if changes.aperture is not None and changes.farthest is None:
            stated["farthest"] = RADIUS_OF_APERTURE
        return replace(self, **{name: value for name, value in stated.items() if value is not None})


@dataclass(frozen=True)
class LensChanges:
    """Settings of a trained lens to change at test; None leaves one as it was trained.

    Without an `aperture` and a `soft_range`, which is `--aperture auto` too, the radii of a radius network (`--radius`)
    count as it tells them: it knows which backgrounds real lenses leave alone, so that none is blurred less for being
    soft. An aperture that is stated, 1 too, says how wide the lens is open. Then the network tells how radii are
    spread: all grow alike until what is farthest has `RADIUS_OF_APERTURE`, the aperture multiplies them, and
    `soft_range` is back.
    """

    aperture: float | None = None
    weights_size: int | None = None
    focus_range: tuple[float, float] | None = None
    soft_range: tuple[float, float] | None = None
    linear_light: bool | None = None
    camera: "Camera | None" = None
    focus: Focus | None = None
    matting: bool | None = None
    farthest: float | None = None

    @classmethod
    def of_options(cls, opt: Options) -> "LensChanges":
        """What options of testing state."""
        return cls(
            aperture=None if isinstance(opt.aperture, str) else opt.aperture,
            weights_size=opt.weights_size,
            focus_range=_pair(opt.focus_range),
            soft_range=_pair(opt.soft_range),
            linear_light=None if opt.lens_light is None else opt.lens_light == "linear",
            camera=camera_of_options(opt) if asks_for_camera(opt) else None,
            focus=Focus.parse(opt.focus),
            matting=opt.matting == "auto",
            farthest=RADIUS_OF_APERTURE if opt.lens == BY_EXIF else None,
        )


def asks_for_camera(opt: Options) -> bool:
    """Whether options of testing ask for the camera: by its name, or for what it alone can do."""
    by_distance = opt.depth not in ("", "none") or Focus.parse(opt.focus) != Focus()
    return opt.camera or by_distance or opt.lens == BY_EXIF


def _pair(values: Sequence[float] | None) -> tuple[float, float] | None:
    return None if values is None else (values[0], values[1])


def add_lens_options(parser: ArgumentParser) -> None:
    """What a lens is trained with."""
    add = parser.add_argument_group("lens output").add_argument
    add(
        "--lens_radii",
        type=non_negative,
        nargs="+",
        default=[2.0, 4.0, 8.0],
        help="radii of the blurred copies, in pixels of a photo whose shorter side is 256",
    )
    add(
        "--weights_size",
        type=positive_int,
        default=128,
        help="shorter side, in pixels, at which the generator sees the whole photo",
    )
    add(
        "--train_weights_size",
        type=positive_int,
        help="that side in training; three quarters of it suit zooms up to 1.4; default: the same",
    )
    add(
        "--focus_range",
        type=finite,
        nargs=2,
        default=[0.0, 1.0],
        metavar=("LOW", "HIGH"),
        help="at test: in-focus weights below LOW count as 0, above HIGH as 1, where pixels stay as they are",
    )
    add(
        "--lens_light",
        choices=("linear", "srgb"),
        default="linear",
        help="what is blurred: linear light as by a real lens, or sRGB values, which keeps every mean colour",
    )
    add(
        "--soft_range",
        type=non_negative,
        nargs=2,
        default=[0.0, 0.0],
        metavar=("LOW", "HIGH"),
        help="backgrounds whose mean gradient (luma in [0,1], per pixel at 256 pixels) is below LOW are not "
        "blurred, above HIGH in full, between by its logarithm; the lower fifth and the median of shallow photos are "
        "good; 0 0 = all in full",
    )


def add_lens_test_options(parser: ArgumentParser) -> None:
    """The settings of a trained lens that can be changed at test."""
    add = parser.add_argument_group("lens output").add_argument
    add(
        "--aperture",
        type=aperture,
        help="how wide the lens is open: what is farthest gets about 4 times this radius, in pixels where the shorter "
        "side is 256; auto = that which the photos of domain B would have; default: auto where a network tells radii "
        "(--radius), else 1",
    )
    add(
        "--radius",
        default="",
        help="file of --model radius, latest_net_P.pth: blur each place as a real lens would; default: the one beside "
        "the generator's weights, where there is one; none = one blur for the whole background",
    )
    add("--weights_size", type=positive_int, help="see train.py; default: as trained")
    add("--lens_light", choices=("linear", "srgb"), help="see train.py; default: as trained")
    add(
        "--matting",
        choices=("auto", "off"),
        default="auto",
        help="auto solves the subject's alpha and own colours around its edge, which keeps hair and leaves little "
        "sharp beside it; off is faster: a guided filter, and the photo's colours",
    )
    add(
        "--camera",
        action="store_true",
        help="render with layers, lights that open into discs and grain; the options below shape it (docs/camera.md)",
    )
    add_camera_options(
        parser,
        "lens output with --camera",
        "shape",
        "brings --camera with it, and blurs by the focal length, f-number and distance",
    )
    add_focus_options(parser, "lens output: depth and focus, which bring --camera with them")
    for name in ("focus_range", "soft_range"):
        add(
            f"--{name}",
            type=finite,
            nargs=2,
            metavar=("LOW", "HIGH"),
            help="see train.py; default: as trained",
        )


def aperture(value: str) -> float | str:
    """What `--aperture` is given: a factor, or `AUTO`."""
    return value if value == AUTO else float(value)


def check_lens_test_options(opt: Options) -> None:
    """Raise a `UserError` for values of `add_lens_test_options` that can't work."""
    if opt.aperture is not None and not isinstance(opt.aperture, str) and not non_negative.fits(opt.aperture):
        raise UserError(f"--aperture {opt.aperture}: must be 0 or more, or {AUTO}")
    aperture_of_options(opt)
    Focus.parse(opt.focus)
    check_lens_options(opt)


def check_lens_options(opt: Options) -> None:
    """Raise a `UserError` for values that can't work, of the options that training and testing share."""
    if opt.focus_range and not opt.focus_range[0] < opt.focus_range[1]:
        raise UserError("--focus_range LOW HIGH: LOW must be below HIGH")
    if opt.soft_range and opt.soft_range != [0, 0] and not 0 < opt.soft_range[0] < opt.soft_range[1]:
        raise UserError("--soft_range LOW HIGH: LOW must be above 0 and below HIGH; 0 0 turns it off")
