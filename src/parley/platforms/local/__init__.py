"""The built-in web chat: the default platform, whose channels are rooms."""
