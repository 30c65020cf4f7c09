"""What a spreadsheet would take for a formula, made harmless."""

from typing import Any

from recommendations.terms import FORMULA_STARTS


def harmless(value: Any) -> Any:
    """A text that a spreadsheet would run gets an apostrophe before it; imports take it off again."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
