"""Items of the stock that meet the conditions of rules, kept from one state of the catalogue to the next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import batched
from typing import Self

import numpy as np
from django.db import InterfaceError, OperationalError
from django.db.models import BooleanField, ExpressionWrapper, Q, Value

from recommendations.engine.frames import BoolArray
from recommendations.models import Item, Promotion
from recommendations.store.live.valkey import Breaker
from recommendations.store.process_held import ProcessHeld
from recommendations.store.rules.conditions import TIMED, WEEK, Condition, as_query, listed_spans, shop_day
from recommendations.store.serving.stock import Stock
from recommendations.terms import Operator

OVERLAP = timedelta(seconds=60)  # an edit carries the time of its statement and is seen after its commit
MOST_TRIED = 200  # conditions of previews and requests; a byte an item each
BATCH = 10_000  # rows of an answer
PAUSE = 2.0  # seconds without a try after PostgreSQL did not answer

type Conditions = tuple[Condition, ...]

_record = ProcessHeld(lambda: Breaker("postgresql", pause=PAUSE))


class OutOfReachError(OperationalError):
    """What a request asks for is not held, and PostgreSQL, which knows it, does not answer."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Lookup:
    """Masks by row of the stock, as the catalogue and the plan of promotions stood at ``read_at``."""

    stock: Stock
    read_at: datetime
    found: Mapping[Conditions, BoolArray] = field(default_factory=dict)  # for conditions that time does not change
    planned: Mapping[date, BoolArray] | None = None  # first day of a week → what the plan promotes; None: nobody asks
    tried: dict[Conditions, BoolArray] = field(default_factory=dict, repr=False)  # as found, of previews and requests

    def holding(self, wanted: Iterable[Conditions]) -> Self:
        """The lookup with what these conditions need, and nothing else; what it has already is not looked up again."""
        wanted = list(wanted)
        needed = dict.fromkeys(conditions for conditions in map(lasting, wanted) if conditions)
        held = {**self.tried, **self.found}
        held |= self._looked_up([conditions for conditions in needed if conditions not in held])
        masks = {conditions: held[conditions] for conditions in needed}
        plan = any(condition.attribute == "promoted" for conditions in wanted for condition in conditions)
        planned = self._planned() if plan and self.planned is None else self.planned
        return replace(self, found=masks, planned=planned if plan else None)

    def moved_to(self, stock: Stock, *, read_at: datetime) -> Self:
        """The lookup for the next state of the catalogue: only items that were edited since are looked at again."""
        if stock is self.stock:
            return replace(self, read_at=read_at, planned=None)
        before = self.stock.ids.ids
        grown = np.array_equal(stock.ids.ids[: len(before)], before)
        return type(self)(stock=stock, read_at=read_at, found=self._edited(stock) if grown and self.found else {})

    def met(self, conditions: Conditions, *, now: datetime) -> BoolArray:
        """Mask of what meets all conditions, which ``holding`` was told of, at a moment; without any, everything."""
        timeless = lasting(conditions)
        met = self.found[timeless] if timeless else np.ones(len(self.stock), np.bool_)
        for condition in conditions:
            if condition.attribute == "listed_days":
                met = met & self._listed(condition, now)
            elif condition.attribute == "promoted":
                met = met & self._promoted(condition, shop_day(now))
        return met

    def holds(self, wanted: Iterable[Condition]) -> bool:
        """Whether ``met_each`` would answer without asking PostgreSQL."""
        return all(not each.values or (each,) in self.tried or (each,) in self.found for each in wanted)

    def met_each(self, wanted: Sequence[Condition]) -> list[BoolArray]:
        """Masks of conditions that time does not change, one each; one without values meets nothing.

        What is not held is looked up, all of it in one query. Raises OutOfReachError.
        """
        held = {**self.tried, **self.found}
        lacking = dict.fromkeys((each,) for each in wanted if each.values and (each,) not in held)
        if lacking:
            if not _record():
                raise OutOfReachError("PostgreSQL did not answer a moment ago")
            try:
                held |= self._looked_up([*lacking])
            except (OperationalError, InterfaceError) as error:
                _record().trip(error)
                raise OutOfReachError("PostgreSQL does not answer") from error
        nothing = np.zeros(len(self.stock), np.bool_)
        return [held[(each,)] if each.values else nothing for each in wanted]

    def _looked_up(self, wanted: Sequence[Conditions]) -> dict[Conditions, BoolArray]:
        """Look conditions up in one query, of which each part finds its own way through the indexes."""
        if not wanted:
            return {}
        masks = np.zeros((len(wanted), len(self.stock)), np.bool_)
        first, *others = (
            Item.objects.filter(as_query(conditions, now=self.read_at)).values_list(Value(number), "pk").order_by()
            for number, conditions in enumerate(wanted)
        )
        for part in batched(first.union(*others, all=True).iterator(), BATCH):
            numbers, keys = np.array(part, np.int64).T
            rows = self.stock.ids.rows(keys)
            masks[numbers[rows >= 0], rows[rows >= 0]] = True
        if len(self.tried) >= MOST_TRIED:
            self.tried.clear()
        looked_up = dict(zip(wanted, masks, strict=True))
        self.tried.update(looked_up)
        return looked_up

    def _mask(self, keys: Iterable[int]) -> BoolArray:
        rows = self.stock.ids.rows(np.fromiter(keys, np.int64))
        mask = np.zeros(len(self.stock), np.bool_)
        mask[rows[rows >= 0]] = True
        return mask

    def _edited(self, stock: Stock) -> dict[Conditions, BoolArray]:
        answers = [
            ExpressionWrapper(as_query(conditions, now=self.read_at), BooleanField()) for conditions in self.found
        ]
        edited = list(Item.objects.changed_since(self.read_at - OVERLAP).values_list("pk", *answers))
        rows = stock.ids.rows(np.array([row[0] for row in edited], np.int64))
        there = rows >= 0
        masks: dict[Conditions, BoolArray] = {}
        for number, (conditions, before) in enumerate(self.found.items(), start=1):
            met = masks[conditions] = np.zeros(len(stock), np.bool_)
            met[: len(before)] = before
            met[rows[there]] = np.array([row[number] for row in edited], np.bool_)[there]
        return masks

    def _planned(self) -> dict[date, BoolArray]:
        """Promoted items of this week and the next, so that the week may turn while PostgreSQL is away."""
        today = shop_day(self.read_at)
        promoted = Promotion.objects.filter(Q(display__gt=0) | Q(mailer__gt=0))
        keys: dict[date, list[int]] = {}
        for week, item in promoted.filter(week__gt=today - WEEK, week__lte=today + WEEK).values_list("week", "item"):
            keys.setdefault(week, []).append(item)
        return {week: self._mask(items) for week, items in keys.items()}

    def _promoted(self, condition: Condition, day: date) -> BoolArray:
        weeks = [mask for week, mask in (self.planned or {}).items() if week <= day < week + WEEK]
        promoted = _any_of(weeks, len(self.stock))
        return _any_of([promoted if value else ~promoted for value in condition.values], len(promoted))

    def _listed(self, condition: Condition, now: datetime) -> BoolArray:
        listed = self.stock.column("listed")
        spans = [
            (listed > (after.timestamp() if after else -np.inf)) & (listed <= (until.timestamp() if until else np.inf))
            for after, until in listed_spans(condition, now)
        ]
        mask = _any_of(spans, len(listed))
        return ~mask if condition.operator is Operator.IS_NOT else mask


def lasting(conditions: Conditions) -> Conditions:
    """Conditions that time alone does not change."""
    return tuple(condition for condition in conditions if condition.attribute not in TIMED)


def _any_of(masks: Sequence[BoolArray], n: int) -> BoolArray:
    return np.asarray(np.logical_or.reduce([np.zeros(n, np.bool_), *masks]))
