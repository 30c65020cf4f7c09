"""Weights learned from outcomes: the tuner, presets and suggestions."""
