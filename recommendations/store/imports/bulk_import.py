"""Import of item, event and promotion files into the record.

A file that cannot be used leaves nothing behind but its import's row.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from django.db import DatabaseError

from recommendations.models import Import
from recommendations.store.events import bulk_append, mergers
from recommendations.store.events.mergers import Merger
from recommendations.store.imports import (
    event_rows,
    import_record,
    item_diff,
    item_merge,
    item_rows,
    promotion_merge,
    promotion_rows,
    validate,
)
from recommendations.store.imports.event_rows import EventRules
from recommendations.store.imports.item_diff import ItemState
from recommendations.store.imports.table_files import Table, UnreadableFileError, open_table
from recommendations.store.imports.validate import Form, Header
from recommendations.store.temp_tables import Report, definition, heavy, rows, run, temporary

type Watch = Callable[[Import, Mapping[int, ItemState], Mapping[int, ItemState]], None]
"""Gets the import and what the catalogue held of its items before and after, by primary key, in its transaction."""


def import_items(path: Path, *, currency: str, now: datetime, report: Report, watch: Watch | None = None) -> Import:
    """Import an item file: new items are added, those that differ are changed in the columns that the file has."""

    def load(imported: Import, header: Header, count: int) -> None:
        run(item_rows.REPEATED)
        values = item_rows.rule_values(header, currency=currency)
        refused = validate.judge(item_rows.VERDICT, joins=item_rows.JOINS, columns=item_rows.FORM.known, values=values)
        report("items", 0, count)
        with heavy():
            item_rows.make_ready()
            before = item_diff.of_ready() if watch else {}
            merged = item_merge.merge_ready(
                given=item_rows.given(header), links=item_rows.links(header), now=now, update=True
            )
            _finish(imported, header, count=count, kept=len(merged.new) + len(merged.changed), refused=refused)
            if watch:
                watch(imported, before, item_diff.of_ready())
        report("items", count, count)

    with temporary(item_merge.READY, definition(item_merge.COLUMNS)):
        return _import("items", path, item_rows.FORM, load=load, report=report)


def import_events(path: Path, *, rules: EventRules, now: datetime, report: Report) -> Import:
    """Import an event file: lines that are new are added; those that are there already are counted."""

    def load(imported: Import, header: Header, count: int) -> None:
        with heavy():
            run(event_rows.CROWDED, most=event_rows.MOST_LINES)
        values = event_rows.rule_values(rules, now=now)
        refused = validate.judge(event_rows.VERDICT, joins=event_rows.JOINS, columns=event_rows.SHOWN, values=values)
        with heavy():
            run(event_rows.NEW_CUSTOMERS, now=now)
            mergers.merge([Merger(*pair) for pair in rows(event_rows.MERGERS)], source="import")
            run(event_rows.ready_statement(header), names=values["names"])
        months = bulk_append.prepare_months()
        with heavy():
            new = bulk_append.append_ready(months, source="import", report=report, step="events")
            _finish(imported, header, count=count, kept=new, refused=refused)
        bulk_append.refresh_statistics(new=new)

    with temporary(bulk_append.READY, definition(bulk_append.COLUMNS)):
        return _import("events", path, event_rows.FORM, load=load, report=report)


def import_promotions(path: Path, *, now: datetime, report: Report) -> Import:
    """Import a promotion file: new weeks of items are added, those that differ are changed in the file's shares."""

    def load(imported: Import, header: Header, count: int) -> None:
        promotion_rows.mark_repeated()
        verdict, values = promotion_rows.verdict(), promotion_rows.rule_values(now=now)
        form = promotion_rows.FORM
        refused = validate.judge(verdict, joins=promotion_rows.JOINS, columns=form.known, values=values)
        report("promotions", 0, count)
        with heavy():
            promotion_rows.make_ready()
            changed = promotion_merge.merge_ready(given=promotion_rows.given(header))
            _finish(imported, header, count=count, kept=changed, refused=refused)
        promotion_merge.refresh_statistics(changed=changed)
        report("promotions", count, count)

    with temporary(promotion_merge.READY, definition(promotion_merge.COLUMNS)):
        return _import("promotions", path, promotion_rows.FORM, load=load, report=report)


def _import(
    kind: str, path: Path, form: Form, *, load: Callable[[Import, Header, int], None], report: Report
) -> Import:
    imported = import_record.begin(kind=kind, file=path.name)
    try:
        with (
            open_table(path) as table,
            temporary(validate.STAGE, form.definition()),
            temporary(validate.REFUSED, validate.REFUSED_COLUMNS),
        ):
            header, count = _staged(table, form, path=path, report=report)
            load(imported, header, count)
    except UnreadableFileError as error:
        import_record.fail(imported, str(error))
        raise
    except DatabaseError as error:
        import_record.fail(imported, str(error))
        raise
    return imported


def _staged(table: Table, form: Form, *, path: Path, report: Report) -> tuple[Header, int]:
    header = validate.read_header(table, form, path=path)
    return header, validate.fill(table, header, form, report=report)


def _finish(imported: Import, header: Header, *, count: int, kept: int, refused: dict[str, int]) -> None:
    validate.list_refused(imported)
    duplicates = count - kept - sum(refused.values())
    message = validate.ignored_text(header)
    import_record.finish(imported, rows=count, kept=kept, duplicates=duplicates, reasons=refused, message=message)
