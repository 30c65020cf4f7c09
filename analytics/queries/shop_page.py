"""A page of the shop as staff look at it: its lists for somebody, under the served rules or with those that wait."""

from dataclasses import dataclass
from datetime import datetime

from analytics.queries.search import find_items
from recommendations.models import Customer, Item, Placement, Rule, ShopPage
from recommendations.services.customers import find_customers
from recommendations.services.review.drafts import draft_rules
from recommendations.services.review.page_review import PageList, item_in_view, review_page


@dataclass(frozen=True, kw_only=True)
class PreviewRequest:
    """What a preview is asked for, as it stands in the address."""

    page: str
    customer: str  # code or id of the shop; empty: somebody new
    item: str  # title or id of the item in view; empty: one that fits
    draft: bool


@dataclass(frozen=True, kw_only=True)
class PagePreview:
    """Lists of a page; ``waiting`` are the rules that it is looked at with beside the served ones."""

    customer: Customer | None
    unknown_customer: bool
    item: Item | None
    unknown_item: bool
    waiting: list[Rule]
    lists: list[PageList]

    @property
    def empty(self) -> bool:
        return not any(each.cards for each in self.lists)


def pages() -> list[ShopPage]:
    return list(ShopPage.objects.all())


def preview(request: PreviewRequest, *, now: datetime) -> PagePreview:
    """Raises UnknownPageError and NotLoadedError."""
    named = find_customers(typed=request.customer)
    customer = named[0].customer if named else None
    key = customer.pk if customer else None
    found_items = find_items(request.item) if request.item else []
    item_key = found_items[0].pk if found_items else item_in_view(page=request.page, customer=key)
    drafts = draft_rules(now=now) if request.draft else None
    return PagePreview(
        customer=customer,
        unknown_customer=bool(request.customer) and customer is None,
        item=found_items[0] if found_items else Item.objects.filter(pk=item_key).first() if item_key else None,
        unknown_item=bool(request.item) and not found_items,
        waiting=list(drafts.waiting) if drafts else [],
        lists=review_page(
            page=request.page,
            customer=key,
            context_items=(item_key,) if item_key else (),
            rules=drafts.book if drafts else None,
        ),
    )


@dataclass(frozen=True, kw_only=True)
class PlacementOnPage:
    """A placement and its place on a page, as the form has it; texts as they were typed."""

    placement: Placement
    position: str
    n: str


def placements_of(page: ShopPage) -> list[PlacementOnPage]:
    """All placements that are switched on, those on the page first, in its order."""
    on_page = {slot.placement_id: slot for slot in page.slots.all()}
    rows = [
        PlacementOnPage(
            placement=placement,
            position=str(slot.position) if slot else "",
            n=str(slot.n) if slot and slot.n else "",
        )
        for placement in Placement.objects.filter(enabled=True)
        for slot in [on_page.get(placement.pk)]
    ]
    return sorted(rows, key=lambda row: int(row.position or len(rows) + 1))
