"""Experiments: planned from the shop's own visitors, drafted, started, judged and ended."""
