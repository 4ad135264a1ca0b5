"""Data: images and masks -> batches. May import `util`."""
