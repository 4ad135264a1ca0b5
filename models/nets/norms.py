"""Normalisation layers by their option names."""

from collections.abc import Callable
from functools import partial

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.nn.functional import all_reduce

from util.present import present
from util.tensors import at_least_float32

NormLayer = Callable[[int], nn.Module]


class SyncBatchNorm2d(nn.BatchNorm2d):
    """Batch norm whose training statistics are those of all ranks together; runs on CPU (gloo) and GPU.

    PyTorch's own SyncBatchNorm refuses CPU tensors. One process alone gets plain batch norm. Keys are those of
    `nn.BatchNorm2d`.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not (self.training and dist.is_initialized() and dist.get_world_size() > 1):
            return super().forward(x)
        exact = at_least_float32(x)
        count = exact.new_full((1,), x.numel() / x.shape[1])
        sums = torch.cat([exact.sum((0, 2, 3)), exact.square().sum((0, 2, 3)), count])
        total, total_of_squares, count = all_reduce(sums).split([x.shape[1], x.shape[1], 1])
        mean = total / count
        var = total_of_squares / count - mean.square()
        with torch.no_grad():
            momentum = present(self.momentum)
            present(self.running_mean).lerp_(mean, momentum)
            present(self.running_var).lerp_(var * count / (count - 1), momentum)
            present(self.num_batches_tracked).add_(1)
        scale = self.weight * torch.rsqrt(var + self.eps)
        shift = self.bias - mean * scale
        return (x * scale[:, None, None] + shift[:, None, None]).to(x.dtype)


def get_norm_layer(norm: str) -> NormLayer:
    """Constructor `channels -> layer` of the norm called `norm`: instance, batch, syncbatch or none."""
    layers: dict[str, NormLayer] = {
        "instance": partial(nn.InstanceNorm2d, affine=False, track_running_stats=False),
        "batch": nn.BatchNorm2d,
        "syncbatch": SyncBatchNorm2d,
        "none": nn.Identity,
    }
    return layers[norm]


def needs_bias(norm_layer: NormLayer) -> bool:
    """Whether convolutions before this norm carry a bias.

    Only before instance norm, also where there is no norm at all: pytorch-CycleGAN-and-pix2pix does so, and
    its checkpoints decide the keys.
    """
    return isinstance(norm_layer, partial) and norm_layer.func is nn.InstanceNorm2d
