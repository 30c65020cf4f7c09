"""Parcels: what a message says, written as its channel sends it, and what an outcome means for where it went."""
