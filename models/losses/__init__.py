"""One small class or function per published loss. May import `util`."""
