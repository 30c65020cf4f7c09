"""Slots of a page that Recsite fills: each is one request, all of a page are sent at the same time."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from recsite_client import Client, RecsiteError
from recsite_client.answers import Recommendations
from recsite_client.bodies import Context, Wish
from storefront.visits import Visit

AT_ONCE = 8


@dataclass(frozen=True, kw_only=True)
class Slot:
    placement: str
    title: str
    n: int = 6
    context: Context = field(default_factory=Context)


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A slot with its answer, or why there is none: then the page goes on without the slot."""

    slot: Slot
    answer: Recommendations | None
    problem: str
    milliseconds: float


class Slots:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="slots")

    def fill(self, visit: Visit, slots: Sequence[Slot]) -> list[Filled]:
        return list(self._pool.map(lambda slot: self._ask(slot, wish_of(visit, slot)), slots))

    def _ask(self, slot: Slot, wish: Wish) -> Filled:
        begin, answer, problem = time.perf_counter(), None, ""
        try:
            answer = self._client.recommend(slot.placement, **wish)
        except RecsiteError as error:
            problem = str(error)
        took = 1_000 * (time.perf_counter() - begin)
        return Filled(slot=slot, answer=answer, problem=problem, milliseconds=took)


def wish_of(visit: Visit, slot: Slot) -> Wish:
    """Request for a slot; nobody is named who was not asked, or who said no."""
    wish: Wish = {"n": slot.n, "lang": "en", "fields": ["product", "reasons"]}
    if slot.context:
        wish["context"] = slot.context
    if not visit.personalised:
        wish["personalise"] = False
        return wish
    if visit.user_id:
        wish["user_id"] = visit.user_id
    wish["anonymous_id"], wish["session_id"] = visit.anonymous_id, visit.session_id
    return wish
