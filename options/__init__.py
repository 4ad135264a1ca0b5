"""Options: the command line of train.py and test.py. May import `models`, `data` and `util`."""
