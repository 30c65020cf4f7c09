"""People in files of events: how many rows are theirs, and files without them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction

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
    """Write the files with rows of these people anew, without them; how many rows went of each."""
    whose, totals = whose_rows(people), Counter[int]()
    for file in EventFile.objects.order_by("month", "late"):
        with alone(), transaction.atomic():
            there = current(file)
            if there is not None:
                totals += _erase_in(*there, whose[there[0].archived])
    return [totals[place] for place in range(len(people))]


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
