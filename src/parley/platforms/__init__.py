"""Chat platforms: each renders a message with its own parts and sends it."""
