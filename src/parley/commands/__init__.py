"""What people type at the bot. Pure."""
