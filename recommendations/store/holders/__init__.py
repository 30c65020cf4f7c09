"""Whoever holds anything about people: one holder for each place, which exports, finds and erases it."""
