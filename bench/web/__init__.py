"""Web processes and clients of a bench."""
