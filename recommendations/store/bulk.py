"""Files of items, events and promotions into the record.

A file that cannot be used leaves nothing behind but its import's row.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from django.db import DatabaseError

from recommendations.models import Import
from recommendations.store import (
    event_rows,
    events,
    imports,
    item_images,
    item_rows,
    items,
    mergers,
    promotion_rows,
    promotions,
    staging,
)
from recommendations.store.event_rows import EventRules
from recommendations.store.files import Table, UnreadableFileError, open_table
from recommendations.store.item_images import Image
from recommendations.store.mergers import Merger
from recommendations.store.stage import Report, definition, heavy, rows, run, temporary
from recommendations.store.staging import Form, Header

type Watch = Callable[[Import, Mapping[int, Image], Mapping[int, Image]], None]
"""Gets the import and what the catalogue held of its items before and after, by primary key, in its transaction."""


def import_items(path: Path, *, currency: str, now: datetime, report: Report, watch: Watch | None = None) -> Import:
    """New items are added, those that differ are changed in the columns that the file has."""

    def load(imported: Import, header: Header, count: int) -> None:
        run(item_rows.REPEATED)
        values = item_rows.rule_values(header, currency=currency)
        refused = staging.judge(item_rows.VERDICT, joins=item_rows.JOINS, columns=item_rows.FORM.known, values=values)
        report("items", 0, count)
        with heavy():
            item_rows.make_ready()
            before = item_images.of_ready() if watch else {}
            merged = items.merge_ready(
                given=item_rows.given(header), links=item_rows.links(header), now=now, update=True
            )
            _finish(imported, header, count=count, kept=len(merged.new) + len(merged.changed), refused=refused)
            if watch:
                watch(imported, before, item_images.of_ready())
        report("items", count, count)

    with temporary(items.READY, definition(items.COLUMNS)):
        return _import("items", path, item_rows.FORM, load=load, report=report)


def import_events(path: Path, *, rules: EventRules, now: datetime, report: Report) -> Import:
    """Lines that are new are added; those that are there already are counted."""

    def load(imported: Import, header: Header, count: int) -> None:
        with heavy():
            run(event_rows.CROWDED, most=event_rows.MOST_LINES)
        values = event_rows.rule_values(rules, now=now)
        refused = staging.judge(event_rows.VERDICT, joins=event_rows.JOINS, columns=event_rows.SHOWN, values=values)
        with heavy():
            run(event_rows.NEW_CUSTOMERS, now=now)
            mergers.merge([Merger(*pair) for pair in rows(event_rows.MERGERS)], source="import")
            run(event_rows.ready_statement(header), names=values["names"])
        months = events.prepare_months()
        with heavy():
            kept = events.append_ready(months, source="import", report=report, step="events")
            _finish(imported, header, count=count, kept=kept, refused=refused)
        events.refresh_statistics(new=kept)

    with temporary(events.READY, definition(events.COLUMNS)):
        return _import("events", path, event_rows.FORM, load=load, report=report)


def import_promotions(path: Path, *, now: datetime, report: Report) -> Import:
    """Weeks of items that are new are added, those that differ are changed in the shares that the file has."""

    def load(imported: Import, header: Header, count: int) -> None:
        promotion_rows.mark_repeated()
        verdict, values = promotion_rows.verdict(), promotion_rows.rule_values(now=now)
        form = promotion_rows.FORM
        refused = staging.judge(verdict, joins=promotion_rows.JOINS, columns=form.known, values=values)
        report("promotions", 0, count)
        with heavy():
            promotion_rows.make_ready()
            kept = promotions.merge_ready(given=promotion_rows.given(header))
            _finish(imported, header, count=count, kept=kept, refused=refused)
        promotions.refresh_statistics(changed=kept)
        report("promotions", count, count)

    with temporary(promotions.READY, definition(promotions.COLUMNS)):
        return _import("promotions", path, promotion_rows.FORM, load=load, report=report)


def _import(
    kind: str, path: Path, form: Form, *, load: Callable[[Import, Header, int], None], report: Report
) -> Import:
    imported = imports.begin(kind=kind, file=path.name)
    try:
        with (
            open_table(path) as table,
            temporary(staging.STAGE, form.definition()),
            temporary(staging.REFUSED, staging.REFUSED_COLUMNS),
        ):
            header, count = _staged(table, form, path=path, report=report)
            load(imported, header, count)
    except UnreadableFileError as error:
        imports.fail(imported, str(error))
        raise
    except DatabaseError as error:
        imports.fail(imported, str(error))
        raise
    return imported


def _staged(table: Table, form: Form, *, path: Path, report: Report) -> tuple[Header, int]:
    header = staging.read_header(table, form, path=path)
    return header, staging.fill(table, header, form, report=report)


def _finish(imported: Import, header: Header, *, count: int, kept: int, refused: dict[str, int]) -> None:
    staging.list_refused(imported)
    duplicates = count - kept - sum(refused.values())
    message = staging.ignored_text(header)
    imports.finish(imported, rows=count, kept=kept, duplicates=duplicates, reasons=refused, message=message)
