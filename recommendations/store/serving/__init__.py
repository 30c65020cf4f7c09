"""Snapshot that a web process holds in memory to answer from, and the slates that it served."""
