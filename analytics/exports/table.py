"""A table as a CSV file that spreadsheets read as it is meant."""

import csv
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

from recommendations.services.catalogue.spreadsheets import harmless

BYTE_ORDER_MARK = "\ufeff"  # without it, spreadsheets read Chinese as something else

type Value = str | float | int | None


def csv_file(name: str, *, head: Sequence[str], rows: Iterable[Sequence[Value]]) -> HttpResponse:
    """A download; a text that a spreadsheet would take for a formula gets an apostrophe before it."""
    answer = HttpResponse(BYTE_ORDER_MARK, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    writer = csv.writer(answer)
    writer.writerows([harmless(value) for value in row] for row in (head, *rows))
    return answer
