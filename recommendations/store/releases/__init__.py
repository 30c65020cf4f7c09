"""Releases: who bought what in a period, and the noise that is put on how many did."""
