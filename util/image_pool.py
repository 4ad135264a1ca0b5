"""History of generated images for the discriminators (Shrivastava et al. 2017, section 2.3)."""

import random
from typing import Any

import torch


class ImagePool:
    """Keeps the last `pool_size` images; a query returns, with probability 1/2, an older one in exchange.

    A pool of size 0 hands every image back. Draws come from Python's global generator.
    """

    def __init__(self, pool_size: int):
        self.pool_size = pool_size
        self.images: list[torch.Tensor] = []

    def query(self, images: torch.Tensor) -> torch.Tensor:
        """Swap `images` `[B,C,H,W]` one by one with the pool's; returns the same shape, without gradient."""
        if self.pool_size == 0:
            return images.detach()
        return torch.stack([self._swap(image) for image in images.detach()])

    def _swap(self, image: torch.Tensor) -> torch.Tensor:
        if len(self.images) < self.pool_size:
            self.images.append(image.clone())
            return image
        if random.random() < 0.5:
            index = random.randrange(self.pool_size)
            older, self.images[index] = self.images[index], image.clone()
            # Photos of mixed sizes (--preprocess none) can't be exchanged for one another.
            return older if older.shape == image.shape else image
        return image

    def state_dict(self) -> dict[str, Any]:
        """The pool's images, for the training state."""
        return {"images": [image.cpu() for image in self.images]}

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None:
        """Restore `state_dict`'s images onto `device`, at most `pool_size` of them."""
        self.images = [image.to(device) for image in state["images"]][: self.pool_size]
