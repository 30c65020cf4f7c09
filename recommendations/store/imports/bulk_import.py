"""Import of item, event, promotion and customer files into the record.

A file that cannot be used leaves nothing behind but its import's row.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from psycopg import sql

from recommendations.fields import MOST_LINES
from recommendations.models import Import
from recommendations.store.events import bulk_append, mergers
from recommendations.store.events.generations import generation, settled
from recommendations.store.events.mergers import Merger, Told
from recommendations.store.imports import (
    call_rows,
    customer_rows,
    erased_ids,
    event_rows,
    import_record,
    item_diff,
    item_merge,
    item_parents,
    item_retirement,
    item_rows,
    later_hashes,
    promotion_merge,
    promotion_rows,
    validate,
)
from recommendations.store.imports.hidden_ids import forget_ids
from recommendations.store.imports.item_diff import ItemState
from recommendations.store.imports.item_retirement import Became, MissingItems
from recommendations.store.imports.reasons import ERASED
from recommendations.store.imports.row_checks import ITEM_JOIN
from recommendations.store.imports.table_files import (
    FileLimits,
    FileTooLargeError,
    Header,
    Table,
    UnreadableFileError,
    open_table,
)
from recommendations.store.imports.validate import Form
from recommendations.store.temp_tables import Report, heavy, rows, run, temporary

type Watch = Callable[[Import, Mapping[int, ItemState], Mapping[int, ItemState]], None]
"""Gets the import and what the catalogue held of its items before and after, by primary key, in its transaction."""


class StoppedError(Exception):
    """Somebody, or a bound, stopped an import before it changed anything; the message says why, and what to do."""


class Full(Protocol):
    """What is asked, and told, of an import whose file is the whole catalogue."""

    def allows(self, lack: MissingItems) -> bool:
        """Whether what the file lacks may be retired. Raises StoppedError where nothing at all is to be imported."""

    def note(self, imported: Import, lack: MissingItems, became: Became, *, now: datetime) -> str:
        """Note what was retired and brought back, in the import's transaction; sentences about it, one a line."""


type Opener = Callable[[Path], AbstractContextManager[Table]]
"""Opens the table in a file; raises UnreadableFileError where there is none."""


@dataclass(frozen=True, kw_only=True)
class FileSource:
    """How a file is opened, how much is read of it, and where it came from, where it is stored under another name."""

    opener: Opener = open_table
    limits: FileLimits | None = None
    name: str = ""


def import_items(
    path: Path,
    *,
    currency: str,
    now: datetime,
    report: Report,
    watch: Watch | None = None,
    full: Full | None = None,
    source: FileSource | None = None,
) -> Import:
    """Import an item file: new items are added, those that differ are changed in the columns that the file has.

    With ``full`` what the file lacks is retired. Raises FileTooLargeError as soon as more than the limits has been
    read, and StoppedError.
    """

    def load(imported: Import, header: Header, count: int) -> None:
        refused = _judge_items(header, currency=currency)
        messages = [item_rows.currency_text(currency=currency)]
        lack = item_retirement.lacking() if full else None
        retiring = bool(full and lack and full.allows(lack))
        report("items", 0, count)
        with heavy():
            run(item_rows.READY, zone=settings.TIME_ZONE)
            before = item_diff.of_ready() if watch else {}
            merged = item_merge.merge_ready(
                given=item_rows.given(header), links=item_rows.links(header), now=now, update=True
            )
            changed = merged.changed | (item_parents.link(now=now) if item_parents.in_(header) else set())
            if full and lack:
                became = item_retirement.settle(lack if retiring else None, now=now)
                changed |= {each.key for each in became.back}
                messages.append(full.note(imported, lack, became, now=now))
            messages.append(item_retirement.stay_text(full=full is not None))
            kept, message = len(merged.new | changed), "\n".join(filter(None, messages))
            _finish(imported, header, count=count, kept=kept, refused=refused, messages=(message,))
            if watch:
                watch(imported, before, item_diff.of_ready())
        report("items", count, count)

    with temporary(item_merge.READY, item_merge.DEFINITION):
        return _import("items", path, item_rows.FORM, load=load, report=report, source=source)


def _judge_items(header: Header, *, currency: str) -> dict[str, int]:
    """Refuse the rows that break a rule, and give those of variants their parents; code of what is wrong → rows."""
    validate.mark_repeated(sql.SQL("item_id"), fault="item_id:already_listed")
    values = item_rows.rule_values(header, currency=currency)
    refused = validate.judge(item_rows.FORM, item_rows.VERDICT, joins=ITEM_JOIN, values=values)
    if not item_parents.in_(header):
        return refused
    item_parents.follow_groups()
    return item_parents.refuse_orphans(refused)


def import_events(
    path: Path, *, currency: str, now: datetime, report: Report, source: FileSource | None = None, calls: bool = False
) -> Import:
    """Import an event file: lines that are new are added; those that are there already are counted.

    ``calls``: the table is of calls of another system.
    """
    form, verdict = (call_rows.FORM, call_rows.VERDICT) if calls else (event_rows.FORM, event_rows.VERDICT)
    knowable = call_rows.KNOWABLE if calls else event_rows.EVERYBODY

    def load(imported: Import, header: Header, count: int) -> None:
        with heavy():
            run(event_rows.EPOCHS)
            left_out = dict(rows(event_rows.LEAVE_OUT))
            if calls:  # no event of theirs has too many lines, but one may be there often
                count += call_rows.fill_refunds()
            else:
                run(event_rows.CROWDED, most=MOST_LINES)
        values, looked_at = event_rows.rule_values(currency=currency, now=now), timezone.now()
        erased_ids.note_erased(event_rows.WHO)
        refused = validate.judge(form, verdict, joins=event_rows.JUDGING_JOINS, values=values)
        with heavy():
            if refused:
                run(event_rows.HOLD_PLACES)
            run(event_rows.NEW_CUSTOMERS, now=now)
            mergers.merge([Merger(*pair) for pair in rows(event_rows.mergers(knowable=knowable))], told=Told.IMPORT)
            people = call_rows.take_people(now=now) if calls else 0
            run(event_rows.ready_statement(header, layers=generation(), knowable=knowable))
        months = bulk_append.prepare_months()
        with heavy():
            if late := erased_ids.drop_erased(event_rows.WHO, since=looked_at):
                refused[ERASED] = refused.get(ERASED, 0) + late
            new = bulk_append.append_ready(months, source="import", report=report, step="events")
            _finish(
                imported, header, count=count - people, kept=new, refused=refused, left_out=left_out,
                messages=(call_rows.people_text(people), event_rows.expiry_text(months, now=now)), parts=form.parts,
            )  # fmt: skip
        bulk_append.refresh_statistics(new=new)

    with temporary(bulk_append.READY, bulk_append.DEFINITION):
        return _import("events", path, form, load=load, report=report, source=source)


def import_promotions(path: Path, *, now: datetime, report: Report) -> Import:
    """Import a promotion file: new weeks of items are added, those that differ are changed in the file's shares."""

    def load(imported: Import, header: Header, count: int) -> None:
        validate.mark_repeated(promotion_rows.KEY, fault="week:already_planned")
        values = promotion_rows.rule_values(now=now)
        refused = validate.judge(promotion_rows.FORM, promotion_rows.verdict(), joins=ITEM_JOIN, values=values)
        report("promotions", 0, count)
        with heavy():
            run(promotion_rows.READY)
            changed = promotion_merge.merge_ready(given=promotion_rows.given(header))
            _finish(imported, header, count=count, kept=changed, refused=refused)
        promotion_merge.refresh_statistics(changed=changed)
        report("promotions", count, count)

    with temporary(promotion_merge.READY, promotion_merge.DEFINITION):
        return _import("promotions", path, promotion_rows.FORM, load=load, report=report)


def import_customers(path: Path, *, report: Report) -> Import:
    """Import a file of customers: those who are new are added, the others changed in the properties that the file has;
    an empty cell deletes one.
    """
    form, own = customer_rows.form_of(path)

    def load(imported: Import, header: Header, count: int) -> None:
        validate.mark_repeated(sql.Identifier(customer_rows.WHO), fault=f"{customer_rows.WHO}:already_told")
        erased_ids.note_erased([customer_rows.WHO])
        refused = validate.judge(form, customer_rows.verdict(own), joins=customer_rows.JOINS, values={})
        report("customers", 0, count)
        with heavy():
            changed = customer_rows.merge(own)
            _finish(imported, header, count=count, kept=changed, refused=refused)
            customer_rows.show_own_names(imported, own)
        report("customers", count, count)

    with temporary(customer_rows.READY, customer_rows.DEFINITION):
        source = FileSource(opener=customer_rows.open_properties)
        return _import("customers", path, form, load=load, report=report, source=source)


def _import(
    kind: str, path: Path, form: Form, *, load: Callable[[Import, Header, int], None], report: Report,
    source: FileSource | None = None,
) -> Import:  # fmt: skip
    source = source or FileSource()
    imported = import_record.begin(kind=kind, file=source.name or path.name)
    try:
        with (
            settled(patient=True) as layers,
            source.opener(path) as table,
            temporary(validate.STAGE, form.definition()),
            temporary(validate.REFUSED, validate.REFUSED_COLUMNS),
            temporary(erased_ids.TABLE, erased_ids.DEFINITION),
            temporary(later_hashes.TABLE, later_hashes.DEFINITION),
        ):
            header = validate.read_header(table, form, path=path)
            count = validate.fill(table, header, form, report=report, limits=source.limits)
            later_hashes.lay_layers([each for each in form.hidden if each.name in header.places], layers)
            load(imported, table.settle(header), count)
    except StoppedError as stop:
        import_record.fail(imported, str(stop), status=Import.Status.STOPPED)
        raise
    except (UnreadableFileError, FileTooLargeError, DatabaseError) as error:
        import_record.fail(imported, str(error))
        raise
    finally:
        forget_ids()
    return imported


def _finish(
    imported: Import,
    header: Header,
    *,
    count: int,
    kept: int,
    refused: dict[str, int],
    left_out: Mapping[str, int] | None = None,
    messages: tuple[str, ...] = (),
    parts: int = 0,
) -> None:
    """Write down how an import ended; ``left_out``: events that nothing is learned from, by name."""
    validate.list_refused(imported, own=header.own, parts=parts)
    others = left_out or {}
    count -= sum(others.values())
    duplicates = count - kept - sum(refused.values())
    unused = validate.left_out_text({**header.left_out, **others})
    texts = (*messages, validate.renamed_text(header), validate.ignored_text(header), unused)
    import_record.finish(
        imported, rows=count, kept=kept, duplicates=duplicates, reasons=refused, message="\n".join(filter(None, texts))
    )
