"""People in files of events: how many rows are theirs, and files without them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction
from django.db.models import QuerySet

from recommendations.models import EventFile
from recommendations.store.snapshots import files
from recommendations.store.snapshots.update import alone
from recommendations.store.snapshots.whose_rows import Sought, WhoseRows, current, whose_rows


def count_rows(sought: Sought) -> int:
    """Rows of files that are theirs."""
    whose, count = whose_rows([sought]), 0
    for file in EventFile.objects.order_by("month", "late"):
        if (there := current(file)) is not None:
            with there[1] as opened:
                count += _counts(opened, whose[there[0].archived]).total()
    return count


def erase_rows(people: Sequence[Sought]) -> list[int]:
    """Write the files with rows of these people anew, without them; how many rows went of each.

    Where a file is all that there is, what came of their orders without a name goes first, out of every such file:
    their own rows tell which that is, and an erasure that broke off finds it again while they are there.
    """
    whose, in_order = whose_rows(people), EventFile.objects.order_by("month", "late")
    nameless = whose[True].nameless()
    totals = _erase(in_order.filter(archived=True), {True: nameless}) + _erase(in_order, whose)
    return [totals[place] for place in range(len(people))]


def _erase(stored: QuerySet[EventFile], whose: Mapping[bool, WhoseRows]) -> Counter[int]:
    """Erase people from some files; how many rows of each these had."""
    totals = Counter[int]()
    for file in stored:
        with alone(), transaction.atomic():
            there = current(file)
            if there is not None and there[0].archived in whose:
                totals += _erase_in(*there, whose[there[0].archived])
    return totals


def _erase_in(file: EventFile, opened: pq.ParquetFile, whose: WhoseRows) -> Counter[int]:
    """Replace a file by one without people; how many rows of each it had."""
    with opened:
        counts = _counts(opened, whose)
        if counts:
            written = files.write(file.month, _without(opened, whose), late=file.late)
            transaction.on_commit(partial(files.delete, [file.path]))
            EventFile.objects.filter(pk=file.pk).update(**written._asdict())
    return counts


def _counts(opened: pq.ParquetFile, whose: WhoseRows) -> Counter[int]:
    """Rows of each of the people, by their places."""
    counts = Counter[int]()
    for table in whose.tables(opened, ["customer", "basket"]):
        counts.update(whose.of(table).tolist())
    del counts[WhoseRows.NOBODY]
    return counts


def _without(opened: pq.ParquetFile, whose: WhoseRows) -> Iterator[pa.Table]:
    for group in range(opened.num_row_groups):
        table = opened.read_row_group(group)
        yield table.filter(pa.array(whose.of(table) == WhoseRows.NOBODY))
