"""Maps of depth, read from files or estimated by Depth Anything V2 (Yang et al. 2024, arXiv 2406.09414).

Everywhere in here depth is inverse and relative: `[H,W] in [0,1]`, 1 is near.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch

from deeplab.weights import cached
from util.errors import UserError
from util.files import sha256_of
from util.guided_filter import guided_filter
from util.images import ImageError, read_pixels, upper_byte
from util.images.own_depth import own_depth
from util.optics.focus_options import FocusOptions
from util.resize import resized

URL = (
    "https://huggingface.co/onnx-community/depth-anything-v2-small/resolve/"
    "4472b7362082ad9968fee890ca0f1e5aca36b93d/onnx/model.onnx"
)
SHA256 = "afb6a5c28f3b6bf1618c6e43f02073ef9dfdc70e937502d51603e57b0a1df10c"
NAME = "depth_anything_v2_small.onnx"

SIDE = 518  # pixels of the shorter side that the network sees
PATCH = 14  # both sides are multiples of it
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)

SUFFIXES = (".png", ".npy", ".pfm", ".tif", ".tiff", ".jpg")
# Sides of a map may differ from the photo's in proportion by rounding, not by a crop.
PROPORTION = 0.03
# Guided filter that moves a map's edges to the photo's: window as a share of the shorter side, photos in [-1,1].
EDGE_SHARE = 1 / 100
EDGE_EPS = 2e-3


def read_depth(path: Path, far_is_bright: bool = False) -> np.ndarray:
    """A map from a file, `[H,W] in [0,1]`, near is 1: 8 or 16-bit image, `.npy` or `.pfm`.

    Raises:
        UserError: missing, unreadable, not a map, not finite, or the same everywhere.
    """
    if path.suffix == ".npy":
        depth = _read_npy(path)
    elif path.suffix == ".pfm":
        found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
        if found is None:
            raise UserError(f"{path}: no such file, or not a PFM")
        depth = found
    else:
        depth = read_pixels(path, channels=1)[..., 0]
    if depth.dtype.kind not in "buif":
        raise UserError(f"{path}: a depth map is [H,W] of numbers, this is of {depth.dtype}")
    depth = np.asarray(depth, np.float32)
    if depth.ndim == 3:
        depth = depth[0] if len(depth) == 1 else depth[..., 0]
    if depth.ndim != 2 or not depth.size:
        raise UserError(f"{path}: a depth map is [H,W], this is {depth.shape}")
    if not np.isfinite(depth).all():
        raise UserError(f"{path}: has values that are not finite (NaN); fill them, or give another map")
    low, high = float(depth.min()), float(depth.max())
    if high <= low:
        raise UserError(f"{path}: the same depth everywhere; give another map, or none")
    depth = (depth - low) / (high - low)
    return 1 - depth if far_is_bright else depth


def _read_npy(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: can't be read as an array ({error})") from None


def has_proportions(depth: np.ndarray, photo: np.ndarray) -> bool:
    """Whether a map `[h,w]` can belong to a photo `[H,W,3]`: one of other proportions is of another, or of a crop."""
    (rows, columns), (height, width) = depth.shape, photo.shape[:2]
    return bool(abs(np.log(rows / columns * width / height)) <= PROPORTION)


def fitted(depth: np.ndarray, photo: np.ndarray, name: str) -> np.ndarray:
    """A map at the size of `photo` `[H,W,3]` uint8, its edges moved to the photo's.

    Raises:
        UserError: a map of other proportions.
    """
    height, width = photo.shape[:2]
    if not has_proportions(depth, photo):
        size = f"{depth.shape[1]} x {depth.shape[0]}"
        raise UserError(f"{name}: {size} has not the proportions of the photo, {width} x {height}")
    depth = cv2.resize(depth, (width, height), interpolation=cv2.INTER_LINEAR)
    guide = torch.from_numpy(photo.astype(np.float32).transpose(2, 0, 1) / 127.5 - 1)[None]
    reach = max(1, round(EDGE_SHARE * min(height, width)))
    target = torch.from_numpy(depth)[None, None]
    moved = guided_filter(guide, target, reach, EDGE_EPS, subsample=max(1, reach // 4))
    return moved[0, 0].clamp(0, 1).numpy()


class DepthEstimator:
    """Depth Anything V2, or any ONNX file of its interface: `[1,3,h,w]` -> relative inverse depth `[1,h,w]`.

    Args:
        weights: the file; None fetches Depth Anything V2 Small into the cache, 99 MB.

    Raises:
        UserError: weights that are missing, damaged, can't be fetched, or are another kind of network.
    """

    def __init__(self, weights: Path | None = None):
        import onnxruntime  # here, as it takes a quarter of a second that maps from files save

        self.path = weights or cached(URL, _check, NAME, "--depth_weights")
        if not self.path.is_file():
            raise UserError(f"--depth_weights {self.path}: no such file")
        try:
            self._session = onnxruntime.InferenceSession(self.path, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise UserError(f"--depth_weights {self.path}: not an ONNX network ({error})") from None

    def __call__(self, photo: np.ndarray) -> np.ndarray:
        """uint8 `[H,W,3]` -> `[H,W] in [0,1]`, near is 1.

        Raises:
            UserError: a network of another interface.
        """
        height, width = photo.shape[:2]
        scale = SIDE / min(height, width)
        rows, columns = (max(1, round(side * scale / PATCH)) * PATCH for side in (height, width))
        small = resized(photo, (columns, rows))
        seen = ((small.astype(np.float32) / 255 - MEAN) / DEVIATION).transpose(2, 0, 1)[None]
        try:
            depth = self._session.run(None, {self._session.get_inputs()[0].name: seen})[0]
        except Exception as error:
            raise UserError(
                f"--depth_weights {self.path}: does not take photos [1,3,h,w] ({error})"
            ) from None
        depth = np.squeeze(depth).astype(np.float32)
        if depth.ndim != 2:
            raise UserError(f"--depth_weights {self.path}: gives {depth.shape}, not a map [h,w]")
        span = max(float(depth.max() - depth.min()), 1e-6)
        return cv2.resize((depth - depth.min()) / span, (width, height), interpolation=cv2.INTER_LINEAR)


@lru_cache(maxsize=1)
def estimator(weights: Path | None) -> DepthEstimator:
    """One estimator per process."""
    return DepthEstimator(weights)


def _check(part: Path, name: str) -> None:
    digest = sha256_of(part)
    if digest != SHA256:
        raise ValueError(f"{name}: its SHA-256 is {digest}")


def _lacks_depth(photo: Path) -> bool:
    try:
        return own_depth(photo) is None
    except ImageError:  # told when its turn comes
        return False


@dataclass(frozen=True)
class DepthSource:
    """What `--depth` means.

    Attributes:
        where: `auto` takes what the photo itself holds (`util.images.own_depth`), and else estimates; a file is the
            map, a folder has one by the photo's stem.
        far_is_bright: in files far is bright, not near.
        weights: of the network that estimates; None: the download.
    """

    where: str
    far_is_bright: bool = False
    weights: Path | None = None

    @classmethod
    def of_options(cls, opt: FocusOptions) -> "DepthSource | None":
        """What the options of `util.optics.focus_options.add_focus_options` state; None without --depth.

        Raises:
            UserError: no such file or folder; an option that needs --depth.
        """
        if opt.depth in ("", "none"):
            if opt.depth_far_bright or opt.depth_weights:
                raise UserError("--depth_far_bright and --depth_weights: need --depth")
            return None
        if opt.depth != "auto" and not Path(opt.depth).exists():
            raise UserError(f"--depth {opt.depth}: no such file or folder; or use auto")
        return cls(opt.depth, opt.depth_far_bright, opt.depth_weights)

    def prepare(self, photos: Iterable[Path]) -> None:
        """Load the network if one of `photos` needs it: what is wrong with it shows before the work.

        Raises:
            UserError: weights that are missing, damaged or can't be fetched.
        """
        if self.where == "auto" and any(_lacks_depth(photo) for photo in photos):
            estimator(self.weights)

    def __call__(self, photo: Path, pixels: np.ndarray) -> np.ndarray:
        """Depth of a photo with these `pixels` `[H,W,3]`, uint8 or uint16: `[H,W] in [0,1]`, near is 1.

        Raises:
            UserError: no map for this photo, or one that can't be used.
        """
        pixels = upper_byte(pixels)
        if self.where == "auto":
            depth = own_depth(photo)
            if depth is None or not has_proportions(depth, pixels):
                depth = estimator(self.weights)(pixels)
            return fitted(depth, pixels, str(photo))
        path = Path(self.where)
        if path.is_dir():
            found = [path / f"{photo.stem}{suffix}" for suffix in SUFFIXES]
            path = next((file for file in found if file.is_file()), found[0])
        if not path.is_file():
            raise UserError(
                f"--depth {self.where}: no map for {photo.name}; make one with deeplab/depth.py, or use auto"
            )
        return fitted(read_depth(path, self.far_is_bright), pixels, str(path))
