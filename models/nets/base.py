"""What callers ask of a generator's network, so that nobody asks for its type."""

from typing import Any

from torch import nn

from util.options import Options


class GeneratorNet(nn.Module):
    """`[B,input_nc,H,W] in [-1,1]` -> `[B,output_nc,H,W] in [-1,1]`, H and W multiples of `divisor`."""

    # Sides of what it takes are multiples of this.
    divisor = 1

    # Takes photos of any size and gives results of that size.
    takes_any_size = False

    # Sees photos at a scale of its own, and carries what it makes of them to their size.
    scales_itself = False

    # What comes out at one place depends on a neighbourhood, apart from the statistics of its norms.
    can_tile = False

    # Is told the subject's mask: `net(x, mask)`.
    takes_mask = False

    # Can be told how far away all is, and factors of its radii: `net(x, depth=depth, aperture=aperture)`.
    takes_depth = False

    # A network that says how much a lens blurs each place (`models.lens.radius`), of a generator that can use it.
    radius_net: nn.Module | None

    @property
    def input_nc(self) -> int:
        """Channels of what the first convolution takes."""
        return next(part.in_channels for part in self.modules() if isinstance(part, nn.Conv2d))

    def graph(self) -> nn.Module:
        """What an exported graph can hold of it: `[B,C,H,W] in [-1,1]` -> `[B,C',H',W']`, of any size."""
        return self

    def kept(self) -> dict[str, Any]:
        """Settings that a file keeps besides the weights, by their names; empty where there are none."""
        return {}

    def described(self) -> dict[str, Any]:
        """What renders its results elsewhere must know besides `graph`, as JSON holds it; empty if that is all."""
        return {}

    def change(self, changes: object) -> None:
        """Take settings to change at test, where a network has such (`models.lens.settings.LensChanges`)."""

    def checkpoint_activations(self) -> None:
        """From now on compute activations again in the backward pass and keep few, where a network can."""

    def load_pretrained(self, opt: Options) -> None:
        """Start from weights that were learned on other data, where a network has such; `opt` says which."""


class AroundNet(GeneratorNet):
    """A generator that makes its results by means of another, `net`, in which all its weights are."""

    def __init__(self, net: GeneratorNet):
        super().__init__()
        self.net = net

    def checkpoint_activations(self) -> None:
        self.net.checkpoint_activations()

    def load_pretrained(self, opt: Options) -> None:
        self.net.load_pretrained(opt)
