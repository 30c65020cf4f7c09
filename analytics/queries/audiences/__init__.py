"""Queries of the pages of audiences."""
