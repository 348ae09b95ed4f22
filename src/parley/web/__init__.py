"""The HTTP door: the web chat, and what machines call."""
