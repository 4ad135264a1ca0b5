"""Loss on the features of VGG19 (Simonyan and Zisserman 2015), and where its weights come from."""

import torch
import torch.nn.functional as F
from torch import nn

from util.checkpoint import load
from util.errors import UserError
from util.tensors import at_least_float32

VGG19_URL = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"


class VGG19Features(nn.Module):
    """VGG19 up to relu3_2, frozen: `[B,3,H,W] in [-1,1]` -> `[B,256,H/4,W/4]`, normalisation included.

    Weights and normalisation are torchvision's for ImageNet (Simonyan and Zisserman 2015).
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, weights: str = ""):
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for width in (64, 64, None, 128, 128, None, 256, 256):
            if width is None:
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
                channels = width
        self.features = nn.Sequential(*layers)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self._load(weights)
        self.eval().requires_grad_(False)

    def _load(self, weights: str) -> None:
        advice = f"see --vgg19_weights, or fetch it from {VGG19_URL}"
        state = load(weights, advice) if weights else download_vgg19()
        trunk = {key: state.get(f"features.{key}", state.get(key)) for key in self.features.state_dict()}
        try:
            self.features.load_state_dict(trunk)
        except (RuntimeError, AttributeError):
            raise UserError(
                f"{weights or VGG19_URL}: not the weights of VGG19 in torchvision's form"
            ) from None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.features(((x + 1) / 2 - self.mean) / self.std)
        return at_least_float32(y)


def download_vgg19() -> dict[str, torch.Tensor]:
    """Fetch torchvision's VGG19 weights (548 MB) into PyTorch's hub cache, once, checked by hash.

    Raises:
        UserError: the server can't be reached or sent something else.
    """
    try:
        return torch.hub.load_state_dict_from_url(
            VGG19_URL, map_location="cpu", check_hash=True, weights_only=True
        )
    except Exception as error:
        # URLError, RuntimeError on a wrong hash, unpickling errors of a cut file.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"--vgg19_loss: can't download {VGG19_URL} ({reason}); fetch the file on another machine and give it "
            "by --vgg19_weights FILE, or leave --vgg19_loss out"
        ) from None


class VGG19MaskLoss(nn.Module):
    """`2 * L1(phi(x), phi(y))` of two cut-outs in [-1,1]; the factor 2 is the published implementation's."""

    def __init__(self, weights: str = ""):
        super().__init__()
        self.phi = VGG19Features(weights)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            target = self.phi(y)
        return 2 * F.l1_loss(self.phi(x), target)
