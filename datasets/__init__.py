"""Datasets: from nothing to a dataroot of photos. May import `util`, and `deeplab` to look for people."""
