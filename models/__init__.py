"""Models: batch -> losses and images. May import `data` and `util`."""
