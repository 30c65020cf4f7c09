"""Triggers: for each kind of occasion, whose it is by now, and whose still stands."""
