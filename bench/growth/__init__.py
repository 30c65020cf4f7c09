"""Invented shops of any size, the stages that are timed on them, and a chart of it."""
