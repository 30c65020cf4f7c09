"""Validation rules of events, beyond the shape of their fields; each says what to do instead."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings
from django.utils.translation import gettext as _

from recommendations.ingest.event_schema import EventForm
from recommendations.ingest.refusal import Refusal
from recommendations.terms import EventName

AHEAD = timedelta(minutes=10)
RETENTION = timedelta(days=730)
LARGEST_AMOUNT = Decimal("9999999999.99")  # numeric(12, 2)
CENT = Decimal("0.01")

ALIASES = {
    EventName.VIEW_ITEM_LIST: ("Product List Viewed", "category-page-view"),
    EventName.SELECT_ITEM: ("Product Clicked",),
    EventName.VIEW_ITEM: ("Product Viewed", "detail-page-view", "AddDetailView"),
    EventName.SEARCH: ("Products Searched",),
    EventName.ADD_TO_CART: ("Product Added", "add-to-cart", "AddCartAddition"),
    EventName.REMOVE_FROM_CART: ("Product Removed", "remove-from-cart", "DeleteCartAddition"),
    EventName.BEGIN_CHECKOUT: ("Checkout Started",),
    EventName.PURCHASE: ("Order Completed", "purchase-complete", "AddPurchase"),
    EventName.REFUND: ("Order Refunded", "DeletePurchase"),
    EventName.ADD_TO_WISHLIST: ("Product Added to Wishlist", "AddBookmark"),
    EventName.SHARE: ("Product Shared",),
    EventName.RATE_ITEM: ("Product Reviewed", "AddRating"),
    EventName.VIEW_HOMEPAGE: ("home-page-view",),
}
"""Names that Segment, Vertex and Recombee have for the same events."""

NAMES = {str(name): name for name in EventName} | {alias: name for name, names in ALIASES.items() for alias in names}
NEEDS_ITEMS = frozenset(EventName) - {
    EventName.VIEW_ITEM_LIST,
    EventName.SEARCH,
    EventName.BEGIN_CHECKOUT,
    EventName.SHARE,
    EventName.FOLLOW,
    EventName.VIEW_HOMEPAGE,
}
TRADES = frozenset({EventName.PURCHASE, EventName.REFUND})
TARGETS = ("customer", "brand", "category")

type Rule = Callable[[EventForm], Refusal | None]


def refusal_of(form: EventForm, *, now: datetime) -> Refusal | None:
    """Refusal by the first rule that the event breaks; None where it breaks none."""
    rules = _RULES.get(form.name)
    if rules is None:
        names = ", ".join(EventName)
        return Refusal("/name", _("There is no event of this name; use one of %(names)s.") % {"names": names})
    if not now - RETENTION <= form.timestamp <= now + AHEAD:
        return _untimely(form, now)
    for rule in rules:
        if (refusal := rule(form)) is not None:
            return refusal
    return None


def _untimely(form: EventForm, now: datetime) -> Refusal:
    if form.timestamp > now:
        server_time = now.astimezone(UTC).isoformat(timespec="seconds")
        text = _("The time is more than 10 minutes ahead of the server's, which is %(now)s; set the clock right.")
        return Refusal("/timestamp", text % {"now": server_time})
    text = _("The time is more than %(days)s days ago; load older events with manage.py import_events.")
    return Refusal("/timestamp", text % {"days": RETENTION.days})


def _nobody(form: EventForm) -> Refusal | None:
    if form.user_id is not None or form.anonymous_id is not None:
        return None
    if form.consent is not None and form.consent.personalisation is False:
        return None
    return Refusal("/user_id", _("Nobody is named; send user_id, anonymous_id or both."))


def _no_items(form: EventForm) -> Refusal | None:
    if not form.items:
        return Refusal("/items", _("The event needs at least one item."))
    return None


def _no_transaction(form: EventForm) -> Refusal | None:
    if form.transaction_id is None:
        return Refusal("/transaction_id", _("The field is missing; a basket is one transaction."))
    return None


def _no_term(form: EventForm) -> Refusal | None:
    if form.search_term is None:
        return Refusal("/search_term", _("The field is missing; a search has a search term."))
    return None


def _no_rating(form: EventForm) -> Refusal | None:
    if form.rating is None:
        return Refusal("/rating", _("The field is missing; send rating and rating_scale."))
    if form.rating_scale is None:
        return Refusal("/rating_scale", _("The field is missing; it is the best rating that can be given."))
    if not 0 <= form.rating <= form.rating_scale:
        return Refusal("/rating", _("The rating is not between 0 and rating_scale."))
    return None


def _no_target(form: EventForm) -> Refusal | None:
    if form.target_type is None:
        return Refusal("/target_type", _("The field is missing; it says what kind of thing is followed."))
    if form.target_id is None:
        return Refusal("/target_id", _("The field is missing; it names what is followed."))
    return None


_CHECKS: dict[EventName, Rule] = {
    EventName.PURCHASE: _no_transaction,
    EventName.REFUND: _no_transaction,
    EventName.SEARCH: _no_term,
    EventName.RATE_ITEM: _no_rating,
    EventName.FOLLOW: _no_target,
}


def _unknown_target(form: EventForm) -> Refusal | None:
    if form.target_type is not None and form.target_type not in TARGETS:
        return Refusal("/target_type", _("What is followed is one of %(targets)s.") % {"targets": ", ".join(TARGETS)})
    return None


def _foreign(form: EventForm) -> Refusal | None:
    if form.currency is None or form.currency == settings.SHOP_CURRENCY:
        return None
    text = _("This shop counts in %(ours)s; convert the amounts, or leave the currency out.")
    return Refusal("/currency", text % {"ours": settings.SHOP_CURRENCY})


def _impossible_money(form: EventForm) -> Refusal | None:
    if form.value is not None and not _is_money(form.value):
        return Refusal("/value", _impossible())
    for position, item in enumerate(form.items):
        if item.price is None:
            continue
        if not _is_money(item.price):
            return Refusal(f"/items/{position}/price", _impossible())
        if item.quantity and not _is_money(item.price * item.quantity):
            return Refusal(f"/items/{position}/quantity", _impossible())
    return None


def _rules_of(name: EventName) -> tuple[Rule, ...]:
    """Rules that an event of this name may break, all but that on its time, in the order in which they are checked."""
    items: tuple[Rule, ...] = (_no_items,) if name in NEEDS_ITEMS else ()
    own: tuple[Rule, ...] = (_CHECKS[name],) if name in _CHECKS else ()
    return (_nobody, *items, *own, _unknown_target, _foreign, _impossible_money)


def _is_money(amount: Decimal) -> bool:
    return amount.is_finite() and 0 <= amount <= LARGEST_AMOUNT


def _impossible() -> str:
    return _("An amount of money lies between 0 and %(largest)s.") % {"largest": LARGEST_AMOUNT}


def rounded(amount: Decimal) -> Decimal:
    """An amount rounded to cents, as PostgreSQL rounds."""
    return amount.quantize(CENT, ROUND_HALF_UP)


_RULES = {written: _rules_of(name) for written, name in NAMES.items()}
