"""Deeplab: photos -> person masks, and the blurs behind them. May import `util`."""
