"""Invented events, and the rounds in which every way in is timed."""
