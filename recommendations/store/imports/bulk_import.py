"""Import of item, event, promotion and customer files into the record.

A file that cannot be used leaves nothing behind but its import's row.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from django.conf import settings
from psycopg import sql

from recommendations.models import Import
from recommendations.store.imports import (
    customer_rows,
    erased_ids,
    item_diff,
    item_merge,
    item_parents,
    item_retirement,
    item_rows,
    promotion_merge,
    promotion_rows,
    validate,
)
from recommendations.store.imports.import_run import FileSource, finish, run_import
from recommendations.store.imports.item_diff import ItemState
from recommendations.store.imports.item_retirement import Became, MissingItems
from recommendations.store.imports.row_checks import ITEM_JOIN
from recommendations.store.imports.table_files import (
    Header,
)
from recommendations.store.temp_tables import Report, heavy, run, temporary

type Watch = Callable[[Import, Mapping[int, ItemState], Mapping[int, ItemState]], None]
"""Gets the import and what the catalogue held of its items before and after, by primary key, in its transaction."""


class Full(Protocol):
    """What is asked, and told, of an import whose file is the whole catalogue."""

    def allows(self, lack: MissingItems) -> bool:
        """Whether what the file lacks may be retired. Raises StoppedError where nothing at all is to be imported."""

    def note(self, imported: Import, lack: MissingItems, became: Became, *, now: datetime) -> str:
        """Note what was retired and brought back, in the import's transaction; sentences about it, one a line."""


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
            finish(imported, header, count=count, kept=kept, refused=refused, messages=(message,))
            if watch:
                watch(imported, before, item_diff.of_ready())
        report("items", count, count)

    with temporary(item_merge.READY, item_merge.DEFINITION):
        return run_import("items", path, item_rows.FORM, load=load, report=report, source=source)


def _judge_items(header: Header, *, currency: str) -> dict[str, int]:
    """Refuse the rows that break a rule, and give those of variants their parents; code of what is wrong → rows."""
    validate.mark_repeated(sql.SQL("item_id"), fault="item_id:already_listed")
    values = item_rows.rule_values(header, currency=currency)
    refused = validate.judge(item_rows.FORM, item_rows.VERDICT, joins=ITEM_JOIN, values=values)
    if not item_parents.in_(header):
        return refused
    item_parents.follow_groups()
    return item_parents.refuse_orphans(refused)


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
            finish(imported, header, count=count, kept=changed, refused=refused)
        promotion_merge.refresh_statistics(changed=changed)
        report("promotions", count, count)

    with temporary(promotion_merge.READY, promotion_merge.DEFINITION):
        return run_import("promotions", path, promotion_rows.FORM, load=load, report=report)


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
            finish(imported, header, count=count, kept=changed, refused=refused)
            customer_rows.show_own_names(imported, own)
        report("customers", count, count)

    with temporary(customer_rows.READY, customer_rows.DEFINITION):
        source = FileSource(opener=customer_rows.open_properties)
        return run_import("customers", path, form, load=load, report=report, source=source)
