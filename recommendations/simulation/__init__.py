"""Simulation of answers that nobody was given: what if, why not, and what a change would do to everybody."""
