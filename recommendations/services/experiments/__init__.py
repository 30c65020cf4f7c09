"""Experiments: planned from the shop's own visitors, drafted, started, judged and ended."""
"""Experiments: read from the record, judged by their readings, stopped where they harm."""
