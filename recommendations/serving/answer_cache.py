"""Cache of serialised answers; one is valid while snapshot, live state, rules and the 5-minute tick are unchanged."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from operator import is_

import msgspec

from recommendations.engine.ranking.rules import Rule
from recommendations.serving.customer_context import CustomerContext
from recommendations.serving.pipeline import TICK, Prepared, rules_for
from recommendations.serving.request_filter import of_book
from recommendations.serving.types import Request, ResolvedRequest
from recommendations.store.live.fetch import RawState
from recommendations.store.process_held import ProcessHeld
from recommendations.store.serving.slates import ServedSlate
from recommendations.store.serving.snapshot import Snapshot

MOST = 4_000  # answers of about 20 kB


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class ServingState:
    """A request, with what its answer is made of: a snapshot, a customer in a live state, a moment."""

    request: Request
    recommendation_id: str
    started: int  # ns, of the process's clock
    snapshot: Snapshot
    unit: int | None  # ``arms.unit_of``
    customer: int | None
    raw: RawState
    now: datetime

    @property
    def tick(self) -> float:
        return self.now.timestamp() // TICK

    @property
    def repeatable(self) -> bool:
        """Whether all of the live state came from Valkey: ``raw`` would not show a change of what PostgreSQL told."""
        return self.raw.complete


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class CachedAnswer:
    """A serialised answer without its id; every request fills id, time and latency into its slate anew."""

    content: bytes
    slate: ServedSlate
    nameless: bool
    exploration: float  # share of the answers that are shuffled
    cards: float  # how often one of the last slots shows an item from further down
    state: ServingState
    tick: float
    about: tuple[ResolvedRequest, CustomerContext]  # whom rules ask for
    snapshot: Snapshot  # as the arms of experiments have it; the arms are the same until the snapshot is another
    rules: Sequence[Rule]  # of the book
    sellable: object

    @classmethod
    def of(
        cls, prepared: Prepared, state: ServingState, *, content: bytes, slate: ServedSlate, nameless: bool
    ) -> "CachedAnswer":
        customer = prepared.customer
        return cls(
            content=content,
            slate=slate,
            nameless=nameless,
            exploration=prepared.params.exploration,
            cards=prepared.params.cards,
            state=state,
            tick=state.tick,
            about=(
                prepared.request,
                CustomerContext(why_not=customer.why_not, segment=customer.segment, audiences=customer.audiences),
            ),
            snapshot=prepared.snapshot,
            rules=of_book(prepared.params.rules) if prepared.request.boosts else prepared.params.rules,
            sellable=prepared.catalogue.sellable,
        )

    def is_valid(self, state: ServingState) -> bool:
        before = self.state
        if not (
            before.snapshot is state.snapshot
            and before.customer == state.customer
            and before.raw.customer == state.raw.customer
            and self.tick == state.tick
            and self.sellable is state.snapshot.sellable(state.now)
            and state.repeatable
        ):
            return False
        request, customer = self.about
        rules = rules_for(request, self.snapshot, customer, state.now)
        return len(rules) == len(self.rules) and all(map(is_, rules, self.rules))


class AnswerCache:
    """Answers of this process by request; the oldest half leaves when it is full."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: dict[Hashable, CachedAnswer] = {}

    def get(self, key: Hashable, state: ServingState) -> CachedAnswer | None:
        entry = self._kept.get(key)
        return entry if entry is not None and entry.is_valid(state) else None

    def put(self, key: Hashable, answer: CachedAnswer) -> None:
        if answer.state.repeatable:
            if len(self._kept) >= self._most:
                for oldest in list(islice(self._kept, self._most // 2)):
                    self._kept.pop(oldest, None)
            slate = msgspec.structs.replace(answer.slate, parts=None)  # they go into the record with the first one
            self._kept[key] = replace(answer, slate=slate)


answer_cache = ProcessHeld(AnswerCache)
