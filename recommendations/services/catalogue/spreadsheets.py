"""Protection of exports against texts that a spreadsheet would take for a formula."""

from typing import Any

from recommendations.terms import FORMULA_STARTS


def harmless(value: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would run; imports take it off again."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
