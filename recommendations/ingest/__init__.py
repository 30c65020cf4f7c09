"""Intake of events and files: each event once, each flawed row refused with its remedy."""
