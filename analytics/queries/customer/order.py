"""The order of a list of customers, and who comes before and after one of them in it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from django.db.models import BigIntegerField, Count, F, Func, OrderBy, OuterRef, Q, QuerySet, Subquery, Value, Window
from django.db.models.expressions import Expression
from django.db.models.functions import Coalesce, Greatest, Lag, Lead, RowNumber

from analytics.queries.customer.filters import Filters, Known, browsable, chosen
from analytics.queries.layout import Frame
from recommendations.customer_codes import order_sql
from recommendations.models import Event


class ByCode(Func):
    """Where the code of a key stands among all codes."""

    template = order_sql("%(expressions)s")
    output_field = BigIntegerField()


class ListPosition(NamedTuple):
    """Where a customer stands in a list: keys of the neighbours, the number of the row, and of how many."""

    previous: int | None
    next: int | None
    number: int
    of: int


def ordered(found: Known, sort: str) -> Known:
    """Customers by a column of ``SORTS``, with "-" downwards; ties by number, those without a value last."""
    return found.order_by(*_order(sort))


def place(pk: int, filters: Filters, *, frame: Frame) -> ListPosition | None:
    """Position of a customer in the list; None where the filters leave them out."""
    customers = chosen(browsable(), filters, known_until=frame.known_until)
    order = _order(filters.sort)
    beside = customers.annotate(
        previous=Window(Lag("pk"), order_by=order),
        next=Window(Lead("pk"), order_by=order),
        row=Window(RowNumber(), order_by=order),
        total=Window(Count("pk")),
    )
    # A condition on the customer itself would be applied before the windows: they would see one row.
    rows = beside.filter(Q(previous=pk) | Q(next=pk)).values_list("pk", "row", "previous", "total")
    before = after = None
    number, total = 1, 1
    for key, row, previous, total in rows:  # noqa: B007 - the total is the same in both
        if previous == pk:
            after, number = key, row - 1
        else:
            before, number = key, row + 1
    if before is None and after is None and not customers.filter(pk=pk).exists():
        return None
    return ListPosition(previous=before, next=after, number=number, of=total)


def _order(sort: str) -> list[OrderBy]:
    column, downwards = SORTS[sort.removeprefix("-")](), sort.startswith("-")
    return [OrderBy(column, descending=downwards, nulls_last=True), OrderBy(F("pk"))]


def _events() -> Expression:
    """Number of events, counted now with those of merged anonymous keys: an index is read from end to end."""
    own, merged = (
        Subquery(acts.order_by().values(_all=Value(1)).annotate(n=Count("*")).values("n")) for acts in _acts()
    )
    return Coalesce(own, Value(0)) + Coalesce(merged, Value(0))


def _last_event() -> Expression:
    own, merged = (Subquery(acts.order_by("-occurred_at").values("occurred_at")[:1]) for acts in _acts())
    return Greatest(own, merged)


def _acts() -> tuple[QuerySet[Event], QuerySet[Event]]:
    """Events of each customer, and of the keys merged into them."""
    merged = {"customer__aliases__customer": OuterRef("pk"), "customer__aliases__undone_at": None}
    return Event.objects.filter(customer=OuterRef("pk")), Event.objects.filter(**merged)


SORTS: Mapping[str, Callable[[], Expression | F]] = {
    "number": lambda: ByCode("pk"),
    "activity": lambda: F("weight"),
    "change": lambda: F("shift"),
    "events": _events,
    "last": _last_event,
    "segment": lambda: F("live_profile__segment__number"),
}
"""Columns to sort by, made anew for each query: Django changes the expressions that it is given."""
