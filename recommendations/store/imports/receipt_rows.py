"""Rows of a file of what another system sent: who got which campaign, when and by what, and when they answered."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from recommendations.fields import LONGEST_ID
from recommendations.store.imports.csv_rows import FileRow
from recommendations.store.imports.row_flaws import RowFlaw, counted_rows, flaw_of, private_header, read_moment
from recommendations.store.imports.table_files import FileLimits, open_table
from recommendations.store.imports.validate import Form, Hidden, ignored_text
from recommendations.store.temp_tables import Report

COLUMNS = ("campaign", "user_id", "sent_at", "channel", "opened_at", "clicked_at", "answered_at")
NEEDED = ("campaign", "user_id", "sent_at")
ANSWERS = ("answered_at", "clicked_at")
"""Columns of an answer: the first that a file has. An opened mail is none: mail programs open mails."""
FORM = Form(
    known=COLUMNS, needed=NEEDED, one_of=ANSWERS, hidden=[Hidden(name, lambda _value: "") for name in COLUMNS]
)  # fmt: skip
LONGEST = {"campaign": 120, "user_id": LONGEST_ID, "channel": 40}
SETTLED = timedelta(days=7)
"""After so long who has not answered a message is taken not to."""
AHEAD = timedelta(minutes=10)


class ReceiptLine(NamedTuple):
    """A row that is in order: who got a campaign, and when they answered it, if they did."""

    line: int
    campaign: str
    user_id: str
    channel: str
    sent_at: datetime
    answered_at: datetime | None


class ReceiptRows(NamedTuple):
    """A file: rows in order, flaws of each other one, what there is to say of its columns, and that of answers."""

    lines: list[ReceiptLine]
    refused: list[list[RowFlaw]]
    message: str
    answers: str


def read_receipts(path: Path, *, now: datetime, report: Report, limits: FileLimits | None = None) -> ReceiptRows:
    """Read a file to its end. Raises UnreadableFileError and FileTooLargeError."""
    with open_table(path) as table:
        header = private_header(table, FORM, path=path)
        answers = next(name for name in ANSWERS if name in header.places)
        read = ReceiptRows([], [], ignored_text(header), answers)
        for row in counted_rows(table, report=report, limits=limits):
            line = _line(row, header.places, answers, now=now)
            if isinstance(line, ReceiptLine):
                read.lines.append(line)
            else:
                read.refused.append(line)
    return read


def _line(row: FileRow, places: Mapping[str, int], answers: str, *, now: datetime) -> ReceiptLine | list[RowFlaw]:
    if row.fault:
        return [flaw_of(row.line, *row.fault)]
    cells = {name: " ".join(value.split()) for name, at in places.items() if (value := row.values[at])}
    moments = {name: read_moment(cells[name]) for name in ("sent_at", "opened_at", *ANSWERS) if cells.get(name)}
    times = {name: moment for name, moment in moments.items() if isinstance(moment, datetime)}
    flaws = [*_of_cells(cells), *((name, code) for name, code in moments.items() if isinstance(code, str))]
    flaws += _of_times(times, now=now)
    if flaws:
        flaws.sort(key=lambda each: COLUMNS.index(each[0]))
        return [flaw_of(row.line, name, code, most=LONGEST.get(name)) for name, code in flaws]
    return ReceiptLine(
        line=row.line, campaign=cells["campaign"], user_id=cells["user_id"], channel=cells.get("channel", ""),
        sent_at=times["sent_at"], answered_at=times.get(answers),
    )  # fmt: skip


def _of_cells(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Columns with the code of what is wrong with their texts."""
    yield from ((name, "missing") for name in NEEDED if not cells.get(name))
    yield from ((name, "too_long") for name, most in LONGEST.items() if len(cells.get(name, "")) > most)


def _of_times(times: Mapping[str, datetime], *, now: datetime) -> Iterator[tuple[str, str]]:
    """Columns with the code of what is wrong with their moments."""
    sent = times.get("sent_at")
    for name, at in times.items():
        if at > now + AHEAD:
            yield name, "not_yet"
        elif sent and at < sent:
            yield name, "before_sent"
    if sent and now - SETTLED < sent <= now + AHEAD:
        yield "sent_at", "too_recent"
