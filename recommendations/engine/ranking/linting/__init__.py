"""Linter of a book of rules, seen as sets of items and of requests."""
