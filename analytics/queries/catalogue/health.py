"""Completeness of the catalogue, how much of it is recommended, and how new items find their way into slates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.core.cache import cache
from django.db.models import Count, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.queries.catalogue.items import ItemRow, item_rows
from analytics.queries.overview.served import served
from recommendations.engine.evaluation.concentration import gini, lorenz, share_of_top
from recommendations.services.catalogue.exposure import Exposure
from recommendations.services.catalogue.quality import NEW_FOR, CatalogueFlaw, Flaws, is_flaw, on_sale

FIELDS: Mapping[CatalogueFlaw, Promise] = {
    CatalogueFlaw.NO_PICTURE: _("Picture"),
    CatalogueFlaw.NO_PRICE: _("Price"),
    CatalogueFlaw.NO_CATEGORY: _("Category"),
    CatalogueFlaw.NO_DESCRIPTION: _("Description"),
    CatalogueFlaw.NO_BRAND: _("Brand"),
    CatalogueFlaw.NO_CREATOR: _("Creator"),
    CatalogueFlaw.NO_DATE: _("Day of publication"),
    CatalogueFlaw.NO_DURATION: _("Duration"),
    CatalogueFlaw.NO_NUMBER: _("Number in its collection"),
}
AGES = (7, 14, 28, 56, 91, 182, None)  # days since listed: ends of the groups
REMEMBERED = 12 * 3600  # seconds, of how many items are how old
NEWEST = 10
TOP = 0.01
CURVE_POINTS = 201


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of items, and how many items on sale have it."""

    flaw: CatalogueFlaw
    words: str
    missing: int
    there: float  # share

    @property
    def percent(self) -> float:
        """Width of the bar in percent."""
        return round(100 * self.there, 2)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Concentration of something over the items on sale; ``points``: share of items, share of the whole."""

    gini: float
    top: float  # what the hundredth with most takes
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Age:
    """Items by days since they were listed, from ``start`` to ``end`` (None: and more)."""

    start: int
    end: int | None
    items: int
    bought: int  # of them bought at all
    recommended: int  # of them with a slot
    slots: int

    @property
    def bought_share(self) -> float:
        return self.bought / self.items if self.items else 0.0

    @property
    def recommended_share(self) -> float:
        return self.recommended / self.items if self.items else 0.0


def completeness(found: Flaws) -> list[Field]:
    """Completeness of each field, the least complete first."""
    fields = [
        Field(
            flaw=flaw,
            words=str(words),
            missing=found.found[flaw].items,
            there=1 - found.found[flaw].items / found.listed if found.listed else 1.0,
        )
        for flaw, words in FIELDS.items()
        if is_flaw(flaw)
    ]
    return sorted(fields, key=lambda field: field.there)


def tail(known: Exposure | None, *, listed: int) -> dict[str, Curve] | None:
    """Curves of purchases and slots over all items on sale; None where nothing was bought or nothing is recommended."""
    if known is None or not known.bought.any() or not known.slots.any():
        return None
    unknown = np.zeros(max(listed - len(known.items), 0), np.int32)
    counts = {"bought": known.bought, "slots": known.slots}
    return {name: _curve(np.append(each, unknown)) for name, each in counts.items()}


def _curve(counts: np.ndarray) -> Curve:
    points = [(float(x), float(y)) for x, y in lorenz(counts, points=CURVE_POINTS)]
    return Curve(gini=gini(counts), top=share_of_top(counts, TOP), points=points)


def warming(known: Exposure | None, *, mark: str) -> list[Age]:
    """Groups from the newest items to the oldest; those that no item is in are left out. Empty before the first run.

    ``mark``: state of the catalogue (``quality.Flaws``), for each of which items are counted once.
    """
    if known is None:
        return []
    listed = cache.get_or_set(f"catalogue/listed/{known.version}/{mark}", lambda: _listed(known), REMEMBERED) or {}
    ages, start, before = [], 0, 0
    for end in AGES:
        there = (known.listed_age >= start) & (known.listed_age < (end or np.inf))
        items = max(listed[f"until_{end}"] - before, int(there.sum()))
        if items:
            slots = known.slots[there]
            ages.append(
                Age(
                    start=start,
                    end=end,
                    items=items,
                    bought=int(np.count_nonzero(known.bought[there])),
                    recommended=int(np.count_nonzero(slots)),
                    slots=int(slots.sum()),
                )
            )
        start, before = end or 0, listed[f"until_{end}"]
    return ages


def newest(known: Exposure | None, *, now: datetime) -> list[tuple[ItemRow, int]]:
    """The items that were listed last, within four weeks, and how many slots of the newest answers they filled."""
    items = list(on_sale().filter(listed_at__gt=now - NEW_FOR).order_by("-listed_at", "-pk")[:NEWEST])
    slots = served([item.pk for item in items])
    return [(row, slots[row.item.pk]) for row in item_rows(items, known)]


def mostly_new(ages: Sequence[Age]) -> bool:
    """Whether half of the items or more are new, so that there is nothing to compare new ones with."""
    new = sum(age.items for age in ages if age.end is not None and age.end <= NEW_FOR.days)
    return 2 * new >= sum(age.items for age in ages) > 0


def _listed(known: Exposure) -> dict[str, int]:
    return on_sale().aggregate(**{f"until_{end}": Count("pk", filter=_younger(known, end)) for end in AGES})


def _younger(known: Exposure, days: int | None) -> Q:
    return Q() if days is None else Q(listed_at__gt=known.ended_at - timedelta(days=days))
