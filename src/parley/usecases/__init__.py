"""What Parley does for people and for AWS: one story a file."""
