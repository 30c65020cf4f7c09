"""Vectors of items that came from outside, and the texts that they are of."""
