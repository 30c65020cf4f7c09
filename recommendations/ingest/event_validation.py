"""Validation rules of events, beyond the shape of their fields; each says what to do instead."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from operator import attrgetter

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recommendations.event_types import LIKE, NAMES, UNUSED, EventName, ItemNeed, folded
from recommendations.fields import AHEAD, LARGEST_AMOUNT, PAST, TARGETS
from recommendations.ingest.event_schema import EventForm
from recommendations.ingest.refusal import Refusal
from recommendations.privacy_terms import RETENTION, RetentionKind
from recommendations.store.retention_rules import event_days

ALWAYS_TAKEN = timedelta(days=RETENTION[RetentionKind.EVENTS].least)
"""An event that is no older is taken whatever the shop's rule of retention."""
CENT, GRAM = Decimal("0.01"), Decimal("0.001")
NAME = "/name"
"""Pointer of what is said of an event whose name is of no use."""
_ANY_MISSING = gettext_lazy("The field is missing.")
_MISSING = {
    "transaction_id": gettext_lazy("The field is missing; a basket is one transaction."),
    "search_term": gettext_lazy("The field is missing; a search has a search term."),
    "rating": gettext_lazy("The field is missing; send rating and rating_scale."),
    "rating_scale": gettext_lazy("The field is missing; it is the best rating that can be given."),
    "target_type": gettext_lazy("The field is missing; it says what kind of thing is followed."),
    "target_id": gettext_lazy("The field is missing; it names what is followed."),
}

type Rule = Callable[[EventForm], Refusal | None]


def refusal_of(form: EventForm, *, now: datetime) -> Refusal | None:
    """Refusal by the first rule that the event breaks; None where it breaks none."""
    rules = _RULES.get(form.name)
    if rules is None:
        return Refusal(NAME, why_unused(form.name))
    if not now - ALWAYS_TAKEN <= form.timestamp <= now + AHEAD and (refusal := _untimely(form, now)):
        return refusal
    for rule in rules:
        if (refusal := rule(form)) is not None:
            return refusal
    return None


def why_unused(name: str, *, system: str = "") -> str:
    """Why an event of this name is left out, and what its name should be where it is nearly one."""
    if system:
        return _("%(system)s's “%(name)s” is left out: nothing is learned from it.") % {"system": system, "name": name}
    for system, names in UNUSED.items():
        if name in names:
            text = _("%(system)s's “%(name)s” is left out on purpose: nothing is learned from it.")
            return text % {"system": system, "name": name}
    if (like := LIKE.get(folded(name))) is not None:
        return _("There is no event “%(name)s”, so it is left out; “%(like)s” is one.") % {"name": name, "like": like}
    text = _("There is no event “%(name)s”, so it is left out. There are: %(names)s.")
    return text % {"name": name, "names": ", ".join(EventName)}


def why_unknown() -> Refusal:
    """Why nothing is taken back of an order by its number alone."""
    text = _(
        "No order with this number is known, so nothing is taken back: none was sent, or its customer does not want to "
        "be known. Name the items that came back where you can."
    )
    return Refusal("/transaction_id", text)


def _untimely(form: EventForm, now: datetime) -> Refusal | None:
    if form.timestamp > now:
        server_time = now.astimezone(UTC).isoformat(timespec="seconds")
        text = _("The time is more than 10 minutes ahead of the server's (%(now)s); set the clock correctly.")
        return Refusal("/timestamp", text % {"now": server_time})
    kept = timedelta(days=event_days().look())
    if form.timestamp >= now - min(kept, PAST):
        return None
    if kept < PAST:
        text = _("The time is more than %(days)s days ago; the shop keeps no older events (Privacy → Retention).")
        return Refusal("/timestamp", text % {"days": kept.days})
    text = _("The time is more than %(days)s days ago; load older events with manage.py import_events.")
    return Refusal("/timestamp", text % {"days": PAST.days})


def _nobody(form: EventForm) -> Refusal | None:
    if form.user_id is not None or form.anonymous_id is not None:
        return None
    if form.consent is not None and form.consent.personalisation is False:
        return None
    return Refusal("/user_id", _("No customer is named; send user_id, anonymous_id or both."))


def _no_items(form: EventForm) -> Refusal | None:
    if form.items:
        return None
    if form.transaction_id is not None and NAMES.get(form.name) is EventName.REFUND:
        return Refusal(
            "/items",
            _("Name the items that came back; for a server they are filled in where the order's purchase is known."),
        )
    return Refusal("/items", _("The event needs at least one item."))


def _needed(field: str) -> Rule:
    value = attrgetter(field)

    def rule(form: EventForm) -> Refusal | None:
        if value(form) is not None:
            return None
        return Refusal(f"/{field}", str(_MISSING.get(field, _ANY_MISSING)))

    return rule


def _off_scale(form: EventForm) -> Refusal | None:
    if form.rating is None or form.rating_scale is None or 0 <= form.rating <= form.rating_scale:
        return None
    return Refusal("/rating", _("The rating is not between 0 and rating_scale."))


def _unknown_target(form: EventForm) -> Refusal | None:
    if form.target_type is not None and form.target_type not in TARGETS:
        return Refusal("/target_type", _("What is followed is one of %(targets)s.") % {"targets": ", ".join(TARGETS)})
    return None


def _foreign(form: EventForm) -> Refusal | None:
    if form.currency is None or form.currency == settings.SHOP_CURRENCY:
        return None
    return Refusal("/currency", foreign_text())


def _impossible_money(form: EventForm) -> Refusal | None:
    if form.value is not None and not _is_money(form.value):
        return Refusal("/value", _impossible())
    for position, item in enumerate(form.items):
        if item.price is None:
            continue
        if not _is_money(item.price):
            return Refusal(f"/items/{position}/price", _impossible())
        if item.quantity and not _is_money(item.price * exact(item.quantity)):
            return Refusal(f"/items/{position}/quantity", _("Quantity times price: %(text)s") % {"text": _impossible()})
    return None


def _rules_of(name: EventName) -> tuple[Rule, ...]:
    """Rules that an event of this name may break, all but that on its time, in the order in which they are checked."""
    facts = name.facts
    items: tuple[Rule, ...] = (_no_items,) if facts.item is ItemNeed.REQUIRED else ()
    scale: tuple[Rule, ...] = (_off_scale,) if "rating_scale" in facts.fields else ()
    whose: tuple[Rule, ...] = () if facts.takes_back == EventName.PURCHASE else (_nobody,)  # else it is the buyer's
    return (*whose, *items, *map(_needed, facts.fields), *scale, _unknown_target, _foreign, _impossible_money)


def _is_money(amount: Decimal) -> bool:
    return amount.is_finite() and 0 <= amount <= LARGEST_AMOUNT


def _impossible() -> str:
    return _("An amount must be between 0 and %(largest)s.") % {"largest": LARGEST_AMOUNT}


def exact(quantity: float) -> Decimal | int:
    """A quantity as it is kept: a whole number, or three places as it is written."""
    return quantity if isinstance(quantity, int) else Decimal(str(quantity)).quantize(GRAM, ROUND_HALF_UP)


def foreign_text() -> str:
    """Why an amount in another currency is refused."""
    text = _("This shop's currency is %(ours)s; convert the amounts, or leave the currency out.")
    return text % {"ours": settings.SHOP_CURRENCY}


def rounded(amount: Decimal) -> Decimal:
    """An amount rounded to cents, as PostgreSQL rounds."""
    return amount.quantize(CENT, ROUND_HALF_UP)


_RULES = {written: _rules_of(name) for written, name in NAMES.items()}
