"""Scenes of the lab: a person, the ground, walls and things around, as planes that a thin lens can look at.

The camera stands `CAMERA_HEIGHT` above a level ground. Pixel (x, y) of the frame looks along ((x - x_c) / f,
(y - y_h) / f, 1), f being the focal length in pixels, x_c the middle and y_h the horizon's row; distances Z are metres
along the axis.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from datasets.demo_scenes import make_plate
from datasets.lab_lens import Layer, ThinLens, depth_of, frame_of, render
from datasets.lab_parts import (
    TEXELS_PER_METRE,
    Person,
    demo_person,
    leaves,
    lit,
    on_plane,
    resized,
    small_light,
    tinted,
    with_hair,
)
from util.measure.lab import Light
from util.optics.arrays import linear_to_srgb

CAMERA_HEIGHT = 1.5  # m
FOCAL = 1.1  # focal length in widths of the frame: a view of 49 degrees
BODY_HEIGHT = 1.7  # m, of people who stand
KINDS = ("portrait", "portrait", "standing")  # in turn
# Linear light: variance of the noise is READ^2 + SHOT * light, for every second scene.
READ, SHOT = 0.003, 2e-4


@dataclass
class LabScene:
    """What the lens looks at.

    Attributes:
        kind: 'portrait', the person ends below the frame, or 'standing', on the ground or on a plinth.
        layers: from back to front; `subject` is the place of the person's among them.
        hair: share `[S,S]` of each pixel that loose hair has.
        lenses: by name; `pinhole` sees all in focus.
        noise: standard normal field `[S,S,3]` of the sensor, the same for all photos; None without noise.
    """

    kind: str
    size: int
    horizon: float
    layers: list[Layer]
    subject: int
    hair: np.ndarray
    lenses: dict[str, ThinLens]
    lights: list[Light] = field(default_factory=list)
    noise: np.ndarray | None = None

    def photo(self, name: str) -> np.ndarray:
        """What the lens `name` makes, sRGB in [0,1], `[S,S,3]`."""
        light = render(self.layers, self.size, self.lenses[name])
        if self.noise is not None:
            light = light + self.noise * np.sqrt(READ**2 + SHOT * np.maximum(light, 0))
        return linear_to_srgb(np.clip(light, 0, 1))

    def alpha(self) -> np.ndarray:
        """How much of each pixel the subject has in the photo where all is in focus, `[S,S]`."""
        alpha = frame_of(self.layers[self.subject], self.size)[3]
        for layer in self.layers[self.subject + 1 :]:
            alpha = alpha * (1 - frame_of(layer, self.size)[3])
        return np.clip(alpha, 0, 1)

    def inverse_depth(self) -> np.ndarray:
        """1/Z `[S,S]` of what is in front, 1/m."""
        return depth_of(self.layers, self.size)


class Stage:
    """Builds the layers of a scene; `margin` pixels around the frame are filled too, for what moves into it."""

    def __init__(self, rng: np.random.Generator, size: int, margin: int, horizon: float) -> None:
        self.rng, self.size, self.margin, self.horizon = rng, size, margin, horizon
        self.focal = FOCAL * size
        self.canvas = size + 2 * margin
        y, x = np.mgrid[: self.canvas, : self.canvas].astype(np.float32) - margin
        self.x, self.y = x, y
        self.right, self.down = (x - size / 2) / self.focal, (y - horizon) / self.focal

    def layer(self, light: np.ndarray, coverage: np.ndarray, inverse_depth: tuple) -> Layer:
        """A layer of the whole canvas from light `[h,w,3]`, premultiplied here, and its coverage `[h,w]`."""
        planes = np.dstack([light * coverage[..., None], coverage]).astype(np.float32)
        return Layer(np.moveaxis(planes, -1, 0).copy(), -self.margin, -self.margin, inverse_depth)

    def sprite(self, picture: np.ndarray, top: float, left: float, inverse_depth: float) -> Layer:
        """A layer from a premultiplied picture `[h,w,4]` at a place of the frame, with room for its soft edges."""
        padded = np.pad(picture, ((2, 2), (2, 2), (0, 0)))
        place = round(top) - 2, round(left) - 2
        return Layer(np.moveaxis(padded, -1, 0).copy(), *place, (inverse_depth, 0, 0))

    def ground_row(self, inverse_depth: float) -> float:
        """The row where the ground has this inverse depth."""
        return self.horizon + self.focal * CAMERA_HEIGHT * inverse_depth

    def surroundings(self, backdrop: float) -> list[Layer]:
        """A backdrop of this inverse depth, perhaps a slanted wall beside it, and the ground before both."""
        night = self.rng.random() < 0.4
        plate = make_plate(self.rng, self.canvas) * (0.12 if night else 1)
        layers = [self.layer(plate, np.ones(plate.shape[:2]), (backdrop, 0, 0))]
        behind = np.full(self.x.shape, backdrop, np.float32)
        if self.rng.random() < 0.6:
            q, q_x = self._wall(backdrop)
            wall = q + q_x * self.x
            coverage = np.clip(0.5 + (wall - backdrop) / abs(q_x), 0, 1)
            layers.append(self.layer(self._wall_light(wall, night), coverage, (q, q_x, 0)))
            behind = np.maximum(behind, wall)
        gradient = 1 / (self.focal * CAMERA_HEIGHT)
        ground = self.horizon + behind / gradient
        coverage = np.clip(0.5 + self.y - ground, 0, 1)
        plane = (-self.horizon * gradient, 0, gradient)
        return [*layers, self.layer(self._ground_light(night), coverage, plane)]

    def _wall(self, backdrop: float) -> tuple[float, float]:
        """(q, q_x) of a wall that comes nearer from the backdrop to one side of the frame."""
        near = backdrop + self.rng.uniform(0.1, 0.35)
        meets = self.rng.uniform(0.15, 0.45) * self.size  # from that side
        q_x = (near - backdrop) / meets
        return (near, -q_x) if self.rng.random() < 0.5 else (near - q_x * self.size, q_x)

    def _wall_light(self, wall: np.ndarray, night: bool) -> np.ndarray:
        distance = 1 / np.maximum(wall, 0.01)
        along = np.hypot(self.right * distance, distance)
        scale = TEXELS_PER_METRE["brick"]
        seen = on_plane(tinted(self.rng, "brick"), along * scale, (self.down * distance + 3) * scale)
        return seen * (0.2 if night else 1)

    def _ground_light(self, night: bool) -> np.ndarray:
        distance = CAMERA_HEIGHT / np.maximum(self.down, 0.02)
        name = ("grass", "gravel", "brick")[self.rng.integers(3)]
        scale = TEXELS_PER_METRE[name]
        seen = on_plane(tinted(self.rng, name), (self.right * distance + 20) * scale, distance * scale)
        return seen * (0.25 if night else 1)

    def thing(self, inverse_depth: float) -> Layer:
        """A post, a box or a bush that stands on the ground."""
        metre = self.focal * inverse_depth
        kind = ("post", "box", "bush")[self.rng.integers(3)]
        heights, widths = {
            "post": ((2.5, 4), (0.06, 0.2)),
            "box": ((0.4, 1.2), (0.4, 1.2)),
            "bush": ((0.8, 1.8), (0.8, 1.6)),
        }[kind]
        height, width = (max(4, round(metre * self.rng.uniform(*extent))) for extent in (heights, widths))
        light = make_plate(self.rng, max(height, width))[:height, :width]
        if kind == "bush":
            picture = leaves(self.rng, height, width, 24, 0.7 * light)
        else:
            picture = np.dstack([light, np.ones(light.shape[:2])]).astype(np.float32)
        left = self.rng.uniform(-0.1, 0.95) * self.size
        return self.sprite(picture, self.ground_row(inverse_depth) - height, left, inverse_depth)

    def in_front(self, inverse_depth: float) -> Layer:
        """A twig that hangs into the frame from a side, nearer than the subject."""
        height, width = (round(self.size * self.rng.uniform(0.3, 0.5)) for _ in range(2))
        light = make_plate(self.rng, max(height, width))[:height, :width]
        picture = np.rot90(leaves(self.rng, height, width, 7, 0.6 * light), 1 + 2 * int(self.rng.integers(2)))
        from_left = self.rng.random() < 0.5
        picture = picture[:, ::-1] if from_left else picture
        left = -0.25 * width if from_left else self.size - 0.75 * picture.shape[1]
        return self.sprite(picture, self.rng.uniform(0, 0.5) * self.size, left, inverse_depth)

    def subject(self, person: Person, kind: str, inverse_depth: float) -> tuple[list[Layer], np.ndarray]:
        """The person, behind her a plinth where a bust stands on one, and her loose hair `[S,S]`."""
        body = person.bottom - person.top
        if kind == "portrait":
            top = self.rng.uniform(0.08, 0.25) * self.size
            scale = self.rng.uniform(1.05, 1.4) * (self.size + self.margin - top) / body
        elif person.is_bust:
            scale = self.rng.uniform(0.4, 0.5) * self.size / body
            top = self.ground_row(inverse_depth) - self.rng.uniform(0.1, 0.2) * self.size - body * scale
        else:
            scale = BODY_HEIGHT * self.focal * inverse_depth / body
            top = self.ground_row(inverse_depth) - body * scale
        picture, head = resized(lit(self.rng, person), scale), person.head * scale
        if self.rng.random() < 0.5:
            picture, head = picture[:, ::-1], picture.shape[1] - head
        around = round(0.08 * self.size) if kind == "portrait" else round(0.04 * self.size)
        # Room for hair beyond the cut-out, but not below it, where a bust would get a soft edge.
        picture = np.pad(picture, ((around, 0), (around, around), (0, 0)))
        picture, strands = with_hair(self.rng, picture, 70 if kind == "portrait" else 30)
        left = self.rng.uniform(0.35, 0.65) * self.size - head - around
        top -= person.top * scale + around
        layer = self.sprite(picture, top, left, inverse_depth)
        hair = frame_of(self.sprite(np.dstack([strands] * 4), top, left, inverse_depth), self.size)[3]
        if kind == "portrait" or not person.is_bust:
            return [layer], hair
        end = round(top) + picture.shape[0]
        return [self._plinth(inverse_depth, end, left + head + around, 0.7 * body * scale), layer], hair

    def _plinth(self, inverse_depth: float, top: int, middle: float, width: float) -> Layer:
        height = max(4, round(float(self.ground_row(inverse_depth))) - top + 1)
        light = make_plate(self.rng, max(height, round(width)))[:height, : round(width)]
        picture = np.dstack([light, np.ones(light.shape[:2])]).astype(np.float32)
        return self.sprite(picture, top - 1, middle - width / 2, inverse_depth)


def make_scene(rng: np.random.Generator, size: int, number: int, people: Sequence[Person] = ()) -> LabScene:
    """The scene of this number: its kind goes by turns, all else is random.

    Args:
        people: to choose the subject from; without any, the person of the demo.
    """
    kind = KINDS[number % len(KINDS)]
    horizon = rng.uniform(0.36, 0.46) * size
    distance = rng.uniform(1.6, 2.4) if kind == "portrait" else rng.uniform(3.2, 3.8)
    q_subject, q_backdrop = 1 / distance, 1 / (distance + rng.uniform(2.5, 10))
    q_front = q_subject * rng.uniform(1.4, 1.9)
    wide = rng.uniform(4, 6) * size / 256 / (q_subject - q_backdrop)
    lenses = {
        "pinhole": ThinLens(0, q_subject),
        "narrow": ThinLens(wide / 2, q_subject),
        "wide": ThinLens(wide, q_subject),
        "far": ThinLens(wide, q_backdrop),
    }
    stage = Stage(rng, size, int(np.ceil(wide * (q_front - q_backdrop))) + 4, horizon)
    layers = stage.surroundings(q_backdrop)
    lights = (
        [] if rng.random() < 0.5 else _add_lights(stage, layers, q_backdrop, wide * (q_subject - q_backdrop))
    )
    for q in sorted(rng.uniform(q_backdrop, q_subject, rng.integers(1, 4))):
        layers.append(stage.thing(float(q)))
    person = people[int(rng.integers(len(people)))] if people else demo_person(rng)
    bodies, hair = stage.subject(person, kind, q_subject)
    layers += bodies
    subject = len(layers) - 1
    if rng.random() < 0.35:
        layers.append(stage.in_front(q_front))
    noise = rng.standard_normal((size, size, 3)).astype(np.float32) if number % 2 else None
    scene = LabScene(kind, size, horizon, layers, subject, hair, lenses, [], noise)
    scene.lights = _with_clear(scene, lights, wide * (q_subject - q_backdrop))
    return scene


def _add_lights(stage: Stage, layers: list[Layer], inverse_depth: float, disc: float) -> list[Light]:
    """Put lights before the backdrop, brighter than white, so that their discs of radius `disc` are about as bright."""
    rng, radius = stage.rng, stage.size / 256 * stage.rng.uniform(0.6, 1)
    lights = []
    for _ in range(rng.integers(5, 10)):
        x = rng.uniform(0, stage.size)
        y = rng.uniform(0, 0.9 * min(stage.size, stage.ground_row(inverse_depth)))
        color = rng.uniform(0.4, 0.9) * np.array([1, rng.uniform(0.6, 1), rng.uniform(0.3, 1)])
        light, top, left = small_light(x, y, radius, color * (disc / radius) ** 2)
        layers.append(Layer(light, top, left, (inverse_depth, 0, 0)))
        lights.append(Light(x, y, radius, inverse_depth, clear=False))
    return lights


def _with_clear(scene: LabScene, lights: list[Light], disc: float) -> list[Light]:
    """The lights, marked where the widest disc is seen whole and alone."""
    before = np.zeros((scene.size, scene.size), np.float32)
    depth = scene.inverse_depth()
    before[depth > scene.lenses["far"].focus * 1.001] = 1
    reach = disc + 4
    distance = cv2.distanceTransform(np.uint8(before == 0), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    found = []
    for light in lights:
        others = [np.hypot(light.x - other.x, light.y - other.y) for other in lights if other is not light]
        inside = min(light.x, light.y, scene.size - 1 - light.x, scene.size - 1 - light.y) > reach
        clear = inside and distance[round(light.y), round(light.x)] > reach and min(others) > 2 * reach
        found.append(Light(light.x, light.y, light.radius, light.inverse_depth, bool(clear)))
    return found
