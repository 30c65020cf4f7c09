"""Price tags: what a changed book of rules would do, measured before it is published."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from recommendations.engine.evaluation.intervals import Measure, differences, resamples
from recommendations.engine.frames import IntArray
from recommendations.engine.rng import generator
from recommendations.services.rules.book_change import BookChange, change_to
from recommendations.serving.pipeline import UnknownPlacementError, recommend
from recommendations.serving.types import ResolvedRequest, Shown
from recommendations.simulation.asked_length import asked_length
from recommendations.simulation.live_sample import NoModelError, in_view
from recommendations.simulation.panel import batch
from recommendations.simulation.rerank import Batch
from recommendations.store.live import fetch
from recommendations.store.models.model import Model
from recommendations.store.rules.conditions import FrozenRule
from recommendations.store.serving.snapshot import ServedPlacement
from recommendations.store.serving.snapshot_holder import NotLoadedError
from recommendations.terms import Cut

__all__ = [
    "BeforeAfter", "Effect", "NoModelError", "NotLoadedError", "Placed", "PriceTag", "Silence", "UnknownPlacementError",
    "before_after", "price_tag",
]  # fmt: skip

MEASURED = ("revenue", "accuracy")  # money first; the columns of Batch.figures
SHOWN, TRIED = 3, 60
EXAMPLES = 12


class Silence(StrEnum):
    """Why a changed rule cannot show in a price tag."""

    OTHER_PLACEMENT = "other_placement"
    CONTEXT = "context"  # it asks for an item in view, and the customers of the panel have none
    NOT_IN_FORCE = "not_in_force"  # it has expired
    NOBODY = "nobody"  # its segment, audience or customer is not among those who are looked at


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A metric under the served book and under the changed one; ``difference`` has a paired 95 % interval."""

    was: float
    becomes: float
    difference: Measure

    @property
    def relative(self) -> Measure | None:
        """Difference as a share of what the metric was; None where that is 0."""
        return Measure(*(part / self.was for part in self.difference)) if self.was else None


@dataclass(frozen=True, kw_only=True)
class PriceTag:
    """What a changed book does; counts are over all customers of the tuning panel, or of a sample where no truth is."""

    placement: str
    length: int  # of the lists, as the placement is asked for them: only these slots count
    at: datetime  # the moment that was looked at: now, or when the first changed rule begins
    cut: Cut  # tuning: the panel, with figures; live: a sample, without
    customers: int
    customers_touched: int
    slots: int
    slots_touched: int  # show another item than before
    slots_replaced: int  # of them, those whose item was nowhere in the list before
    displaced: int  # different items that somebody sees no more
    effects: Mapping[str, Effect]  # by MEASURED; empty without truth
    silent: Mapping[int, Silence]  # changed rules that cannot show here
    touched: tuple[int, ...]  # some of the customers touched (primary keys), always the same ones
    seconds: float

    def described(self) -> dict[str, Any]:
        """Price tag as JSON, to be kept with the book that is published."""
        return {
            "placement": self.placement, "length": self.length, "cut": self.cut, "customers": self.customers,
            "customers_touched": self.customers_touched, "slots": self.slots, "slots_touched": self.slots_touched,
            "displaced": self.displaced,
            "effects": {
                name: {"was": effect.was, "becomes": effect.becomes, **effect.difference._asdict()}
                for name, effect in self.effects.items()
            },
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Placed:
    """An item of one of the two lists; ``was`` and ``becomes`` are its ranks, None where it is not shown."""

    shown: Shown
    was: int | None
    becomes: int | None


@dataclass(frozen=True, kw_only=True)
class BeforeAfter:
    """One customer's live answers under the served book and under the changed one, as long as the shop asks for."""

    customer: int
    before: list[Placed]
    after: list[Placed]

    @property
    def differ(self) -> bool:
        return any(placed.was != placed.becomes for placed in (*self.before, *self.after))

    @property
    def entered(self) -> list[Placed]:
        return [placed for placed in self.after if placed.was is None]

    @property
    def left(self) -> list[Placed]:
        return [placed for placed in self.before if placed.becomes is None]


def price_tag(*, rules: Sequence[FrozenRule], placement: str, now: datetime | None = None) -> PriceTag:
    """Measure what the book would do at a placement against the one that is served.

    Measured on the tuning panel of the live version, every customer of it, by the ``select`` that serves. A placement
    that nothing measures is asked for a sample of customers and gets no figures. Raises UnknownPlacementError,
    NoModelError and NotLoadedError.
    """
    started = time.perf_counter()
    change = change_to(rules, now or timezone.now())
    served = change.was.placements.get(placement)
    if served is None:
        raise UnknownPlacementError(placement)
    length = asked_length(served)
    panel = batch(change.was, placement, now=change.at, beside=change.beside, length=length)
    before = panel.answers(change.was.rules, at=change.at)
    after, acting = _under_changed_book(change, panel, before)
    differs = before != after
    touched = differs.any(axis=1)
    slots = (before >= 0) | (after >= 0)
    entered = ~(after[:, :, None] == before[:, None, :]).any(axis=2) & (after >= 0)
    left = before[~(before[:, :, None] == after[:, None, :]).any(axis=2) & (before >= 0)]
    return PriceTag(
        placement=placement,
        length=length,
        at=change.at,
        cut=panel.cut,
        customers=len(before),
        customers_touched=int(touched.sum()),
        slots=int(slots.sum()),
        slots_touched=int(differs.sum()),
        slots_replaced=int((differs & entered).sum()),
        displaced=len(np.unique(left)),
        effects=_effects(panel, before, after) if panel.judge else {},
        silent={
            key: _why_silent(rule, change, panel.placement) for key, rule in change.changed.items() if key not in acting
        },
        touched=_examples(panel.customers, differs.sum(axis=1)),
        seconds=round(time.perf_counter() - started, 3),
    )


def before_after(
    *, rules: Sequence[FrozenRule], placement: str, customers: Sequence[int] = (), now: datetime | None = None
) -> list[BeforeAfter]:
    """Lists of these customers (primary keys), or of three whom the change touches, as the shop would answer now.

    Nothing is logged and nothing is explored. Raises UnknownPlacementError, NoModelError and NotLoadedError.
    """
    change = change_to(rules, now or timezone.now())
    served, learned = change.was.placements.get(placement), change.was.model
    if served is None:
        raise UnknownPlacementError(placement)
    if learned is None:
        raise NoModelError
    if customers:
        return [_beside(change, served, learned, customer) for customer in customers]
    tried = (_beside(change, served, learned, one) for one in islice(_concerned(change, served, learned), TRIED))
    return list(islice((lists for lists in tried if lists.differ), SHOWN))


def _under_changed_book(change: BookChange, asked: Batch, before: IntArray) -> tuple[IntArray, set[int]]:
    """Answers under the changed book, and the changed rules that apply to anybody under either."""
    after, acting = before.copy(), set[int]()
    both = zip(*(asked.applying(shop.rules, at=change.at) for shop in (change.was, change.becomes)), strict=True)
    for place, (was, becomes) in enumerate(both):
        if change.concerns(was, becomes):
            acting.update(rule.key for rule in (*was, *becomes))
            after[place] = asked.answer(place, becomes)
    return after, acting


def _effects(asked: Batch, before: IntArray, after: IntArray) -> dict[str, Effect]:
    was, becomes = (asked.figures(slates) for slates in (before, after))
    drawn = resamples(len(before), seed=0)
    pairs = differences(becomes, was, drawn)
    return {
        name: Effect(was=float(was[:, place].mean()), becomes=float(becomes[:, place].mean()), difference=pairs[place])
        for place, name in enumerate(MEASURED)
    }


def _why_silent(rule: FrozenRule, change: BookChange, placement: ServedPlacement) -> Silence:
    if rule["placement"] not in (None, placement.name):
        return Silence.OTHER_PLACEMENT
    if rule["context"] and not placement.needs_context:
        return Silence.CONTEXT
    starts, ends = (rule["starts_at"], rule["ends_at"])
    waits = starts is not None and datetime.fromisoformat(starts) > change.at
    over = ends is not None and datetime.fromisoformat(ends) <= change.at
    return Silence.NOT_IN_FORCE if waits or over else Silence.NOBODY


def _examples(customers: NDArray[np.int64], slots: NDArray[np.int64]) -> tuple[int, ...]:
    """Customers whose lists change: the one with most slots touched, the median, the one with the fewest, others."""
    order = np.lexsort((customers, -slots))[: np.count_nonzero(slots)]
    spread = [order[round(part * (len(order) - 1))] for part in (0, 0.5, 1)] if len(order) else []
    return tuple(int(customers[place]) for place in dict.fromkeys([*spread, *order.tolist()]))[:EXAMPLES]


def _concerned(change: BookChange, placement: ServedPlacement, learned: Model) -> Iterator[int]:
    """Customers of the model to whom other rules apply under the changed book, in an order that stays the same."""
    order = generator(0, "before and after").permutation(len(learned.users))
    named = [rule["customer"] for rule in change.changed.values() if rule["customer"] is not None]
    rows = learned.users.rows(np.array(named, np.int64))
    for row in dict.fromkeys([*rows[rows >= 0].tolist(), *order.tolist()]):
        view = np.array(_in_view(change, placement, row), np.int64)
        was, becomes = (
            shop.rules.applying(
                placement=placement.name,
                segment=int(learned.segments[row]),
                audiences=change.was.audiences.of(int(learned.users.ids[row])),
                customer=int(learned.users.ids[row]),
                context=change.was.stock.ids.rows(view),
                now=change.at,
            )
            for shop in (change.was, change.becomes)
        )
        if change.concerns(was, becomes):
            yield int(learned.users.ids[row])


def _in_view(change: BookChange, placement: ServedPlacement, row: int) -> tuple[int, ...]:
    return in_view(change.was, row, change.beside) if placement.needs_context and row >= 0 else ()


def _beside(change: BookChange, placement: ServedPlacement, learned: Model, customer: int) -> BeforeAfter:
    row = learned.users.row(customer)
    request = ResolvedRequest(
        placement=placement.name,
        n=asked_length(placement),
        customer=customer,
        context_items=_in_view(change, placement, row),
        explore=False,
    )
    state = fetch.state_of(customer, since=learned.as_of, showings=bool(change.was.tiring)).state
    was, becomes = (
        recommend(request, snapshot=shop, state=state, now=change.at).shown for shop in (change.was, change.becomes)
    )
    ranks = [{one.item: one.rank for one in slate} for slate in (was, becomes)]
    before, after = (
        [Placed(shown=one, was=ranks[0].get(one.item), becomes=ranks[1].get(one.item)) for one in slate]
        for slate in (was, becomes)
    )
    return BeforeAfter(customer=customer, before=before, after=after)
