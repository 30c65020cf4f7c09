"""Lines of the log without what a database adds to its errors: the row that an error was about."""

import re

from structlog.processors import format_exc_info
from structlog.typing import EventDict, WrappedLogger

DETAILS = re.compile(r"\n(?:DETAIL|CONTEXT|LINE \d+):.*?(?=\n\n|\Z)", re.DOTALL)


def say_error(logger: WrappedLogger, method: str, entry: EventDict) -> EventDict:
    """Write out the error of a line without PostgreSQL's details: order numbers and pseudonyms stand in them."""
    written: EventDict = format_exc_info(logger, method, entry)
    if isinstance(text := written.get("exception"), str):
        written["exception"] = DETAILS.sub("", text)
    return written
