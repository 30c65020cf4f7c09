"""Fault tests: real processes are killed, starved and flooded; afterwards every acknowledged event is looked up."""
