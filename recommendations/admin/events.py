"""Events, read-only. There are millions: counts are estimated, and a page is never far from the newest."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from recommendations.admin.estimates import EstimatingPaginator
from recommendations.admin.rights import PolicyAdmin
from recommendations.models import Item
from recommendations.models.events import EventListing
from recommendations.services.customers import find_customers

MONTHS = 26  # as far back as the API accepts, and two months more


class MonthFilter(admin.SimpleListFilter):
    """Filter by one month, which is one partition of the table."""

    title = _("month")
    parameter_name = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = timezone.now()
        months = [_month(newest.year * 12 + newest.month - 1 - back) for back in range(MONTHS)]
        return [(f"{month:%Y-%m}", date_format(month, "YEAR_MONTH_FORMAT")) for month in months]

    def queryset(self, request: HttpRequest, queryset: QuerySet[EventListing]) -> QuerySet[EventListing]:
        choices = {value for value, _name in self.lookup_choices}
        value = self.value()
        if value not in choices:
            return queryset if value is None else queryset.none()
        year, month = map(int, str(value).split("-"))
        start = year * 12 + month - 1
        return queryset.filter(occurred_at__gte=_month(start), occurred_at__lt=_month(start + 1))


@admin.register(EventListing)
class EventAdmin(PolicyAdmin[EventListing]):
    list_display = (
        "occurred_at", "name", "customer_link", "item_link", "how_many", "amount", "transaction_id", "source",
        "event_id",
    )  # fmt: skip
    list_display_links = None
    list_select_related = ("customer", "item")
    list_filter = ("name", MonthFilter)
    search_fields = ("event_id",)  # shows the box; see get_search_results
    search_help_text = _("A customer's code or the shop's id of one, an item id, a transaction, or an event id.")
    paginator = EstimatingPaginator
    sortable_by = ()
    show_facets = admin.ShowFacets.NEVER  # they would count everything once per choice
    actions = None

    @admin.display(description=_("customer"))
    def customer_link(self, event: EventListing) -> SafeString | str:
        return _link("admin:recommendations_customer_change", event.customer)

    @admin.display(description=_("item"))
    def item_link(self, event: EventListing) -> SafeString | str:
        return _link("admin:recommendations_item_change", event.item)

    @admin.display(description=_("quantity"))
    def how_many(self, event: EventListing) -> str:
        return "-" if event.quantity is None else f"{event.quantity.normalize():f}"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[EventListing], search_term: str
    ) -> tuple[QuerySet[EventListing], bool]:
        typed = search_term.strip()
        if not typed or "\x00" in typed:
            return (queryset.none() if typed else queryset), False
        return queryset.filter(_search(typed)), False


def _link(page: str, row: Model | None) -> SafeString | str:
    return "" if row is None else format_html('<a href="{}">{}</a>', reverse(page, args=[row.pk]), row)


def _search(typed: str) -> Q:
    """Condition for whom or what was typed; the customer before items, because their events have an index."""
    try:
        return Q(event_id=UUID(typed))
    except ValueError:
        pass
    customers = [one.customer for one in find_customers(typed=typed)]
    if customers:
        return Q(customer__in=customers)
    item = Item.objects.filter(shop_id=typed).first()
    return Q(item=item) if item else Q(transaction_id=typed)


def _month(number: int) -> datetime:
    """The first moment of a month, counted from the year 0, in UTC, as the partitions are cut."""
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
