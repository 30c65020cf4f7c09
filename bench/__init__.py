"""Benchmarks: each script prints a table and can write it as JSON. None of them is a timed test."""
