"""How long a test of many cases goes on: short in the suite, in full by ``LONG=1 make check FILE=tests/…``."""

import os


def cases(*, short: int, full: int) -> int:
    """How many cases a test goes through."""
    return full if os.environ.get("LONG") == "1" else short
