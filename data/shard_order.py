"""Orders of an epoch in which photos that are read after each other lie in few shards."""

from collections.abc import Sequence

import numpy as np

from data.shards import WINDOW, ShardPhotos

# First number of a seed: keeps these orders apart from those of `data.loader` and from the items' random numbers.
SHARD_STREAM = 2


def reading_order(photos: ShardPhotos, length: int, seed: Sequence[int], world_size: int) -> np.ndarray:
    """`length` indices of `photos`: all of them in turn, and again in another order where there are fewer.

    Every `world_size`-th belongs to one rank.
    """
    passes = -(-length // len(photos))
    orders = [
        local_order(photos.shard_of, np.random.default_rng([SHARD_STREAM, *seed, number]), world_size, WINDOW)
        for number in range(passes)
    ]
    return np.concatenate(orders)[:length]


def local_order(shard_of: np.ndarray, rng: np.random.Generator, world_size: int, window: int) -> np.ndarray:
    """A permutation of photos: shards in random order, photos at random among those of `window` shards.

    Every `world_size`-th photo belongs to one rank, and those of a rank lie in shards of its own, but for the shards at
    the borders of its share.
    """
    shards = rng.permutation(np.unique(shard_of))
    # Photos by their shards, which come in that order.
    rank_of_shard = np.empty(shards.max() + 1, np.int64)
    rank_of_shard[shards] = np.arange(len(shards))
    place = rank_of_shard[shard_of]
    by_shard = np.argsort(place, kind="stable")
    ends = np.cumsum(np.bincount(place))

    order, start = [], 0
    for last in range(window * world_size, len(shards) + window * world_size, window * world_size):
        # What can't be shared evenly waits for the next group.
        end = int(ends[min(last, len(shards)) - 1])
        shared = (end - start) // world_size * world_size
        shares = by_shard[start : start + shared].reshape(world_size, -1)
        order.append(rng.permuted(shares, axis=1).T.ravel())
        start += shared
    return np.concatenate([*order, by_shard[start:]])
