"""Reasons for the items that are shown, with evidence that exists: ids of the shop, names and numbers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np

from recommendations.engine.frames import BoolArray, IntArray
from recommendations.engine.interests.item_sums import POPULAR_DAYS
from recommendations.engine.ranking.confidence import LITTLE_KNOWN, STATED_TASTE
from recommendations.engine.ranking.explain import reasons, speakers
from recommendations.engine.ranking.second_stage import NAME as SECOND_STAGE
from recommendations.engine.recommenders.protocol import Evidence
from recommendations.serving.candidates import TRENDING, WEEK, CandidatePool, CandidateSource
from recommendations.serving.customer_context import NOBODY, CustomerContext
from recommendations.serving.history import DAY
from recommendations.serving.scope import WHOLE as EVERYTHING
from recommendations.serving.scope import ScopedItems
from recommendations.serving.taste.likings import meaning
from recommendations.serving.types import Fact, ShownReason
from recommendations.store.live.state import WHOLE, Liking, LikingKind, LiveState
from recommendations.store.serving.series import GoingOn
from recommendations.store.serving.snapshot import Snapshot
from recommendations.terms import CatalogueScope, Cut, Lift, Reason, Source

DIGITS = 4
LIFTS = frozenset(Lift)
SAID = frozenset({Reason.STATED, Reason.FOLLOWED})
ENOUGH = 0.5  # of the positive part of the score
WORTH_TELLING = 0.1  # of the positive part of the score; a smaller part is told only where there is no larger one


@dataclass(frozen=True, kw_only=True)
class Explainer:
    """Maker of the reasons for one answer."""

    snapshot: Snapshot
    candidates: CandidateSource | None
    customer: CustomerContext
    state: LiveState
    now: datetime
    asked: bool = True  # for reasons at all
    scope: ScopedItems = EVERYTHING  # that the answer is of
    given: dict[int, tuple[ShownReason, ...]] = field(default_factory=dict)  # of candidates, by row of the model

    def of_pool(self, pool: CandidatePool, item: int, speaking: Sequence[tuple[str, float]]) -> tuple[ShownReason, ...]:
        """Reasons for a candidate: ``item`` is a row of the model, ``speaking`` are those of the pool's instances and
        of the lifts that speak for it, the largest share first.

        They are asked until those asked make up most of what speaks for the item: asking is what an answer spends its
        time on.
        """
        if not self.asked:
            return ()
        if item not in self.given:
            self.given[item] = self._strongest(pool, item, speaking)
        return self.given[item]

    def _strongest(
        self, pool: CandidatePool, item: int, speaking: Sequence[tuple[str, float]]
    ) -> tuple[ShownReason, ...]:
        evidence: list[tuple[float, Sequence[Evidence]]] = []
        explained = 0.0
        for name, share in speaking:
            terms = self._evidence(pool, name, item)
            if terms:
                evidence.append((share, terms))
                explained += share
            if explained >= ENOUGH:
                break
        strongest = reasons(evidence)
        worth = [one for one in strongest if one.share >= WORTH_TELLING] or strongest[:1]
        written = [self._reason(one.term, pool, item) for one in worth]
        return tuple(reason for reason in written if reason is not None)

    @cached_property
    def _follows(self) -> Sequence[tuple[Liking, BoolArray]]:
        """What the customer follows, with a mask of the stock each; nothing in answers of another part of the shop."""
        if self.scope.scope is not CatalogueScope.FOLLOWED:
            return []
        return [(liking, meaning(liking, self.snapshot)) for liking in self.customer.followed]

    def of_fallback(self, source: Source, row: int) -> tuple[ShownReason, ...]:
        """Reasons for a filler at the end of an answer; ``row`` is one of the stock."""
        if not self.asked:
            return ()
        if source is Source.NEWEST:
            if liking := next((each for each, means in self._follows if means[row]), None):
                facts = self._named(liking)
                return (ShownReason(code=Reason.FOLLOWED, evidence=facts),) if facts else ()
            listed = float(self.snapshot.stock.column("listed")[row])
            days = max(0.0, (self.now.timestamp() - listed) / DAY)
            return (ShownReason(code=Reason.NEW, evidence={"days": round(days, 1)}),)
        if self.scope.scope is CatalogueScope.BEGUN:
            return tuple(self._going_on(one) for one in self.scope.going_on if one.row == row)
        item = int(self.rows_of_model(np.array([row], np.int32))[0])
        if source is Source.SEGMENT:
            return (ShownReason(code=Reason.SEGMENT, evidence=self._segment()),)
        popular = self._popular(item)
        return tuple(reason for reason in (self._reason(term, None) for term in popular) if reason is not None)

    def _evidence(self, pool: CandidatePool, instance: str, item: int) -> Sequence[Evidence]:
        if instance == LITTLE_KNOWN and self.candidates is not None:
            friends = self._followed(self.candidates, pool, item)
            return friends or self._popular(item)
        if instance == STATED_TASTE:
            return self._stated(pool, item)
        if instance == TRENDING or self.candidates is None:
            return self._popular(item)
        if instance == Lift.PROMOTION:
            return self._promoted(self.candidates, item)
        if instance in LIFTS:
            return []  # goals are the shop's: no reason for the customer
        if instance == SECOND_STAGE:
            return self._weighed(self.candidates, pool, item)
        return pool.history_for(instance).evidence(self.candidates.model.recommenders, instance, item)

    def _stated(self, pool: CandidatePool, item: int) -> Sequence[Evidence]:
        """Evidence that the customer said so; nothing of an item that they did not speak of."""
        liking = pool.history.liked and pool.history.liked.liking_of(item)
        return [Evidence(reason=Reason.FOLLOWED if liking.followed else Reason.STATED, share=1.0)] if liking else []

    def _followed(self, candidates: CandidateSource, pool: CandidatePool, item: int) -> Sequence[Evidence]:
        """Evidence of those whom the customer follows, where the list leans on them."""
        if pool.leaning is None or pool.leaning.friends not in candidates.model.recommenders:
            return []
        return pool.history.evidence(candidates.model.recommenders, pool.leaning.friends, item)

    def _weighed(self, candidates: CandidateSource, pool: CandidatePool, item: int) -> Sequence[Evidence]:
        """The second stage only weighs what the recommenders say: evidence of the one that speaks most for the item."""
        z = np.nan_to_num(np.asarray(pool.z[:, np.searchsorted(pool.items, item)], np.float64))
        z[pool.instances.index(SECOND_STAGE)] = 0
        by_speaker = (
            pool.history_for(name).evidence(candidates.model.recommenders, name, item)
            for name, _ in speakers(pool.instances, z[None, :])[0]
        )
        return next((evidence for evidence in by_speaker if evidence), [])

    def _popular(self, item: int) -> Sequence[Evidence]:
        if self.candidates is None or item < 0 or not self.candidates.sums.buyers[item]:
            return []
        facts = {"buyers": float(self.candidates.sums.buyers[item]), "days": POPULAR_DAYS}
        return [Evidence(reason=Reason.POPULAR, share=1.0, facts=facts)]

    def _promoted(self, candidates: CandidateSource, item: int) -> Sequence[Evidence]:
        at = self.now.timestamp() if candidates.model.cut is Cut.LIVE else candidates.until
        week = candidates.planned(item, at=at)
        if week is None:
            return []
        ahead = float(max(0, math.ceil((week.start - at) / WEEK)))
        facts = {"weeks": ahead, "display": week.display, "mailer": week.mailer}
        return [Evidence(reason=Reason.PROMOTED, share=1.0, facts=facts)]

    def _reason(self, term: Evidence, pool: CandidatePool | None, item: int = -1) -> ShownReason | None:
        """The reason for an item of the model as it is shown; None where the evidence is no longer in the record."""
        facts: dict[str, Fact] = {name: round(value, DIGITS) for name, value in term.facts.items()}
        code = term.reason
        if term.reason in SAID:
            facts = self._said(item, pool)
            return ShownReason(code=code, evidence=facts) if facts else None
        if term.item is not None:
            row = int(self.snapshot.stock_rows[term.item])
            if row < 0:
                return None
            product = self.snapshot.stock.products[row]
            facts |= {"item_id": product.shop_id, "title": product.title}
            if code is Reason.BECAUSE_YOU_VIEWED and product.item in self.state.bought:
                code = Reason.BECAUSE_YOU_BOUGHT  # a session holds what was bought, too
            if "days_since" in term.facts and pool is not None:
                facts["days_since"] = round(self._days_since(product.item, term.facts["days_since"], pool), 1)
        if term.category is not None and self.candidates is not None:
            key = int(self.candidates.model.categories.ids[term.category])
            if key not in self.snapshot.names.categories:
                return None
            facts["category"], facts["name"] = self.snapshot.names.categories[key]
        if term.reason is Reason.SEGMENT:
            facts = {**facts, **own} if (own := self._segment()) else {}
        return ShownReason(code=code, evidence=facts)

    def _said(self, item: int, pool: CandidatePool | None) -> dict[str, Fact]:
        """What the customer said they like, by kind and name; nothing where it is no longer in the record."""
        liking = pool.history.liked.liking_of(item) if pool and pool.history.liked else None
        return self._named(liking) if liking else {}

    def _named(self, liking: Liking) -> dict[str, Fact]:
        match liking.kind:
            case LikingKind.CATEGORY:
                called = dict(self.snapshot.names.categories.values()).get(liking.name)
                return {"kind": liking.kind, "category": liking.name, "name": called} if called else {}
            case LikingKind.ITEM:
                row = self.snapshot.stock.row_of.get(liking.name)
                title = "" if row is None else self.snapshot.stock.products[row].title
                return {"kind": liking.kind, "item_id": liking.name, "name": title} if title else {}
        return {"kind": liking.kind, "name": liking.name}

    def _going_on(self, one: GoingOn) -> ShownReason:
        """How much was played of what was begun, else the part that the next one comes after."""
        if one.after < 0:
            return ShownReason(code=Reason.BEGUN, evidence={"progress": one.tenths / WHOLE})
        product = self.snapshot.stock.products[one.after]
        return ShownReason(code=Reason.NEXT_PART, evidence={"item_id": product.shop_id, "title": product.title})

    def _segment(self) -> Mapping[str, Fact]:
        """The lasting number of the customer's segment and its name; nothing without one, or of one of a few people."""
        number = self.customer.segment
        if number == NOBODY or number not in self.snapshot.names.segments:
            return {}
        return {"segment": number, "name": self.snapshot.names.segments[number]}

    def _days_since(self, item: int, days: float, pool: CandidatePool) -> float:
        """Days before now, not before the end of the model's history; a purchase since then counts."""
        if self.candidates is None or self.candidates.model.cut is not Cut.LIVE:
            return days
        last = max(pool.history.until - days * DAY, self.state.bought.get(item, -np.inf))
        return max(0.0, (self.now.timestamp() - last) / DAY)

    def rows_of_model(self, rows: IntArray) -> IntArray:
        """Rows of the model of these rows of the stock; −1 where it does not know them."""
        if self.candidates is None:
            return np.full(len(rows), NOBODY, np.int32)
        return self.candidates.model.items.rows(self.snapshot.stock.ids.ids[rows])
