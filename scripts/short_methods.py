"""The methods of the tables on top of docs/ablation.md, and the commands that make their results.

The strength of every method is told in one unit: the radius of its blur in pixels of a photo whose shorter side is 256.
Of ours it is that of what is farthest behind.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from util.errors import UserError
from util.files import is_up_to_date
from util.images import find_by_stem
from util.optics.presets import RADIUS_OF_APERTURE

Run = Callable[[list[str]], None]

# Its masks are small: they follow the photo's own edges. RVM's mattes are of the photo's size.
SEGMENTERS = {"selfie": ("--soft", "--refine"), "rvm": ("--soft",)}


@dataclass(frozen=True)
class PhotoSet:
    """Photos that methods run on.

    Attributes:
        role: the set's name.
        photos: the folder of inputs.
        figures: the options of evaluate.py that say where they, and what is true of them, are.
        times: how many times its strength a method runs with.
    """

    role: str
    photos: Path
    figures: tuple[str, ...] = ()
    times: int = 1

    @property
    def measured(self) -> str:
        """The name of its figures, in folders and in tables."""
        return self.role if self.times == 1 else f"{self.role}_x{self.times}"


@dataclass(frozen=True)
class Published:
    """A published model: its results are there, of some portraits."""

    title: str
    folder: str
    in_short: bool = False


@dataclass(frozen=True)
class Behind:
    """A blur behind a segmenter's mask; `blur` is one of scripts/peer_blur.py."""

    title: str
    segmenter: str
    blur: str
    in_short: bool = False


@dataclass(frozen=True)
class Generator:
    """A generator of ours, trained with several seeds.

    Attributes:
        masks: the segmenter that tells it the subject.
        radius: what test.py is told of how much each place is blurred.
    """

    title: str
    checkpoints: tuple[str, ...]
    masks: str = ""
    radius: str = "pretrained/radius/latest_net_P.pth"
    in_short: bool = False


Method = Published | Behind | Generator


def seeds_of(name: str) -> tuple[str, ...]:
    """The generator that comes with the code, and what scripts/train_shipped.sh makes of it with two other seeds."""
    return (f"pretrained/{name}", f"checkpoints/{name}_seed2", f"checkpoints/{name}_seed3")


METHODS: tuple[Method, ...] = (
    Published("published CycleGAN", "cyclegan", in_short=True),
    Published("published mask loss", "mask_loss"),
    Published("published overlay, the paper's method", "overlay", in_short=True),
    Published("published overlay and mask loss", "combined"),
    Behind("selfie segmenter, Gaussian behind its mask", "selfie", "gaussian", in_short=True),
    Behind("selfie segmenter, disc behind its mask", "selfie", "lens_disc"),
    Behind("RVM, Gaussian behind its matte", "rvm", "gaussian"),
    Behind("RVM, disc behind its matte", "rvm", "lens_disc", in_short=True),
    Generator("ours, told RVM's matte", seeds_of("portrait_mask"), masks="rvm", in_short=True),
    Generator("ours alone", seeds_of("portrait"), in_short=True),
    Generator(
        "ours, told RVM's matte, one radius", ("pretrained/portrait_mask",), masks="rvm", radius="none"
    ),
    Generator("ours alone, one radius", ("pretrained/portrait",), radius="none"),
)


def entries_of(method: Method) -> tuple[str, ...]:
    """What of a method has figures of its own: each seed's checkpoint that is there, or the method as such."""
    if isinstance(method, Generator):
        return tuple(folder for folder in method.checkpoints if Path(folder).is_dir())
    return ("",)


def name_of(method: Method, entry: str) -> str:
    """A name for files: the method's title, and the checkpoint where there are several."""
    words = [word for word in method.title.lower().replace(",", "").split() if word.isalpha()]
    several = isinstance(method, Generator) and len(method.checkpoints) > 1
    return "_".join([*words, Path(entry).name] if several else words)


class Maker:
    """Makes results below a folder; what is there and up to date is not made again.

    Args:
        work: the folder.
        published: folder of the published models' results, or None.
        run: runs a command of this repository.
    """

    def __init__(self, work: Path, published: Path | None, run: Run) -> None:
        self._work, self._published, self._run = work, published, run

    def results(self, method: Method, entry: str, radius: float, photos: PhotoSet) -> Path:
        """The folder of the results with this radius of blur; makes those that are missing."""
        if isinstance(method, Published):
            if self._published is None:
                raise UserError("--published: say where the published models' results are")
            return self._published / method.folder
        output = self._work / "results" / photos.role / f"{name_of(method, entry)}_{radius:g}"
        if isinstance(method, Behind):
            masks = self.masks(method.segmenter, photos)
            flags = ["--masks", str(masks), "--blur", method.blur, "--radius", f"{radius:g}"]
            self._make(photos, output, "scripts/peer_blur.py", flags)
            return output
        flags = ["--aperture", f"{radius / RADIUS_OF_APERTURE:g}", "--radius", method.radius]
        self._make(photos, output, "test.py", [*self._flags_of(method, entry, photos), *flags])
        return output

    def _flags_of(self, method: Generator, entry: str, photos: PhotoSet) -> list[str]:
        """Which generator, and what it is told of the photos."""
        folder = Path(entry)
        flags = ["--checkpoints_dir", str(folder.parent), "--name", folder.name]
        return [*flags, "--masks", str(self.masks(method.masks, photos))] if method.masks else flags

    def alphas(self, method: Behind | Generator, entry: str, photos: PhotoSet) -> Path:
        """The folder of what a method takes for in focus."""
        if isinstance(method, Behind):
            return self.masks(method.segmenter, photos)
        # Whatever the strength and the radii.
        name = "_".join(filter(None, [Path(entry).name, method.masks]))
        output = self._work / "in_focus" / photos.role / name
        self._make(photos, output, "scripts/in_focus.py", self._flags_of(method, entry, photos))
        return output

    def masks(self, segmenter: str, photos: PhotoSet) -> Path:
        """The folder of a segmenter's masks, made once for all that use them."""
        output = self._work / "masks" / segmenter / photos.role
        flags = ["--segmenter", segmenter, *SEGMENTERS[segmenter]]
        self._make(photos, output, "deeplab/inference.py", flags)
        return output

    def _make(self, photos: PhotoSet, output: Path, program: str, flags: list[str]) -> None:
        made = find_by_stem(output) if output.is_dir() else {}
        sources = find_by_stem(photos.photos)
        # Starting a program takes longer than many a result does.
        if all(stem in made and is_up_to_date(made[stem], source) for stem, source in sources.items()):
            return
        place = ["--input", str(photos.photos), "--output", str(output)]
        self._run([sys.executable, program, *place, *flags])
