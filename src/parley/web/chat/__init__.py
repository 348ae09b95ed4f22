"""The web chat: Parley's own chat platform, and where every installation starts."""
