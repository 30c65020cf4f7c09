"""Whole numbers as JSON may write them: 2.0 is 2, by which ids that are made of what was sent stay the same."""

import re

_ZEROS = re.compile(rb"\.0+(?=[\s,\]}])")
_TEXT_OR_ZEROS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|(?<=[0-9])\.0+(?=[\s,\]}])', re.DOTALL)
"""Texts, which are passed over (one without an end, to the end), and fractions of nothing but zeros."""


def with_whole_numbers(body: bytes) -> bytes:
    """The body with 2.0 written as 2, each byte at its place: to JSON and its schemas both are whole numbers."""
    if _ZEROS.search(body) is None:
        return body
    return _TEXT_OR_ZEROS.sub(lambda match: match[0] if match[0][:1] == b'"' else b" " * len(match[0]), body)
