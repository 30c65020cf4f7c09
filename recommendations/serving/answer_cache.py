"""Answers as they were written a moment ago. One stands as long as everything that it was made of is the same."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import islice
from operator import is_

from recommendations.engine.ranking.rules import Rule
from recommendations.serving.customer_context import Person
from recommendations.serving.pipeline import TICK, Ready, rules_for
from recommendations.serving.types import Ask
from recommendations.store.live.fetch import Told
from recommendations.store.serving.slates import ServedSlate
from recommendations.store.serving.snapshot import Snapshot

MOST = 4_000  # answers of about 20 kB


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Basis:
    """What an answer is made of, besides the request: one snapshot, one person in a state, one moment."""

    snapshot: Snapshot
    customer: int | None
    told: Told
    now: datetime

    @property
    def tick(self) -> float:
        return self.now.timestamp() // TICK

    @property
    def lasting(self) -> bool:
        """Nothing of it was asked of PostgreSQL, which says nothing of what comes next."""
        return self.told.whole


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Kept:
    """An answer without its id; the id and the time of its slate are those of the first to get it."""

    content: bytes
    slate: ServedSlate
    exploration: float  # chance that an answer shows something else in one of its last slots
    basis: Basis
    tick: float
    about: tuple[Ask, Person]  # whom rules ask for
    rules: Sequence[Rule]
    sellable: object

    @classmethod
    def of(cls, ready: Ready, basis: Basis, *, content: bytes, slate: ServedSlate) -> "Kept":
        person = ready.person
        return cls(
            content=content,
            slate=slate,
            exploration=ready.wish.exploration,
            basis=basis,
            tick=basis.tick,
            about=(ready.ask, Person(why_not=person.why_not, segment=person.segment)),
            rules=ready.wish.rules,
            sellable=ready.shelf.sellable,
        )

    def stands(self, basis: Basis) -> bool:
        known = self.basis
        if not (
            known.snapshot is basis.snapshot
            and known.customer == basis.customer
            and known.told.customer == basis.told.customer
            and self.tick == basis.tick
            and self.sellable is basis.snapshot.sellable(basis.now)
            and basis.lasting
        ):
            return False
        ask, person = self.about
        rules = rules_for(ask, basis.snapshot, person, basis.now)
        return len(rules) == len(self.rules) and all(map(is_, rules, self.rules))


class Shelf:
    """The answers of this process, by what was asked; the oldest half leaves when it is full."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: dict[Hashable, Kept] = {}

    def find(self, key: Hashable, basis: Basis) -> Kept | None:
        found = self._kept.get(key)
        return found if found is not None and found.stands(basis) else None

    def keep(self, key: Hashable, answer: Kept) -> None:
        if answer.basis.lasting:
            if len(self._kept) >= self._most:
                for oldest in list(islice(self._kept, self._most // 2)):
                    self._kept.pop(oldest, None)
            self._kept[key] = answer


@cache
def kept() -> Shelf:
    return Shelf()


def forget() -> None:
    """Hold nothing, as a new process does."""
    kept.cache_clear()
