"""Receipts beside the database, by number and hash: after a backup was restored no number is given a second time."""

import json
import os

import structlog

from recommendations.privacy_terms import ReceiptMark
from recommendations.store.erasure.line_files import append_lines, place_of

NAME = "receipts.log"
TAIL = 1 << 16
"""Bytes at the end that are read: lines stand in the order of their numbers, but for a few that came together."""

log = structlog.get_logger(__name__)


def note_receipt(signed: ReceiptMark) -> None:
    """Append a receipt; where the disk does not take it that is logged, and the next one stands for it."""
    try:
        append_lines(place_of(NAME), f"{json.dumps(signed._asdict(), separators=(',', ':'))}\n".encode())
    except OSError:
        log.exception("a receipt is not in the log")


def last_receipt() -> ReceiptMark | None:
    """The receipt with the highest number; None where none is noted, or the log cannot be read, which is logged."""
    try:
        with place_of(NAME).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return None
    except OSError:
        log.exception("the log of receipts cannot be read")
        return None
    return max(filter(None, map(ReceiptMark.of_line, lines)), default=None)
