"""Weights of the blends: drafts, what-if on the tuning panel, publishing, suggestions."""
