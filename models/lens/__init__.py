"""The generator that decides how much lens blur goes where. May import `models.nets` and `util`."""
