"""Performance goals, each proved as a ratio against a peer in the same run."""
