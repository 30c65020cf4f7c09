"""What came of rules that were served, beside what their price tag predicted.

It is told from the newest lists that the shop said it showed, while the rules acted and in as long a time before; the
demo's replay, which nobody saw, is left out. Nothing of it is a hold-out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Self

import numpy as np
from django.db.models import Q

from analytics.queries.rules.overview import stored_tag
from recommendations.engine.evaluation.intervals import Measure, ratio, relative_change
from recommendations.models import AudienceMember, LiveProfile, Rule, RuleBook, Slate, SlateOutcome
from recommendations.services.rules.attributes import ConditionError, FrozenRule, matching
from recommendations.terms import RuleAction

NEWEST = 2_000  # lists of each time that are looked at
FEWEST = 200  # lists of each time that are worth a figure
LEAST = timedelta(days=1)  # that a rule has to act before anything is said, unless it is over
LONGEST = timedelta(days=28)
ANSWERED = timedelta(days=1)  # before it is shown, at the most, a list was answered
USUAL_PLACEMENT = "home"
STEERING = frozenset({RuleAction.PIN, RuleAction.BOOST, RuleAction.MINIMUM_SHARE})
"""Actions that change how often their items are seen, and leave others beside them to compare with."""


@dataclass(frozen=True, kw_only=True)
class ServedTerm:
    """A time without a break in which rules were served as they stood; ``books`` are the numbers that served them."""

    begins: datetime
    ends: datetime
    over: bool
    books: frozenset[int]

    @property
    def long_enough(self) -> bool:
        """Whether it was long enough to say what came of it."""
        return self.over or self.ends - self.begins >= LEAST


@dataclass(frozen=True, kw_only=True)
class ShownFigures:
    """Figures of lists that were shown in a time; ``revenue`` is that of a thousand lists."""

    lists: int
    clicked: Measure
    revenue: float


@dataclass(frozen=True, kw_only=True)
class OwnItems:
    """How often the rule's own items were shown and clicked, beside the others of the same lists."""

    shown: int
    clicked: Measure
    others: Measure
    revenue: float


@dataclass(frozen=True, kw_only=True)
class WhatCame:
    """What came at a placement, and the price tag (``predicted``) that was kept for it, None where none was."""

    term: ServedTerm
    placement: str
    predicted: Mapping[str, Any] | None
    during: ShownFigures
    before: ShownFigures
    change: Measure | None  # of revenue per list, as a share of what it was
    own: OwnItems | None
    others: int = 0  # rules that were published, and measured, together with it

    @property
    def enough(self) -> bool:
        return min(self.during.lists, self.before.lists) >= FEWEST

    @property
    def lists_needed(self) -> int:
        return FEWEST


@dataclass(frozen=True, kw_only=True)
class ShownList:
    """A list that was shown; positions count from 1."""

    items: Sequence[int]
    seen: Sequence[int]
    clicked: Sequence[int]
    revenues: Mapping[int, float]  # by position

    @property
    def revenue(self) -> float:
        return sum(self.revenues.values())

    def of(self, items: frozenset[int], *, inside: bool) -> Self:
        """The list with what was seen of these items alone, or of all others."""
        places = {place for place in self.seen if (self._item(place) in items) is inside}
        return type(self)(
            items=self.items,
            seen=[place for place in self.seen if place in places],
            clicked=[place for place in self.clicked if place in places],
            revenues={place: money for place, money in self.revenues.items() if place in places},
        )

    def _item(self, place: int) -> int:
        return self.items[place - 1] if place <= len(self.items) else 0


def of_rule(rule: Rule, *, now: datetime) -> WhatCame | None:
    """What came of a rule as it was served last; None of one that was not served yet, or not for a day."""
    served = _last_term(rule.pk, now=now)
    if served is None or not served[0].long_enough:
        return None
    term, frozen, expected = served
    tag = stored_tag(expected, rule.pk, frozen["placement"])
    placement = frozen["placement"] or (tag["placement"] if tag else USUAL_PLACEMENT)
    came = _came(term, placement=placement, predicted=tag, rule=frozen)
    return replace(came, others=len(expected["rules"]) - 1 if tag else 0)


def of_book(book: RuleBook, *, now: datetime) -> list[WhatCame]:
    """What came of a version at each placement that it was measured at; nothing before it was served for a day."""
    after = RuleBook.objects.filter(number__gt=book.number).order_by("number").first()
    ends = after.published_at if after else now
    term = ServedTerm(begins=book.published_at, ends=ends, over=bool(after), books=frozenset({book.number}))
    if not term.long_enough:
        return []
    tags = book.expected.get("tags", [])
    return [_came(term, placement=tag["placement"], predicted=tag, rule=None) for tag in tags]


def _last_term(key: int, *, now: datetime) -> tuple[ServedTerm, FrozenRule, Mapping[str, Any]] | None:
    """The last time in which a rule was served and did not change, with its form and its book's price tags then."""
    ends, serving, frozen = now, list[RuleBook](), None
    for book in RuleBook.objects.order_by("-number").iterator(chunk_size=50):
        stored = next((rule for rule in book.rules if rule["id"] == key), None)
        if stored is None and not serving:
            ends = book.published_at
        elif stored is None or (frozen is not None and stored != frozen):
            break
        else:
            frozen = stored
            serving.append(book)
    if frozen is None:
        return None
    starts_at, ends_at = (datetime.fromisoformat(frozen[name]) if frozen[name] else None for name in _TIMES)
    begins = max(serving[-1].published_at, starts_at) if starts_at else serving[-1].published_at
    last = min(ends, ends_at) if ends_at else ends
    if begins >= last:
        return None
    numbers = frozenset(book.number for book in serving)
    return ServedTerm(begins=begins, ends=last, over=last < now, books=numbers), frozen, serving[-1].expected


_TIMES = ("starts_at", "ends_at")


def _came(
    term: ServedTerm, *, placement: str, predicted: Mapping[str, Any] | None, rule: FrozenRule | None
) -> WhatCame:
    whom = _whom(rule) if rule else Q()
    length = min(term.ends - term.begins, LONGEST)
    during = _newest_lists(placement, term.ends - length, term.ends, whom & Q(rules_version__in=term.books))
    before = _newest_lists(placement, term.begins - length, term.begins, whom)
    return WhatCame(
        term=term,
        placement=placement,
        predicted=predicted,
        during=_figures(during),
        before=_figures(before),
        change=relative_change(_revenues(during), _revenues(before)),
        own=_own(rule, during) if rule else None,
    )


def _newest_lists(placement: str, begins: datetime, ends: datetime, whom: Q) -> list[ShownList]:
    """The newest lists of a placement that the shop said it showed in a time, to some customers."""
    rows = SlateOutcome.objects.filter(placement=placement, at__gte=begins, at__lt=ends, replay=False, listed=True)
    newest = rows.order_by("-at")[:NEWEST]
    slates = Slate.objects.filter(
        whom, recommendation_id__in=newest.values("pk"), served_at__gte=begins - ANSWERED, served_at__lt=ends
    )
    items = dict(slates.values_list("recommendation_id", "items"))
    return [
        ShownList(
            items=items[key], seen=seen, clicked=clicked,
            revenues={place: float(money) for place, money in zip(bought, revenues, strict=True)},
        )
        for key, seen, clicked, bought, revenues in newest.values_list("pk", "seen", "clicked", "bought", "revenues")
        if key in items
    ]  # fmt: skip


def _whom(rule: FrozenRule) -> Q:
    """The customers whom a rule is for, as far as they are in its segment and audience today."""
    whom = Q() if rule["customer"] is None else Q(customer=rule["customer"])
    if rule["segment"] is not None:
        members = LiveProfile.objects.filter(segment__number=rule["segment"])
        whom &= Q(customer__in=members.values("customer"))
    if rule.get("audience") is not None:
        whom &= Q(customer__in=AudienceMember.objects.filter(audience=rule["audience"]).values("customer"))
    return whom


def _figures(lists: Sequence[ShownList]) -> ShownFigures:
    revenues = _revenues(lists)
    return ShownFigures(
        lists=len(lists), clicked=_click_rate(lists), revenue=1000 * float(revenues.mean()) if len(lists) else 0.0
    )


def _own(rule: FrozenRule, lists: Sequence[ShownList]) -> OwnItems | None:
    """The rule's own items, which are those that meet its conditions today; None where others are not beside them."""
    if rule["action"] not in STEERING or not rule["items"]:
        return None
    seen = set(chain.from_iterable(each.items for each in lists))
    try:
        items = frozenset(matching(rule["items"]).filter(pk__in=seen).values_list("pk", flat=True))
    except ConditionError:
        return None
    own, others = ([each.of(items, inside=inside) for each in lists] for inside in (True, False))
    return OwnItems(
        shown=sum(len(each.seen) for each in own),
        clicked=_click_rate(own),
        others=_click_rate(others),
        revenue=sum(each.revenue for each in own),
    )


def _click_rate(lists: Sequence[ShownList]) -> Measure:
    """Share of the items seen that were clicked; the items of a list are no independent tries."""
    counts = np.array([[len(each.clicked), len(each.seen)] for each in lists], np.float64).reshape(-1, 2)
    return ratio(counts[:, 0], counts[:, 1])


def _revenues(lists: Sequence[ShownList]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([each.revenue for each in lists], np.float64)
