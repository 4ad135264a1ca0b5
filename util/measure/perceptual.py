"""Figures by pretrained networks: LPIPS of a photo, FID and KID of a set. Weights come from files."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

import util.torchvision_cpu  # noqa: F401 - before the libraries that import torchvision
from util.checkpoint import load
from util.errors import UserError
from util.images import read_image

INCEPTION_SIDE = 299  # pixels
INCEPTION_FEATURES = "2048"  # the last pooling layer, by torch-fidelity's name
BATCH = 16
KID_SUBSET = 1000  # photos; fewer if the sets are smaller


class Lpips:
    """LPIPS (Zhang et al. 2018), AlexNet, v0.1: 0 means alike.

    The linear layers come with the library; the ImageNet weights of AlexNet are torchvision's file
    `alexnet-owt-7be5be79.pth`.
    """

    def __init__(self, weights: str | os.PathLike) -> None:
        """Raises:
        UserError: `weights` is missing or not AlexNet's.
        """
        state = load(weights, "see --lpips_weights")
        # Not above, where it would come before util.torchvision_cpu.
        import lpips

        self._device = _device()
        with warnings.catch_warnings():
            # The library uses torchvision's former names.
            warnings.simplefilter("ignore", UserWarning)
            self._network = lpips.LPIPS(net="alex", pnet_rand=True, spatial=True, verbose=False)
        slices = [getattr(self._network.net, f"slice{n}") for n in range(1, self._network.net.N_slices + 1)]
        try:
            for part in slices:
                part.load_state_dict(
                    {
                        name: state[f"features.{name}"]
                        # Keeps the layers' numbers of AlexNet's `features`.
                        for name in part.state_dict()
                    }
                )
        except (KeyError, RuntimeError) as error:
            raise UserError(f"--lpips_weights {weights}: not torchvision's AlexNet ({error})") from None
        self._network.to(self._device).eval()

    @torch.inference_mode()
    def of_subject(self, output: np.ndarray, source: np.ndarray, subject: np.ndarray) -> float:
        """Mean LPIPS over the subject, all else taken from `source` so that only the subject can differ.

        Args:
            output, source: float `[H,W,3]` in [0,1].
            subject: boolean `[H,W]`.
        """
        if not subject.any():
            return float("nan")
        compared = np.where(subject[..., None], output, source)
        tensors = (torch.from_numpy(x).permute(2, 0, 1)[None].float() for x in (compared, source))
        x, y = (tensor.to(self._device) for tensor in tensors)
        spread = self._network(x, y, normalize=True)[0, 0].cpu().numpy()
        return float(spread[subject].mean())


class Inception:
    """Features of the Inception network that FID and KID are defined by, through torch-fidelity."""

    def __init__(self, weights: str | os.PathLike) -> None:
        """`weights` is torch-fidelity's `weights-inception-2015-12-05-6726825d.pth`.

        Raises:
            UserError: `weights` is missing or another network's.
        """
        # The library would unpickle anything; this does not.
        load(weights, "see --inception_weights")
        from torch_fidelity.utils import create_feature_extractor

        self._device = _device()
        try:
            self._extractor = create_feature_extractor(
                "inception-v3-compat",
                [INCEPTION_FEATURES],
                cuda=self._device == "cuda",
                feature_extractor_weights_path=str(weights),
                verbose=False,
            )
        except RuntimeError as error:
            first = str(error).splitlines()[0]
            raise UserError(
                f"--inception_weights {weights}: not torch-fidelity's Inception ({first})"
            ) from None

    @torch.inference_mode()
    def features(self, paths: Sequence[Path], title: str) -> torch.Tensor:
        """Features `[N,2048]` of photos, each scaled to 299x299 by an antialiased bicubic filter."""
        found = []
        for start in tqdm(range(0, len(paths), BATCH), title, leave=False):
            batch = torch.stack([_inception_input(path) for path in paths[start : start + BATCH]])
            found.append(self._extractor(batch.to(self._device))[0].cpu())
        return torch.cat(found)


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def fid(features: torch.Tensor, real_features: torch.Tensor) -> float:
    """Frechet distance between Gaussians fitted to features `[N,D]` (Heusel et al. 2017).

    Biased upwards by few photos: compare only sets of equal size.
    """
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

    statistics = (fid_features_to_statistics(x) for x in (features, real_features))
    return fid_statistics_to_metric(*statistics, verbose=False)[KEY_METRIC_FID]


def kid(features: torch.Tensor, real_features: torch.Tensor) -> float:
    """Kernel distance of features `[N,D]`: unbiased, cubic polynomial kernel (Binkowski et al. 2018)."""
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric

    size = min(len(features), len(real_features), KID_SUBSET)
    found = kid_features_to_metric(features, real_features, kid_subset_size=size, verbose=False)
    return found[KEY_METRIC_KID_MEAN]


def _inception_input(path: Path) -> torch.Tensor:
    """A photo as uint8 `[3,299,299]`."""
    photo = read_image(path).resize((INCEPTION_SIDE, INCEPTION_SIDE), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(photo)).permute(2, 0, 1)
