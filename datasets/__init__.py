"""Datasets: from nothing to a dataroot of photos, and its shards. May import `util`, `deeplab` and `data`."""
