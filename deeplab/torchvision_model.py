"""torchvision's DeepLabv3, trained on COCO with the labels of PASCAL VOC; on CPU or GPU."""

from pathlib import Path

import numpy as np
import torch

import util.torchvision_cpu  # noqa: F401 - before torchvision

# isort: split
from torchvision import models

from deeplab.segmenter import InputSize, Segmenter
from deeplab.weights import torchvision_weights
from util.checkpoint import load
from util.errors import UserError

MODELS = ("resnet101", "resnet50", "mobilenet_v3_large")
CLASSES = 21
PERSON = 15
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class TorchvisionSegmenter(Segmenter):
    """Soft masks: the softmax of class person. The longer side of its input is 520 pixels."""

    input_size = InputSize(520, keep_aspect=True)

    def __init__(
        self, weights: str | Path | None = None, model: str | None = None, device: str | None = None
    ) -> None:
        model = model or MODELS[0]
        if model not in MODELS:
            raise UserError(f"--model {model}: unknown; choose one of {' '.join(MODELS)}")
        name = f"deeplabv3_{model}"
        try:
            self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
            torch.zeros(1, device=self._device)
        except (RuntimeError, AssertionError) as error:
            reason = str(error).partition("\n")[0]
            raise UserError(f"--device {device}: can't be used ({reason}); try --device cpu") from None
        path = Path(weights) if weights else torchvision_weights(_url(name))
        net = models.get_model(name, weights=None, weights_backbone=None, num_classes=CLASSES, aux_loss=False)
        _load(net, path, model)
        self._net = net.eval().to(self._device)
        self._mean = torch.tensor(IMAGENET_MEAN, device=self._device).view(3, 1, 1)
        self._std = torch.tensor(IMAGENET_STD, device=self._device).view(3, 1, 1)

    @torch.inference_mode()
    def predict(self, images: np.ndarray) -> np.ndarray:
        """uint8 [N,h,w,3] -> float32 [N,h,w] in [0,1]."""
        x = torch.from_numpy(images).to(self._device).permute(0, 3, 1, 2).float() / 255
        logits = self._net((x - self._mean) / self._std)["out"]  # [N,21,h,w]
        return logits.softmax(1)[:, PERSON].cpu().numpy()


def _url(name: str) -> str:
    return models.get_model_weights(name)["COCO_WITH_VOC_LABELS_V1"].url


def _load(net: torch.nn.Module, path: Path, model: str) -> None:
    """Fill `net` from a state dict; the second head that serves training alone is left out."""
    state = load(path, f"--weights holds no weights of deeplabv3 with --model {model}")
    try:
        net.load_state_dict({k: v for k, v in state.items() if not k.startswith("aux_classifier.")})
    except Exception as error:  # torch raises many kinds for a file that is no state dict or of another net
        reason = str(error).strip().partition("\n")[0]
        raise UserError(
            f"--weights {path}: no weights of deeplabv3 with --model {model} ({reason})"
        ) from None
