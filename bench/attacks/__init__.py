"""Attacks on a running installation, one script each: what was tried, what it did before, and the bar that holds."""
