"""Readings of a large experiment: what they cost, and the same sums computed a second way."""
