"""Answers as they were written a moment ago. One stands as long as everything that it was made of is the same."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from operator import is_

from recommendations.engine.ranking.rules import Rule
from recommendations.serving.customer_context import CustomerContext
from recommendations.serving.pipeline import TICK, Prepared, rules_for
from recommendations.serving.types import ResolvedRequest
from recommendations.store.live.fetch import RawState
from recommendations.store.process_held import ProcessHeld
from recommendations.store.serving.slates import ServedSlate
from recommendations.store.serving.snapshot import Snapshot

MOST = 4_000  # answers of about 20 kB


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class ServingState:
    """What an answer is made of, besides the request: one snapshot, one person in a state, one moment."""

    snapshot: Snapshot
    customer: int | None
    raw: RawState
    now: datetime

    @property
    def tick(self) -> float:
        return self.now.timestamp() // TICK

    @property
    def repeatable(self) -> bool:
        """Nothing of it was asked of PostgreSQL, which says nothing of what comes next."""
        return self.raw.complete


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class CachedAnswer:
    """An answer without its id; the id and the time of its slate are those of the first to get it."""

    content: bytes
    slate: ServedSlate
    exploration: float  # chance that an answer shows something else in one of its last slots
    state: ServingState
    tick: float
    about: tuple[ResolvedRequest, CustomerContext]  # whom rules ask for
    rules: Sequence[Rule]
    sellable: object

    @classmethod
    def of(cls, prepared: Prepared, state: ServingState, *, content: bytes, slate: ServedSlate) -> "CachedAnswer":
        customer = prepared.customer
        return cls(
            content=content,
            slate=slate,
            exploration=prepared.params.exploration,
            state=state,
            tick=state.tick,
            about=(prepared.request, CustomerContext(why_not=customer.why_not, segment=customer.segment)),
            rules=prepared.params.rules,
            sellable=prepared.catalogue.sellable,
        )

    def is_valid(self, state: ServingState) -> bool:
        known = self.state
        if not (
            known.snapshot is state.snapshot
            and known.customer == state.customer
            and known.raw.customer == state.raw.customer
            and self.tick == state.tick
            and self.sellable is state.snapshot.sellable(state.now)
            and state.repeatable
        ):
            return False
        request, customer = self.about
        rules = rules_for(request, state.snapshot, customer, state.now)
        return len(rules) == len(self.rules) and all(map(is_, rules, self.rules))


class AnswerCache:
    """The answers of this process, by what was asked; the oldest half leaves when it is full."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: dict[Hashable, CachedAnswer] = {}

    def get(self, key: Hashable, state: ServingState) -> CachedAnswer | None:
        found = self._kept.get(key)
        return found if found is not None and found.is_valid(state) else None

    def put(self, key: Hashable, answer: CachedAnswer) -> None:
        if answer.state.repeatable:
            if len(self._kept) >= self._most:
                for oldest in list(islice(self._kept, self._most // 2)):
                    self._kept.pop(oldest, None)
            self._kept[key] = answer


answer_cache = ProcessHeld(AnswerCache)
