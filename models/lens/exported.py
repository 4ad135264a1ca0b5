"""What an exported graph holds of a lens: its networks. They look at small pictures of a whole photo, of any size.

The rendering depends on the size of each photo; it is `util.optics.camera.render`, or what replaces it elsewhere.
"""

import torch
from torch import nn

from models.lens.radius import LOOK_SIGMA, RadiusNet, look
from models.nets.any_size import any_size
from models.nets.base import GeneratorNet

# Logits are bounded by a network's tanh times this: the softmax can be sure (0.9999), but never so flat that
# its gradient dies before the network has learned anything.
LOGIT_BOUND = 5.0


class WeightsGraph(nn.Module):
    """The weights network of a lens: what is in focus, and how much of what is not has which radius."""

    def __init__(self, net: GeneratorNet):
        super().__init__()
        self.net, self.input_nc, self.divisor = any_size(net), net.input_nc, net.divisor

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Mixture weights `[B,K+1,h,w]` of sum 1, the first of them in focus.

        Args:
            image: `[B,3,h,w] in [-1,1]`, shorter side `--weights_size`; with `--mask_input` a fourth channel, the mask
                mapped to [-1,1].
        """
        # In one pass, which halves the graph; its two parts are told apart without a condition on the batch's size.
        plain, mirrored = self.net(torch.cat([image, image.flip(-1)])).unflatten(0, (2, -1)).unbind()
        return (LOGIT_BOUND * (plain + mirrored.flip(-1)) / 2).softmax(dim=1)


class RadiusGraph(nn.Module):
    """The radius network: how far out of focus a lens leaves each place."""

    input_nc = 4

    def __init__(self, net: RadiusNet):
        super().__init__()
        self.net, self.divisor = net, net.divisor

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """`[B,2,ceil(h/4),ceil(w/4)]`: level log2(1 + radius at 256 pixels) and log of the error to be expected.

        Args:
            image: `[B,4,h,w] in [-1,1]`, shorter side 64: the photo, and the subject's mask mapped to [-1,1].
        """
        mask = (image[:, 3:] + 1) / 2
        blur = self.net.ask_look(look(image[:, :3], mask, LOOK_SIGMA))
        return torch.cat(blur, dim=1)
