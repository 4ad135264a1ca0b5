"""People with loose hair before other photos: composites whose alpha, colours and background are known.

Light is linear where parts are laid over each other, as in a camera, which then adds noise and writes a JPEG.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np
from PIL import Image

from datasets.demo_scenes import make_plate, to_8_bit
from datasets.lab_parts import Person, demo_person, lit, resized, with_hair
from util.optics.arrays import linear_to_srgb, srgb_to_linear
from util.resize import resized as resized_plain

STRANDS = 120  # of loose hair
NOISE = 0.008  # standard deviation, white being 1
QUALITY = 92  # of the JPEG


@dataclass(frozen=True)
class Composite:
    """`photo` uint8 `[S,S,3]`; `alpha` and the share of loose `hair`, float32 `[S,S]` in [0,1]; `behind`, uint8 sRGB
    `[S,S,3]`, what the person hides.
    """

    photo: np.ndarray
    alpha: np.ndarray
    hair: np.ndarray
    behind: np.ndarray


def make_composite(
    rng: np.random.Generator,
    size: int,
    people: Sequence[Person] = (),
    backgrounds: Sequence[np.ndarray] = (),
) -> Composite:
    """A portrait of `size` pixels.

    Args:
        people: to choose from; without any, the person of the demo.
        backgrounds: sRGB photos uint8 `[H,W,3]` to choose from; without any, those of scikit-image.
    """
    person = people[int(rng.integers(len(people)))] if people else demo_person(rng)
    layer, hair = _placed(rng, person, size)
    plate = _plate_of(rng, backgrounds, size) if backgrounds else make_plate(rng, size)
    alpha, light = layer[..., 3], layer[..., :3]
    light = light + (1 - alpha[..., None]) * plate
    seen = linear_to_srgb(np.clip(light, 0, 1)) + NOISE * rng.standard_normal(light.shape)
    behind = to_8_bit(linear_to_srgb(np.clip(plate, 0, 1)))
    return Composite(as_jpeg(to_8_bit(np.clip(seen, 0, 1))), alpha, hair, behind)


def _placed(rng: np.random.Generator, person: Person, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The person with loose hair in a frame, premultiplied light and coverage `[S,S,4]`, and the hair's share."""
    top = rng.uniform(0.12, 0.3) * size
    # A bust fills the frame to its lower border, a whole body is cut off at the waist.
    length = rng.uniform(1.05, 1.3) if person.is_bust else rng.uniform(1.5, 2.2)
    scale = length * (size - top) / (person.bottom - person.top)
    picture, head = resized(lit(rng, person), scale), person.head * scale
    if rng.random() < 0.5:
        picture, head = picture[:, ::-1], picture.shape[1] - head
    around = round(0.12 * size)
    picture, hair = with_hair(rng, np.pad(picture, ((around, 0), (around, around), (0, 0))), STRANDS)
    left = round(rng.uniform(0.35, 0.65) * size - head - around)
    shift = np.array([[1, 0, left], [0, 1, round(top - person.top * scale - around)]], np.float32)
    moved = cv2.warpAffine(np.dstack([picture, hair]), shift, (size, size), flags=cv2.INTER_NEAREST)
    return moved[..., :4], moved[..., 4]


def _plate_of(rng: np.random.Generator, backgrounds: Sequence[np.ndarray], size: int) -> np.ndarray:
    """A random square of one of the photos, mirrored at times, as linear light `[size,size,3]`."""
    photo = backgrounds[int(rng.integers(len(backgrounds)))]
    shorter = min(photo.shape[:2])
    side = int(rng.uniform(0.8, 1) * shorter)
    y, x = (int(rng.integers(length - side + 1)) for length in photo.shape[:2])
    square = resized_plain(photo[y : y + side, x : x + side], (size, size))
    return srgb_to_linear(square[:, :: rng.choice([-1, 1])].astype(np.float32) / 255)


def as_jpeg(photo: np.ndarray) -> np.ndarray:
    """`photo` uint8 `[H,W,3]` as it comes back from a JPEG."""
    file = BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=QUALITY)
    return np.asarray(Image.open(file).convert("RGB"))
