"""The small U-Net on EfficientNet-Lite0: its frozen norms, and its convolutions in one pass with them."""

import torch
import torch.nn.functional as F

from models.nets.effnet import FrozenBatchNorm2d, MBConv
from models.networks import define_G


def test_norms_keep_their_statistics_from_the_first_step_on():
    """A new network is in training mode without anybody having said so; torch.nn would average batches there."""
    torch.manual_seed(0)
    net = define_G(3, 2, 8, "effnet_lite0")
    assert net.training
    before = {key: value.clone() for key, value in net.state_dict().items() if "running" in key}
    x = torch.rand(2, 3, 64, 64) * 2 - 1
    in_training = net(x)
    net.train()
    assert before
    assert all(torch.equal(value, net.state_dict()[key]) for key, value in before.items())
    torch.testing.assert_close(in_training, net.eval()(x))


def test_block_is_convolution_then_norm_then_activation():
    """Against the layers one by one, with TensorFlow's padding written out; gradients too."""
    torch.manual_seed(0)
    for stride, kernel in ((1, 3), (2, 3), (1, 5), (2, 5)):
        block = MBConv(4, 4, kernel, stride, expansion=2).double()
        for norm in (block._bn0, block._bn1, block._bn2):
            for values in (norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var):
                values.uniform_(0.5, 1.5)
        x = torch.randn(2, 4, 12, 10, dtype=torch.float64)

        def normed(norm: FrozenBatchNorm2d, y: torch.Tensor) -> torch.Tensor:
            return F.batch_norm(y, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=1e-3)

        total = kernel - stride
        y = normed(block._bn0, F.conv2d(x, block._expand_conv.weight)).clamp(0, 6)
        y = F.pad(y, (total // 2, total - total // 2) * 2)
        y = F.conv2d(y, block._depthwise_conv.weight, stride=stride, groups=8)
        y = normed(block._bn2, F.conv2d(normed(block._bn1, y).clamp(0, 6), block._project_conv.weight))
        truth = x + y if stride == 1 else y
        out = block(x)
        torch.testing.assert_close(out, truth)
        weights = list(block.parameters())
        for own, other in zip(
            torch.autograd.grad(out.square().sum(), weights),
            torch.autograd.grad(truth.square().sum(), weights),
            strict=True,
        ):
            torch.testing.assert_close(own, other)
