"""One small class or function per published loss, the paper's constants as defaults."""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from models.diffaugment import augment
from util.errors import UserError
from util.tensors import at_least_float32

GAN_MODES = ("lsgan", "vanilla", "wgangp")

VGG19_URL = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"


class GANLoss(nn.Module):
    """How far D's logits are from calling the images real or fake; a mean over all patches.

    lsgan: squared error to 1 or 0 (Mao et al. 2017); vanilla: cross-entropy (Goodfellow et al. 2014); wgangp: the
    critic's mean, signed (Gulrajani et al. 2017; its penalty is `gradient_penalty`). `generator` and `discriminator`
    are the two sides' terms, in which D sees images after the augmentations of `policy`, T below.
    """

    def __init__(self, gan_mode: str, lambda_R1: float = 0.0, policy: Sequence[str] = ()):
        super().__init__()
        self.gan_mode = gan_mode
        self.lambda_R1 = lambda_R1
        self.policy = policy

    def forward(self, prediction: torch.Tensor, target_is_real: bool) -> torch.Tensor:
        prediction = at_least_float32(prediction)
        if self.gan_mode == "wgangp":
            return -prediction.mean() if target_is_real else prediction.mean()
        target = torch.full_like(prediction, float(target_is_real))
        if self.gan_mode == "lsgan":
            return F.mse_loss(prediction, target)
        return F.binary_cross_entropy_with_logits(prediction, target)

    def generator(self, netD: nn.Module, fake: torch.Tensor) -> torch.Tensor:
        """`GAN(D(T(fake)), 1)`."""
        return self(netD(augment(fake, self.policy)), True)

    def discriminator(self, netD: nn.Module, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """`0.5 * (GAN(D(T(real)), 1) + GAN(D(T(fake)), 0))`, with R1 and wgangp's penalty; `fake` has no gradient."""
        real, fake = augment(real, self.policy), augment(fake, self.policy)
        if self.lambda_R1 > 0:
            real = real.detach().requires_grad_()
        prediction = netD(real)
        loss = 0.5 * (self(prediction, True) + self(netD(fake), False))
        if self.gan_mode == "wgangp":
            loss = loss + gradient_penalty(netD, real, fake)
        if self.lambda_R1 > 0:
            loss = loss + r1_penalty(prediction, real, self.lambda_R1)
        return loss


def gradient_penalty(
    netD: nn.Module, real: torch.Tensor, fake: torch.Tensor, lambda_gp: float = 10.0
) -> torch.Tensor:
    """`lambda_gp * E[(|grad_x D(x)| - 1)^2]` at random points x between real and fake images.

    WGAN-GP, equation 3 (Gulrajani et al. 2017), with D's patches averaged into one critic value per image.
    `real`, `fake`: `[B,C,H,W]`.
    """
    alpha = torch.rand(real.shape[0], 1, 1, 1, device=real.device)
    x = (alpha * real + (1 - alpha) * fake).detach().requires_grad_(True)
    critic = netD(x).float().mean(dim=(1, 2, 3)).sum()
    (gradient,) = torch.autograd.grad(critic, x, create_graph=True)
    return lambda_gp * (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def r1_penalty(prediction: torch.Tensor, real: torch.Tensor, lambda_R1: float) -> torch.Tensor:
    """`lambda_R1/2 * E[|grad_x D(x)|^2]` at real images (Mescheder et al. 2018, equation 9).

    D's P patch logits are P discriminators, the penalty their mean: `|grad_x sum_p D_p(x)|^2 / P`, which is the
    paper's for P = 1 and, unlike that of the mean logit, keeps its weight at another crop size.

    Args:
        prediction: `netD(real)` `[B,1,h,w]`, P = h*w.
        real: `[B,C,H,W]`, a leaf that requires its gradient.
    """
    (gradient,) = torch.autograd.grad(prediction.float().sum(), real, create_graph=True)
    patches = prediction[0].numel()
    return lambda_R1 / 2 * gradient.float().square().sum(dim=(1, 2, 3)).mean() / patches


def block_means(x: torch.Tensor, side: int = 16) -> torch.Tensor:
    """Means over blocks of `side` pixels: `[B,C,H,W]` -> `[B,C,H/side,W/side]`; a lens blur hardly changes them."""
    return F.avg_pool2d(x, min(side, *x.shape[-2:]))


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
        state = load_vgg19_file(Path(weights)) if weights else download_vgg19()
        trunk = {key: state.get(f"features.{key}", state.get(key)) for key in self.features.state_dict()}
        try:
            self.features.load_state_dict(trunk)
        except (RuntimeError, AttributeError):
            raise UserError(
                f"{weights or VGG19_URL}: not the weights of VGG19 in torchvision's form"
            ) from None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.features(((x + 1) / 2 - self.mean) / self.std)
        return y.to(torch.promote_types(y.dtype, torch.float32))  # half precision up, double stays


def load_vgg19_file(path: Path) -> dict[str, torch.Tensor]:
    """Read a state_dict of VGG19.

    Raises:
        UserError: no such file, or not a PyTorch weights file.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file (--vgg19_weights); fetch it from {VGG19_URL}") from None
    except Exception as error:  # torch.load raises a dozen kinds for broken files
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path}: can't be read as PyTorch weights ({reason}); fetch it again from {VGG19_URL}"
        ) from None


def download_vgg19() -> dict[str, torch.Tensor]:
    """Fetch torchvision's VGG19 weights (548 MB) into PyTorch's hub cache, once, checked by hash.

    Raises:
        UserError: the server can't be reached or sent something else.
    """
    try:
        return torch.hub.load_state_dict_from_url(
            VGG19_URL, map_location="cpu", check_hash=True, weights_only=True
        )
    except Exception as error:  # URLError, RuntimeError on a wrong hash, unpickling errors of a cut file
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


def focus_loss(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """How far a lens's in-focus weight is from the mask: cross-entropy plus soft Dice (Milletari et al. 2016).

    Cross-entropy never stops to teach a pixel that is wrong; Dice weighs a small subject like a large one.

    Args:
        logits: `[B,K+1,h,w]`, of which the first is in focus.
        mask: `[B,1,H,W] in [0,1]`, brought to the size of the logits.
    """
    target = F.interpolate(mask, logits.shape[-2:], mode="area")
    # log p_0 and log(1 - p_0) of the softmax
    inside = logits[:, :1] - logits.logsumexp(dim=1, keepdim=True)
    outside = logits[:, 1:].logsumexp(dim=1, keepdim=True) - logits.logsumexp(dim=1, keepdim=True)
    entropy = -(target * inside + (1 - target) * outside).mean()
    in_focus = inside.exp()
    overlap = 2 * (in_focus * target).sum((1, 2, 3)) + 1
    return entropy + (1 - overlap / (in_focus.sum((1, 2, 3)) + target.sum((1, 2, 3)) + 1)).mean()
