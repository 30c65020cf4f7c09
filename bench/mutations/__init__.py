"""Faults put into the source on purpose, one at a time: the tests named beside each have to turn red."""
