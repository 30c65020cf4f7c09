"""Rows of a file of contacts: from the texts of its columns to what the shop says of a contact.

No refusal repeats what stands in a cell: refused rows are stored, and addresses are nowhere stored as they are.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from recommendations.fields import LONGEST_ID
from recommendations.ingest.refusal import Refusal
from recommendations.push_terms import Channel, Purpose
from recommendations.services.contacts.forms import ContactChanges, ContactRuleError, StatementForm, checked
from recommendations.services.contacts.rows import ContactRow
from recommendations.store.contacts.sealing import InvalidAddressError, checked_email
from recommendations.store.imports.csv_rows import FileRow
from recommendations.store.imports.row_flaws import (
    RowFlaw,
    counted_rows,
    flaw_of,
    private_header,
    read_moment,
    reason_of,
)
from recommendations.store.imports.table_files import FileLimits, Header, open_table
from recommendations.store.imports.validate import Form, Hidden, ignored_text
from recommendations.store.temp_tables import Report, silent

COLUMNS = (
    "user_id", "email", "language", "time_zone", "channel", "purposes", "consent_at", "source", "proof", "confirmed",
    "endpoint",
)  # fmt: skip
FORM = Form(known=COLUMNS, needed=["user_id"], hidden=[Hidden(name, lambda _value: "") for name in COLUMNS])
LONGEST = {
    "user_id": LONGEST_ID, "email": 320, "language": 35, "time_zone": 64, "channel": 20, "purposes": 200,
    "confirmed": 10,
}  # fmt: skip
COLUMN_OF = {"at": "consent_at", "purpose": "purposes"}
"""The column behind a field of a statement that is called otherwise."""
BETWEEN = re.compile(r"[\s,;|]+")
YES_OR_NO = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}


class WholeFile(NamedTuple):
    """A file that could be read to its end: its rows, and what there is to say of its columns."""

    rows: int
    message: str


class ContactLine(NamedTuple):
    """A row that is in order, with its line."""

    line: int
    row: ContactRow


def read_through(path: Path, *, report: Report = silent, limits: FileLimits | None = None) -> WholeFile:
    """Read a file to its end and take nothing of it.

    Raises UnreadableFileError, and FileTooLargeError as soon as more than the limits has been read.
    """
    with open_table(path) as table:
        header = private_header(table, FORM, path=path)
        rows = sum(1 for _row in counted_rows(table, report=report, limits=limits))
    return WholeFile(rows, ignored_text(header))


def contact_lines(
    path: Path, *, now: datetime, report: Report = silent, limits: FileLimits | None = None
) -> Iterator[ContactLine | list[RowFlaw]]:
    """Read the rows of a file, each as a contact or as all that is wrong with it. Raises as ``read_through``."""
    with open_table(path) as table:
        header = private_header(table, FORM, path=path)
        for row in counted_rows(table, report=report, limits=limits):
            yield _line(row, header, now=now)


def flaws_of(line: int, refusals: Iterable[Refusal]) -> list[RowFlaw]:
    """RowFlaws of a row that rules of contacts refuse, at the columns of the file that they are about, one at each."""
    flaws: dict[str, RowFlaw] = {}
    for each in refusals:
        field = each.pointer.rpartition("/")[2]
        column = COLUMN_OF.get(field, field)
        flaws.setdefault(column, RowFlaw(line, column, each.reason, each.reason))
    return list(flaws.values())


def _line(row: FileRow, header: Header, *, now: datetime) -> ContactLine | list[RowFlaw]:
    if row.fault:
        return [flaw_of(row.line, *row.fault)]
    try:
        return ContactLine(row.line, contact_row({name: row.values[at] for name, at in header.places.items()}, now=now))
    except ContactRuleError as error:
        return flaws_of(row.line, error.refusals)


def contact_row(values: Mapping[str, str | None], *, now: datetime) -> ContactRow:
    """The contact of a row: an empty cell, or a column that is not there, changes nothing.

    Raises ContactRuleError with all that is wrong.
    """
    cells = {name: value for name, value in values.items() if value}
    broken = [_broken(name, "too_long") for name, most in LONGEST.items() if len(cells.get(name, "")) > most]
    broken += [] if "user_id" in cells else [_broken("user_id", "missing")]
    for each in broken:
        cells.pop(each.pointer[1:], None)
    parts = {name: _part(partial(work, cells[name]), broken) for name, work in _PARTS.items() if name in cells}
    changes = {name: parts.get(name, cells[name]) for name in ("email", "language", "time_zone") if name in cells}
    form = ContactChanges(
        **{name: value for name, value in changes.items() if value is not None},
        confirmed=bool(parts.get("confirmed")), consents=_consents(cells, parts),
    )  # fmt: skip
    form = _part(partial(checked, form, now=now), broken) or form
    if broken:
        raise ContactRuleError(*broken)
    return ContactRow(user_id=cells["user_id"], form=form)


def _part[Value](work: Callable[[], Value], broken: list[Refusal]) -> Value | None:
    """What the work comes to; None, and why, where it breaks a rule."""
    try:
        return work()
    except ContactRuleError as error:
        broken += error.refusals
        return None


def _email(typed: str) -> str:
    try:
        return checked_email(typed)
    except InvalidAddressError as error:
        reason = _("This is no e-mail address; write one such as ann@example.com.")
        raise ContactRuleError(Refusal("/email", reason)) from error


def _confirmed(typed: str) -> bool:
    try:
        return YES_OR_NO[typed.lower()]
    except KeyError as error:
        raise ContactRuleError(Refusal("/confirmed", _("Write yes or no, or leave the cell empty."))) from error


def _consents(cells: Mapping[str, str], parts: Mapping[str, Any]) -> list[StatementForm]:
    """What the customer said yes to. The rules of statements refuse it where its time or its proof is missing."""
    proof = {"form": cells.get("source", ""), "shop_reference": cells["proof"]} if "proof" in cells else {}
    given = {name: value for name, value in proof.items() if value}
    return [
        StatementForm(
            purpose=purpose,
            state="given",
            channel=parts.get("channel") or Channel.EMAIL,
            at=parts.get("consent_at"),
            proof=given,
        )
        for purpose in parts.get("purposes") or ()
    ]


def _channel(typed: str) -> Channel:
    try:
        return Channel(typed.lower())
    except ValueError as error:
        reason = _("Write one of %(known)s, or leave the cell empty for e-mail.") % {"known": ", ".join(Channel)}
        raise ContactRuleError(Refusal("/channel", reason)) from error


def _endpoint(_typed: str) -> None:
    reason = _("A browser says where it gets notifications itself, on a page of the shop. Leave the cell empty.")
    raise ContactRuleError(Refusal("/endpoint", reason))


def _purposes(typed: str) -> list[Purpose]:
    words = dict.fromkeys(word.lower() for word in BETWEEN.split(typed) if word)
    try:
        return [Purpose(word) for word in words]
    except ValueError as error:
        known = ", ".join(Purpose)
        reason = _("Write one or several of %(known)s.") % {"known": known}
        raise ContactRuleError(Refusal("/purposes", reason)) from error


def _moment(typed: str) -> datetime:
    moment = read_moment(typed)
    if isinstance(moment, str):
        raise ContactRuleError(_broken("consent_at", moment))
    return moment


def _broken(field: str, code: str) -> Refusal:
    return Refusal(f"/{field}", reason_of(code, most=LONGEST.get(field)))


_PARTS: Mapping[str, Callable[[str], Any]] = {
    "email": _email, "channel": _channel, "purposes": _purposes, "consent_at": _moment, "confirmed": _confirmed,
    "endpoint": _endpoint,
}  # fmt: skip
"""Columns that are more than a text, in the order in which their flaws are named."""
