"""Weights on the sliders, their effect, and former versions."""
