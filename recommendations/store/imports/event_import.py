"""Import of event files: lines that are new are added, those that are there already are counted."""

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from django.db import connection
from django.utils import timezone

from recommendations.fields import MOST_LINES
from recommendations.models import Import
from recommendations.store.events import bulk_append, mergers
from recommendations.store.events.bulk_append import Month
from recommendations.store.events.generations import generation
from recommendations.store.events.mergers import Merger, Told
from recommendations.store.imports import call_rows, erased_ids, event_rows, validate
from recommendations.store.imports.columnar.own_tables import drop_left_over
from recommendations.store.imports.columnar.settlement import Settlement
from recommendations.store.imports.columnar.sieve import EventSieve
from recommendations.store.imports.import_run import FileSource, Opened, fill_stage, finish, run_import
from recommendations.store.imports.reasons import ERASED
from recommendations.store.imports.table_files import Header
from recommendations.store.temp_tables import Report, heavy, rows, run, temporary

COLUMNAR_FROM = 1_000_000
"""Bytes of a file from which on it pays to make tables of its own for its rows."""


def import_events(
    path: Path, *, currency: str, now: datetime, report: Report, source: FileSource | None = None, calls: bool = False
) -> Import:
    """Import an event file, or with ``calls`` one of calls of another system.

    A large file's rows go by column as far as these prove them; inside somebody's transaction, whose end other
    connections would have to wait for, all are staged. Raises UnreadableFileError.
    """
    file = _EventFile(currency=currency, now=now, report=report, calls=calls)
    alone = not connection.in_atomic_block
    if alone:
        drop_left_over()
    with file.open, temporary(bulk_append.READY, bulk_append.DEFINITION):
        fill = file.fill if alone and not calls else fill_stage
        return run_import("events", path, file.form, load=file.load, fill=fill, report=report, source=source)


class _EventFile:
    """An event file on its way in; ``open`` closes what its rows need meanwhile."""

    def __init__(self, *, currency: str, now: datetime, report: Report, calls: bool) -> None:
        self._values, self._now = event_rows.rule_values(currency=currency, now=now), now
        self._report, self._calls = report, calls
        self._knowable = call_rows.KNOWABLE if calls else event_rows.EVERYBODY
        self.form = call_rows.FORM if calls else event_rows.FORM
        self.open = ExitStack()
        self._columns: Settlement | None = None

    def fill(self, opened: Opened, report: Report) -> int:
        """Take the rows that prove themselves, and stage the others."""
        if "event_id" not in opened.header.places or opened.path.stat().st_size < COLUMNAR_FROM:
            return fill_stage(opened, report)
        sieve = self.open.enter_context(EventSieve(opened.imported, opened.header, self._values, layers=opened.layers))
        self._columns = Settlement(sieve)
        count = validate.fill(opened.table, opened.header, opened.form, report=report, sieve=sieve)
        if sieve.finish():
            with opened.source.opener(opened.path) as again:
                validate.fill_again(sieve.again(again), opened.header, opened.form)
            self._columns.put_back()
        return count

    def load(self, imported: Import, header: Header, count: int) -> None:
        """Judge the staged rows and make lines of what is left of them."""
        with heavy():
            run(event_rows.EPOCHS)
            left_out = dict(rows(event_rows.LEAVE_OUT))
            if self._calls:  # no event of theirs has too many lines, but one may be there often
                count += call_rows.fill_refunds()
            else:
                run(event_rows.CROWDED, most=MOST_LINES)
        looked_at = timezone.now()
        erased_ids.note_erased(event_rows.WHO)
        verdict = call_rows.VERDICT if self._calls else event_rows.VERDICT
        refused = validate.judge(self.form, verdict, joins=event_rows.JUDGING_JOINS, values=self._values)
        if self._columns:
            self._columns.build_keys(self._report)
        people = self._name_people(header, refused=bool(refused))
        ready = bulk_append.months_of()
        self._prepare(ready)
        with heavy():
            if late := self._drop_erased(since=looked_at):
                refused[ERASED] = refused.get(ERASED, 0) + late
            new, months = self._append(ready)
            finish(
                imported, header, count=count - people, kept=new, refused=refused, left_out=left_out,
                messages=(call_rows.people_text(people), event_rows.expiry_text(months, now=self._now)),
                parts=self.form.parts,
            )  # fmt: skip
        bulk_append.refresh_statistics(months, new=new)

    def _name_people(self, header: Header, *, refused: bool) -> int:
        """Add and join customers and make the ready lines; how many rows were of people and no acts."""
        with heavy():
            if refused:
                run(event_rows.HOLD_PLACES)
            seen = self._columns.add_customers(now=self._now) if self._columns else []
            run(event_rows.NEW_CUSTOMERS, now=self._now)
            seen += [Merger(*pair) for pair in rows(event_rows.mergers(knowable=self._knowable))]
            mergers.merge(seen, told=Told.IMPORT)
            people = call_rows.take_people(now=self._now) if self._calls else 0
            run(event_rows.ready_statement(header, layers=generation(), knowable=self._knowable))
        return people

    def _prepare(self, ready: list[Month]) -> None:
        free = self._columns.free if self._columns else ()
        bulk_append.prepare_months([month for month in ready if month.start not in free])
        if self._columns:
            self._columns.make_way()

    def _drop_erased(self, *, since: datetime) -> int:
        late = erased_ids.drop_erased(event_rows.WHO, since=since)
        return late + self._columns.drop_erased() if self._columns else late

    def _append(self, ready: list[Month]) -> tuple[int, list[Month]]:
        """How many lines were new, and the months of all lines, with how many lines there are."""
        new = self._columns.append(ready=ready, report=self._report) if self._columns else 0
        free = self._columns.free if self._columns else ()
        others = [month for month in ready if month.start not in free]
        new += bulk_append.append(others, source="import", report=self._report, step="events")
        return new, [*ready, *(self._columns.months if self._columns else ())]
