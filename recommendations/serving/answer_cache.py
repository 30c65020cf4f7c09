"""Cache of serialised answers; one is valid while snapshot, live state, rules and the half-hour tick are unchanged."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from itertools import islice
from operator import is_
from typing import NamedTuple

import msgspec

from recommendations.serving.pipeline import Prepared, rules_for
from recommendations.serving.request_filter import of_book
from recommendations.serving.serving_state import ServingState
from recommendations.store.live.change_watch import HeldOfPeople
from recommendations.store.serving.slates import ServedSlate

MOST = 4_000  # answers of about 20 kB


class WrittenAnswer(NamedTuple):
    """A serialised answer without its id; every request fills id, time and latency into its slate anew."""

    content: bytes
    slate: ServedSlate
    nameless: bool


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class CachedAnswer:
    """What an answer was prepared as, of which those that explore are made, and how all others are written."""

    state: ServingState
    prepared: Prepared
    written: WrittenAnswer | None  # None: none was asked for yet but what explored

    def is_valid(self, state: ServingState) -> bool:
        before, prepared = self.state, self.prepared
        if not (
            before.snapshot is state.snapshot
            and before.customer == state.customer
            and before.raw.customer == state.raw.customer
            and before.tick == state.tick
            and prepared.catalogue.sellable is state.snapshot.sellable(state.now)
            and state.repeatable
        ):
            return False
        known = of_book(prepared.params.rules) if prepared.request.boosts else prepared.params.rules
        rules = rules_for(prepared.request, prepared.snapshot, prepared.customer, state.now)
        return len(rules) == len(known) and all(map(is_, rules, known))


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
            if answer.written is not None:  # its parts go into the record with the first one
                slate = msgspec.structs.replace(answer.written.slate, parts=None)
                answer = replace(answer, written=answer.written._replace(slate=slate))
            self._kept[key] = answer


answer_cache = HeldOfPeople(AnswerCache)
