"""Candidate pools: the stored records of customers, and pools that are scored while the shop waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from scipy import sparse

from recommendations.engine.frames import FloatArray, IntArray, Promotions, Queries, Sparse
from recommendations.engine.interests.item_sums import POPULAR_HALF_LIFE, ItemSums, item_sums
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.ranking.confidence import STATED_TASTE, BlendLeaning, leaned
from recommendations.engine.ranking.item_facts import ItemFacts, item_facts
from recommendations.engine.ranking.score_rows import DenseRow, ScoreRow, nominees, standing
from recommendations.engine.ranking.scores import Standardised
from recommendations.engine.ranking.second_stage import SecondStage
from recommendations.engine.recommenders.content_ridge import ContentRidge
from recommendations.engine.recommenders.hybrid import NOMINATED
from recommendations.engine.recommenders.popularity import Popularity
from recommendations.engine.recommenders.protocol import Recommender
from recommendations.engine.recommenders.registry import Instance, leaning_of
from recommendations.serving.history import DAY, History, HistoryEvent, appended, interactions_of
from recommendations.serving.taste.liked_items import LikedItems
from recommendations.store.domain import shop_instances
from recommendations.store.live.change_watch import people_cache
from recommendations.store.models.held_by_model import held_by_model
from recommendations.store.models.model import Model
from recommendations.store.models.second_stage import load_stage
from recommendations.terms import BlendName

WEEK = 7 * DAY
TRENDING = "trending"  # the one "instance" of the list that is the same for everybody
TRENDING_ITEMS = 500
HISTORIES_HELD, POOLS_HELD = 1_024, 256
"""Customers whose histories a process holds, with the evidence for what they were shown (30 kB), and scored pools."""


class Planned(NamedTuple):
    """A week in which the plan promotes an item; shares of the stores."""

    start: float  # seconds since 1970-01-01 UTC
    display: float
    mailer: float


@dataclass(frozen=True, kw_only=True)
class CandidatePool:
    """Item rows of the model with their standardised scores; ``history`` is what the scores were made from.

    Those of the instances in ``visiting`` were made from ``visit``.
    """

    instances: tuple[str, ...]
    items: IntArray  # [candidates]
    z: Standardised  # [instances, candidates]
    history: History
    visit: History | None = None
    visiting: frozenset[str] = frozenset()
    record: "CandidatePool | None" = None  # whose instances are the first ones, where a visit is beside it
    leaning: BlendLeaning | None = None  # that the scores have, where little is known of who asks
    sure: float = 1.0  # confidence in the history, or in the visit that is all of it

    def history_for(self, instance: str) -> History:
        """The history that the instance's scores were made from."""
        return self.visit if self.visit is not None and instance in self.visiting else self.history

    def forget(self) -> None:
        """Forget what evidence was derived from: a process holds thousands of pools."""
        for history in (self.history, self.visit):
            if history is not None:
                history.query.forget()

    @cached_property
    def heard(self) -> frozenset[str]:
        """Instances that tell at least two candidates apart."""
        if self.record is not None:
            own = len(self.record.instances)
            return self.record.heard | _telling(self.instances[own:], self.z[own:])
        return _telling(self.instances, self.z)


def _telling(instances: Sequence[str], z: Standardised) -> frozenset[str]:
    """Standardised values of a constant are 0, of the silent NaN."""
    values = np.asarray(z, np.float32)
    apart = ((values < 0) | (values > 0)).any(axis=1)
    return frozenset(name for name, speaks in zip(instances, apart.tolist(), strict=True) if speaks)


class CandidateSource:
    """Candidate pools of one model; what is scored for a request is held for the next ones."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.until = model.as_of.timestamp()
        self.stored = people_cache(HISTORIES_HELD)(self._stored)
        self.history_of = people_cache(HISTORIES_HELD)(self._history_of)
        self.history_at = people_cache(HISTORIES_HELD)(self._history_at)
        self.folded = people_cache(HISTORIES_HELD)(self._folded)
        self.liking = people_cache(HISTORIES_HELD)(self._liking)
        self.scored = people_cache(POOLS_HELD)(self._scored)
        self.second_stage = lru_cache(self._second_stage)

    @cached_property
    def nobody(self) -> History:
        return self.folded((), self.until)

    @cached_property
    def popular(self) -> IntArray:
        """All item rows, the most asked for at present first."""
        return np.argsort(-self.popularity, kind="stable").astype(np.int32)

    @cached_property
    def popularity(self) -> FloatArray:
        """Popularity of every item in the week before the end of the history."""
        for recommender in self.model.recommenders.values():
            if isinstance(recommender, Popularity) and recommender.config.half_life == POPULAR_HALF_LIFE:
                return np.asarray(recommender.popularity_)
        return self.sums.popularity

    @cached_property
    def sums(self) -> ItemSums:
        """Sums over everybody's acts; of a version from before they were kept they are worked out."""
        return self.model.sums or item_sums(self.model.training)

    @cached_property
    def descriptions(self) -> ContentRidge | None:
        """The recommender that knows what items are; None where the model has none."""
        every = self.model.recommenders.values()
        return next((each for each in every if isinstance(each, ContentRidge)), None)

    @cached_property
    def facts(self) -> ItemFacts:
        return item_facts(self.model.training)

    def _second_stage(self, blend: BlendName) -> SecondStage | None:
        return load_stage(self.model.version_id, self.model.cut, blend)

    def planned(self, item: int, *, at: float) -> Planned | None:
        """The first promoted week of an item that is not over at a moment (seconds since 1970-01-01 UTC)."""
        plan = self._plan
        if plan is None:
            return None
        for row in range(*np.searchsorted(plan.item, [item, item + 1])):
            week = Planned(self.until + float(plan.start[row]) * DAY, float(plan.display[row]), float(plan.mailer[row]))
            if week.start + WEEK > at and (week.display or week.mailer):
                return week
        return None

    @cached_property
    def _plan(self) -> Promotions | None:
        """Promoted weeks that end after the history, by item and start."""
        plan = self.model.training.promotions
        if plan is None:
            return None
        ahead = np.flatnonzero(plan.start * DAY > -WEEK)
        rows = ahead[np.lexsort((plan.start[ahead], plan.item[ahead]))]
        return Promotions(
            item=plan.item[rows], start=plan.start[rows], display=plan.display[rows], mailer=plan.mailer[rows]
        )

    @cached_property
    def trending(self) -> CandidatePool:
        """Pool of what is asked for at present, above all what is asked for more than usual."""
        scores = self.popularity * self.sums.trend
        best = np.argsort(-scores, kind="stable")[:TRENDING_ITEMS].astype(np.int32)
        items = np.sort(best[scores[best] > 0])
        return CandidatePool(instances=(TRENDING,), items=items, z=scores[items][None, :], history=self.nobody)

    def _stored(self, blend: BlendName, row: int) -> CandidatePool | None:
        """The stored candidates of a customer, or of the stranger; None where the model has none in this blend."""
        records = self.model.candidates.get(blend)
        if records is None or (place := records.row(row)) < 0:
            return None
        return _pool(
            records,
            place,
            history=self.nobody if row == self.model.stranger else self.history_of(row),
            leaning=leaning_of(blend),
        )

    def _history_of(self, row: int) -> History:
        return History.of(self.model.training.queries(np.array([row])), until=self.until)

    def _history_at(self, row: int, acts: tuple[HistoryEvent, ...], until: float) -> History:
        """History of a customer of the model up to a moment, and these later acts, as of somebody new to the model.

        Nothing that was learned of the customer counts, only what was learned of items and of the others.
        """
        back = (self.until - until) / DAY
        stored = self.model.training.queries(np.array([row])).histories
        stored = stored.where(stored.age > back)
        stored = replace(stored, age=stored.age - np.float32(back))
        late = interactions_of(acts, until=until, n_items=len(self.model.items))
        histories = appended(stored, late) if acts else stored
        links, followed = self.model.training.links, self.model.training.followed
        query = Queries(
            histories=histories, training_rows=np.array([-1], np.int32), links=None if links is None else links[[row]],
            followed=None if followed is None else followed[[row]],
        )  # fmt: skip
        return History.of(query, until=until)

    def follows(self, customer: int | None) -> bool:
        """Whether a customer follows anybody of whom the model knows."""
        return customer is not None and self.model.links is not None and self.model.links.followers.row(customer) >= 0

    def _folded(self, acts: tuple[HistoryEvent, ...], until: float, customer: int | None = None) -> History:
        """History of somebody new to the model, who may follow others."""
        histories, links = interactions_of(acts, until=until, n_items=len(self.model.items)), self.model.links
        own = None
        if links is not None and customer is not None and (row := links.followers.row(customer)) >= 0:
            own = links.follows[[row]]
        query = Queries(histories=histories, training_rows=np.array([-1], np.int32), links=own)
        return History.of(query, until=until)

    def _liking(self, history: History, liked: LikedItems) -> History:
        """The history of a customer who says what they like."""
        return History.of(history.query, until=history.until, liked=liked)

    def _scored(
        self, blend: BlendName, history: History, context: tuple[int, ...], within: bytes | None = None
    ) -> CandidatePool:
        """Candidates of a customer or a context that has no record; context items are no candidates.

        ``within`` are the only rows (int32) that may be candidates; all of them are that some instance scores.
        """
        query = self.query_of(history, context)
        rows, leaning = self.score_rows(blend, query), leaning_of(blend)
        if leaning is not None and history.liked is not None:
            rows[STATED_TASTE] = history.liked.row(len(self.model.items))
            leaning = replace(leaning, stated=history.stated_part)
        barred = np.array(sorted(context), np.int32)
        if blend is BlendName.DISCOVER:
            barred = np.union1d(barred, history.rows).astype(np.int32)
        if within is not None:
            wanted = np.setdiff1d(np.frombuffer(within, np.int32), barred)
            known = [~np.isnan(row.at(wanted)) for row in rows.values()]
            items = wanted[np.logical_or.reduce(known)] if known else wanted[:0]
        else:
            items = nominees([*rows.values()], nominated=NOMINATED, but=barred, width=len(self.model.items))
        z = leaned_standing(rows, items, leaning, history.sure)
        return CandidatePool(
            instances=tuple(rows), items=items, z=z,
            history=History.of(query, until=history.until, liked=history.liked), leaning=leaning, sure=history.sure,
        )  # fmt: skip

    def query_of(self, history: History, context: Sequence[int], *, fading: float = 1.0) -> Queries:
        """A history as a query with items in view; each counts ``fading`` times as much as the one before it."""
        return Queries(
            histories=history.query.histories,
            training_rows=history.query.training_rows,
            context=_row(context, len(self.model.items), fading=fading) if context else None,
            links=history.query.links,
            followed=history.query.followed,
        )

    def score_rows(self, blend: BlendName, query: Queries) -> dict[str, ScoreRow]:
        """The query's scores by each instance that the blend may weigh."""
        fitted = [(part, self.model.recommenders.get(part.name)) for part in shop_instances(blend)]
        return {part.name: self._score_row(part, one, query) for part, one in fitted if one is not None}

    def _score_row(self, part: Instance, recommender: Recommender, query: Queries) -> ScoreRow:
        if not part.trend:
            return recommender.row(query)
        factor = np.power(self.sums.trend, np.float32(part.trend), dtype=np.float32)
        return DenseRow(np.maximum(recommender.score(query)[0], np.float32(0)) * factor)


def leaned_standing(
    rows: Mapping[str, ScoreRow], items: IntArray, leaning: BlendLeaning | None, sure: float
) -> Standardised:
    """Scores of these items by each instance, standardised, as a history that is believed so far has them."""
    z = standing([*rows.values()], items)
    if leaning is None or sure == 1 or not len(items):
        return z
    return leaned(z.astype(np.float32), tuple(rows), leaning, np.array(sure, np.float32)).astype(np.float16)


@held_by_model
def candidate_source(model: Model) -> CandidateSource:
    """Candidates of a model."""
    return CandidateSource(model)


def _pool(records: Candidates, row: int, *, history: History, leaning: BlendLeaning | None) -> CandidatePool:
    count = int(np.count_nonzero(records.items[row] >= 0))
    return CandidatePool(
        instances=records.instances,
        items=np.asarray(records.items[row, :count]),
        z=np.asarray(records.z[row, :, :count]),
        history=history,
        leaning=leaning,
        sure=history.sure,
    )


def _row(items: Sequence[int], n_items: int, *, fading: float = 1.0) -> Sparse:
    """A matrix row of 1, fading, fading² … at these items, for one query; each stands there once."""
    columns = np.asarray(items, np.int32)
    values = np.power(np.float32(fading), np.arange(len(columns), dtype=np.float32))
    order = np.argsort(columns)
    bounds = np.array([0, len(columns)], np.int32)  # a matrix of coordinates would take four times as long
    return sparse.csr_matrix((values[order], columns[order], bounds), shape=(1, n_items))
