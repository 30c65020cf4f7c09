"""Robustness: what noise, duplicates and changes of mind do to what a run learns."""
