"""Past answers made again: all of them, after everything has changed and in another process."""
