"""The effect of a changed book, in the words and pictures of a price tag."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.queries.rules.overview import served
from analytics.templatetags.display import Direction, direction
from analytics.templatetags.words import metric_label
from recommendations.models import Customer, Item
from recommendations.services.rules.attributes import FrozenRule
from recommendations.services.rules.linter import Finding, Severity
from recommendations.services.rules.price_tags import (
    BeforeAfter,
    Effect,
    Placed,
    PriceTag,
    Silence,
    before_after,
    price_tag,
)
from recommendations.wording.labels import placement_label

SHOWN_PLACES = 10
SHOWN_CUSTOMERS = 3
SILENCES: Mapping[Silence, Promise] = {
    Silence.OTHER_PLACEMENT: gettext_lazy("it acts at another placement"),
    Silence.CONTEXT: gettext_lazy("it asks for an item in view, and the measured customers have none"),
    Silence.NOT_IN_FORCE: gettext_lazy("it is not in force then"),
    Silence.NOBODY: gettext_lazy("none of the measured customers is among those whom it means"),
}


@dataclass(frozen=True, kw_only=True)
class MetricEffect:
    """A metric before and after; ``share`` is the difference as a share of what it was, with its interval."""

    words: str
    effect: Effect

    @property
    def direction(self) -> Direction:
        return direction(self.effect.difference._asdict())

    @property
    def share(self) -> Mapping[str, float] | None:
        relative = self.effect.relative
        return relative._asdict() if relative else None

    @property
    def margin(self) -> float | None:
        """Half of the interval of ``share``."""
        relative = self.effect.relative
        return (relative.high - relative.low) / 2 if relative else None


@dataclass(frozen=True, kw_only=True)
class RankedItem:
    """An item of a list, at ``rank``; ``moved`` is how many places up, None where the other list has it not."""

    item: Item | None
    rank: int
    moved: int | None

    @property
    def distance(self) -> int:
        return abs(self.moved or 0)


@dataclass(frozen=True, kw_only=True)
class Lists:
    """A customer's list now and with the change."""

    customer: Customer
    before: Sequence[RankedItem]
    after: Sequence[RankedItem]
    out: int
    entered: int


@dataclass(frozen=True, kw_only=True)
class Price:
    """A price tag as it is shown."""

    tag: PriceTag
    where: str
    figures: Sequence[MetricEffect]
    silent: Sequence[str]
    later: datetime | None  # what moment was looked at, if not now

    @property
    def touched(self) -> float:
        return self.tag.slots_touched / self.tag.slots if self.tag.slots else 0.0

    @property
    def customers(self) -> float:
        return self.tag.customers_touched / self.tag.customers if self.tag.customers else 0.0


@dataclass(frozen=True, kw_only=True)
class NamedFinding:
    """A finding of the linter; ``named`` are the keys and names of its rules, 0 for one that was never saved."""

    severity: Severity
    text: str
    named: Sequence[tuple[int, str]]
    own: bool


def priced(book: Sequence[FrozenRule], *, placement: str, now: datetime) -> Price:
    """Price tag of a book as it is shown. Raises NoModelError and UnknownPlacementError."""
    tag = price_tag(rules=book, placement=placement, now=now)
    before = served() if tag.silent else None
    names = {rule["id"]: rule["name"] for rule in [*(before.rules if before else []), *book]}
    return Price(
        tag=tag,
        where=placement_label(placement),
        figures=[MetricEffect(words=metric_label(name), effect=effect) for name, effect in tag.effects.items()],
        later=tag.at if tag.at > now else None,
        silent=[
            _("“%(rule)s” cannot show here: %(reason)s.") % {"rule": names.get(key, ""), "reason": SILENCES[reason]}
            for key, reason in tag.silent.items()
            if reason is not Silence.OTHER_PLACEMENT or len(tag.silent) == 1
        ],
    )


def pictured(book: Sequence[FrozenRule], *, price: Price, now: datetime) -> list[Lists]:
    """Lists, as the shop would answer, of some customers whom the change touches.

    They are sought among those of the price tag, as a search of its own takes a minute where hardly anybody is
    touched; except for a rule for customers whom the tag did not look at, who are few.
    """
    tag = price.tag
    if Silence.NOBODY in tag.silent.values():
        comparisons = before_after(rules=book, placement=tag.placement, now=now)
    else:
        chunks = (tag.touched[at : at + SHOWN_CUSTOMERS] for at in range(0, len(tag.touched), SHOWN_CUSTOMERS))
        answers = (before_after(rules=book, placement=tag.placement, customers=chunk, now=now) for chunk in chunks)
        comparisons = list(islice((each for some in answers for each in some if each.differ), SHOWN_CUSTOMERS))
    keys = {placed.shown.item for each in comparisons for placed in (*each.before, *each.after)}
    items = {item.pk: item for item in Item.objects.filter(pk__in=keys)}
    customers = Customer.objects.in_bulk([each.customer for each in comparisons])
    return [_lists(each, customers[each.customer], items) for each in comparisons if each.customer in customers]


def named_findings(
    found: Iterable[Finding], rules: Iterable[Mapping[str, Any]], *, key: int | None = None
) -> list[NamedFinding]:
    """Findings with the names of their rules: those on the rule ``key`` first, errors before warnings."""
    names = {rule["id"]: rule["name"] for rule in rules}
    findings = [
        NamedFinding(
            severity=finding.severity,
            text=finding.text,
            named=[(each, names.get(each, "")) for each in finding.rules],
            own=key in finding.rules,
        )
        for finding in found
    ]
    return sorted(findings, key=lambda each: (not each.own, each.severity is not Severity.ERROR))


def _lists(each: BeforeAfter, customer: Customer, items: Mapping[int, Item]) -> Lists:
    return Lists(
        customer=customer,
        before=[_place(placed, items, placed.was, placed.becomes) for placed in each.before[:SHOWN_PLACES]],
        after=[_place(placed, items, placed.becomes, placed.was) for placed in each.after[:SHOWN_PLACES]],
        out=len(each.left),
        entered=len(each.entered),
    )


def _place(placed: Placed, items: Mapping[int, Item], rank: int | None, other: int | None) -> RankedItem:
    return RankedItem(
        item=items.get(placed.shown.item),
        rank=rank or 0,
        moved=None if other is None or rank is None else other - rank,
    )
