"""Runs of the loop, and what they left out."""
