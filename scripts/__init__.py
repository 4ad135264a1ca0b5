"""Command-line tools around training. May import every folder."""
