"""What a changed book of rules would do, measured before it is published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from recommendations.engine.evaluation.intervals import Measure
from recommendations.loop.answer import Shown
from recommendations.store.merchandising import FrozenRule
from recommendations.terms import Cut


class NoModelError(Exception):
    """No turn of the loop has finished yet: there is nothing to measure on."""


class Silence(StrEnum):
    """Why a changed rule cannot show in a price tag."""

    OTHER_PLACEMENT = "other_placement"
    CONTEXT = "context"  # it asks for an item in view, and the customers of the panel have none
    NOT_IN_FORCE = "not_in_force"  # it has expired
    NOBODY = "nobody"  # its segment or customer is not among those who are looked at


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A metric under the served book and under the changed one; ``difference`` has a paired 95 % interval."""

    was: float
    becomes: float
    difference: Measure

    @property
    def relative(self) -> Measure | None:
        """As a share of what it was; None where that is 0."""
        return Measure(*(part / self.was for part in self.difference)) if self.was else None


@dataclass(frozen=True, kw_only=True)
class PriceTag:
    """Counts are over all customers looked at: those of the tuning panel, or a sample where there is no truth."""

    placement: str
    at: datetime  # the moment that was looked at: now, or when the first changed rule begins
    cut: Cut  # tuning: the panel, with figures; live: a sample, without
    customers: int
    customers_touched: int
    slots: int
    slots_touched: int  # show another item than before
    slots_replaced: int  # of them, those whose item was nowhere in the list before
    displaced: int  # different items that somebody sees no more
    effects: Mapping[str, Effect]  # ndcg@10, revenue_ndcg@10; empty without truth
    silent: Mapping[int, Silence]  # changed rules that cannot show here
    touched: tuple[int, ...]  # some of the customers touched (primary keys), always the same ones
    seconds: float

    def described(self) -> dict[str, Any]:
        """As JSON, to be kept with the book that is published."""
        return {
            "placement": self.placement, "cut": self.cut, "customers": self.customers,
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
    """One customer's live answers under the served book and under the changed one, both in their order."""

    customer: int
    before: list[Placed]
    after: list[Placed]

    @property
    def entered(self) -> list[Placed]:
        return [placed for placed in self.after if placed.was is None]

    @property
    def left(self) -> list[Placed]:
        return [placed for placed in self.before if placed.becomes is None]


def price_tag(*, rules: Sequence[FrozenRule], placement: str, now: datetime | None = None) -> PriceTag:
    """What the book would do at a placement against the one that is served.

    Raises UnknownPlacementError and NoModelError.
    """
    raise NoModelError


def before_after(
    *, rules: Sequence[FrozenRule], placement: str, customers: Sequence[int] = (), now: datetime | None = None
) -> list[BeforeAfter]:
    """Lists of these customers (primary keys), or of three whom the change touches, as the shop would answer now."""
    raise NoModelError
