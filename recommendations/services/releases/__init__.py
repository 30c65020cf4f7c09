"""Releases: numbers about many customers that may leave the house, with noise, within a budget."""
