"""Slots of a page that Recsite fills: one question for all of them, so that no item stands in two."""

import time
from collections.abc import Collection
from dataclasses import dataclass

from recsite_client import Client, RecsiteError
from recsite_client.answers import Recommendations
from recsite_client.bodies import Context, PageWish
from storefront.visits import Visit


@dataclass(frozen=True, kw_only=True)
class Filled:
    """The slots of a page as Recsite orders them; without any, ``problem`` says why, and the page goes on alone."""

    page: str
    wish: PageWish
    slots: tuple[Recommendations, ...]
    problem: str
    milliseconds: float


class Slots:
    def __init__(self, client: Client, *, language: str = "en") -> None:
        self._client, self._language = client, language

    def fill(
        self, page: str, visit: Visit, *, context: Context | None = None, leave_out: Collection[str] = ()
    ) -> Filled:
        """Ask for the slots of a page; ``leave_out`` are placements that it does not want this time."""
        wish = self._wish_of(visit, context)
        if leave_out:
            wish["slots"] = [{"placement": placement, "n": 0} for placement in leave_out]
        begin, slots, problem = time.perf_counter(), list[Recommendations](), ""
        try:
            slots = self._client.recommend_page(page, **wish)["slots"]
        except RecsiteError as error:
            problem = str(error)
        took = 1_000 * (time.perf_counter() - begin)
        return Filled(page=page, wish=wish, slots=tuple(slots), problem=problem, milliseconds=took)

    def _wish_of(self, visit: Visit, context: Context | None) -> PageWish:
        """Request for a page; nobody is named who was not asked, or who said no."""
        wish: PageWish = {"lang": self._language, "fields": ["product", "reasons", "why"]}
        if context:
            wish["context"] = context
        if not visit.personalised:
            wish["personalise"] = False
            return wish
        if visit.user_id:
            wish["user_id"] = visit.user_id
        wish["anonymous_id"], wish["session_id"] = visit.anonymous_id, visit.session_id
        return wish
