"""Opening of a file of items in whatever format: it is known by what is in it, and not by its name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from recommendations.ingest.feeds import shopify_csv
from recommendations.ingest.feeds.feed_tables import FoldedRows, MappedTable, RowTable
from recommendations.ingest.feeds.json_rows import JsonRows
from recommendations.ingest.feeds.mapping import Mapper, ReadingPlan
from recommendations.ingest.feeds.merchant_xml import MerchantXml
from recommendations.ingest.feeds.shopify_csv import ShopifyRows
from recommendations.ingest.feeds.unpacking import unpacked
from recommendations.store.imports.csv_rows import BOM
from recommendations.store.imports.table_files import FileLimits, Table, open_table

HEAD = 4096
WIDE = ("<".encode("utf-16"), b"\xfe\xff\x00<")
"""How XML begins in UTF-16, in either order of the bytes."""


@contextmanager
def open_feed(path: Path, *, plan: ReadingPlan, limits: FileLimits | None = None) -> Iterator[Table]:
    """Open a file of items as a table of our columns.

    Raises UnreadableFileError where there is none, FileTooLargeError where it unpacks to more than the limits allow.
    """
    with unpacked(path, limits=limits) as plain:
        with plain.open("rb") as file:
            head = file.read(HEAD)
            file.seek(0)
            if (table := _written_out(file, head, plan, plain)) is not None:
                yield table
                return
        with open_table(plain) as rows:
            yield _tabular(rows, plan, plain)


def _written_out(file: BinaryIO, head: bytes, plan: ReadingPlan, path: Path) -> Table | None:
    """Table of a format that names the fields in each row; None for one with columns."""
    start = head.removeprefix(BOM).lstrip()[:1]
    if start == b"<" or head.startswith(WIDE):
        return RowTable(MerchantXml(file, path), Mapper(plan), path)
    if start in {b"{", b"["}:
        return RowTable(JsonRows(file, path), Mapper(plan), path)
    return None


def _tabular(table: Table, plan: ReadingPlan, path: Path) -> Table:
    if not shopify_csv.is_shopify(table.columns):
        return MappedTable(table, Mapper(plan), path)
    rows = ShopifyRows(table)
    mapper = Mapper(plan, also=shopify_csv.MAPS)
    mapper.learn(rows.columns())
    return RowTable(FoldedRows(rows.rows(), table, size=path.stat().st_size), mapper, path)
