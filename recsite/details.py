"""Lines of the log without what a database adds to its errors: the row that an error was about."""

import re

from structlog.typing import EventDict

DETAILS = re.compile(r"\n(?:DETAIL|CONTEXT|LINE \d+):.*?(?=\n\n|\Z)", re.DOTALL)


def without_details(_logger: object, _method: str, entry: EventDict) -> EventDict:
    """Take the details of errors of PostgreSQL out of a line: order numbers and pseudonyms stand in them."""
    if isinstance(text := entry.get("exception"), str):
        entry["exception"] = DETAILS.sub("", text)
    return entry
