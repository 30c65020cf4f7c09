"""Signing in, passwords, preferences, who may change what, and who did what."""
