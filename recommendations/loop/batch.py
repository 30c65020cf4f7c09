"""Stage 5, beside ``evaluate.py``: what a placement shows many customers under a book of rules, and how good it is.

On a cut with a truth everybody who has any is asked, as the review *as tested* sees the shop: everything is for sale,
and nothing rests after a purchase. The segments are those of the live version, by which rules and weights are served.
Where there is no truth, a sample of customers is asked as they would be now.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.accuracy import LENGTH, judge
from recommendations.engine.evaluation.breadth import Assortment, assortment
from recommendations.engine.evaluation.measures import per_user_table
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import BoolArray, FloatArray, IntArray, Sparse
from recommendations.engine.ranking.candidates import Candidates, weight_vector
from recommendations.engine.ranking.rules import Rule
from recommendations.engine.ranking.selection import NOTHING, Shelf, Wish
from recommendations.engine.rng import generator
from recommendations.loop.answer import Ask
from recommendations.loop.evaluate import TASKS
from recommendations.loop.fallback import ladder
from recommendations.loop.gate import task_of
from recommendations.loop.person import NOBODY, Person
from recommendations.loop.pools import pools_of
from recommendations.loop.questions import Answerer, Question
from recommendations.loop.recommend import NO_LIKENESS, NO_WEIGHTS, NO_Z, Ready, UnknownPlacementError, ready
from recommendations.store import live
from recommendations.store.interests import segments_by_customer
from recommendations.store.model import Model, load_model, load_truths
from recommendations.store.served_rules import ServedRules
from recommendations.store.serving import ServedPlacement, Snapshot
from recommendations.store.stock import Stock
from recommendations.terms import Cut, Task

SAMPLE = 64


class NoModelError(Exception):
    """No turn of the loop has finished yet: nobody can be asked."""


class Judge(NamedTuple):
    """What lists are held against; rows of ``item_of`` are those of the stock."""

    truth: Truth
    shop: Assortment
    item_of: IntArray  # row of the model, −1 = unknown to it


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """A placement's questions of many customers; ``judge`` is None where no truth says what would have been right."""

    placement: ServedPlacement
    cut: Cut
    questions: Sequence[Question]
    answerer: Answerer
    judge: Judge | None

    @cached_property
    def customers(self) -> NDArray[np.int64]:
        return np.array([question.customer for question in self.questions], np.int64)

    def applying(self, rules: ServedRules, *, at: datetime) -> Iterator[tuple[Rule, ...]]:
        """The rules for each question at a moment."""
        for question in self.questions:
            yield rules.applying(
                placement=self.placement.name,
                segment=None if question.segment == NOBODY else question.segment,
                customer=question.customer,
                context=question.context,
                now=at,
            )

    def answers(self, rules: ServedRules, *, at: datetime) -> IntArray:
        """What is shown: rows of the stock [customers, slots], −1 after the last."""
        shown = np.full((len(self.questions), self.placement.n), -1, np.int32)
        for place, applying in enumerate(self.applying(rules, at=at)):
            self.answer_into(shown[place], place, applying)
        return shown

    def answer_into(self, shown: IntArray, place: int, rules: tuple[Rule, ...]) -> None:
        """One question's answer into a row of ``answers``."""
        found = self.answerer.answer(self.questions[place], rules)
        shown[: len(found)] = found

    def figures(self, shown: IntArray) -> NDArray[np.float64]:
        """Metrics by customer [customers, PER_USER] of what is shown; needs a judge."""
        if self.judge is None:
            raise ValueError(f"no truth tells how good the answers of {self.placement.name} are")
        ranked = np.full((len(shown), LENGTH), -1, np.int32)
        kept = shown[:, :LENGTH]
        ranked[:, : kept.shape[1]] = np.where(kept >= 0, self.judge.item_of[kept], -1)
        return per_user_table(ranked, judge(ranked, self.judge.truth.per_user), self.judge.shop)


def batch(
    snapshot: Snapshot, placement: str, *, cut: Cut = Cut.TUNING, now: datetime, beside: BoolArray | None = None
) -> Batch:
    """Everybody with truth on a cut of the snapshot's model; where nobody has any, a sample on the live cut.

    ``beside`` [stock] are the items in view to sample from, else what a customer bought last. Raises
    UnknownPlacementError and NoModelError.
    """
    served = snapshot.placements.get(placement)
    if served is None:
        raise UnknownPlacementError(placement)
    if snapshot.model is None:
        raise NoModelError
    task = task_of(served.blend) if served.blend else None
    ground = _ground(snapshot.model.version_id, cut, task, snapshot.stock) if task else None
    if ground is None:
        return _sample(snapshot, served, now=now, beside=beside)
    tested = replace(snapshot, model=ground.model)
    questions = list(_of_everybody(tested, served, ground))
    return Batch(
        placement=served,
        cut=cut,
        questions=questions,
        answerer=Answerer(
            shelf=_shelf(tested, questions, now=now),
            rungs=lambda _question: ladder(tested, pools_of(ground.model), Person()),
        ),
        judge=Judge(truth=ground.truth, shop=ground.shop, item_of=ground.item_of),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Ground:
    """What does not change from one book or one set of weights to the next."""

    model: Model
    truth: Truth
    shop: Assortment
    records: Candidates  # of the truth's users
    rows: IntArray  # [users, candidates]: of the stock
    item_of: IntArray  # by row of the stock
    bought: Sparse  # users of the model × items
    segments: IntArray  # of the truth's users


@lru_cache(maxsize=3)
def _ground(version: int, cut: Cut, task: Task, stock: Stock) -> _Ground | None:
    """None where nobody has any truth."""
    learned, truth = load_model(version, cut), load_truths(version, cut)[task]
    records = learned.candidates.get(TASKS[task])
    if records is None or not len(truth.users):
        return None
    chosen, stock_rows = records.of(truth.users), stock.ids.rows(learned.items.ids)
    item_of = np.full(len(stock), -1, np.int32)
    item_of[stock_rows[stock_rows >= 0]] = np.flatnonzero(stock_rows >= 0)
    acts = learned.training.interactions
    return _Ground(
        model=learned,
        truth=truth,
        shop=assortment(learned.training),
        records=chosen,
        rows=np.where(chosen.items >= 0, stock_rows[chosen.items], -1).astype(np.int32),
        item_of=item_of,
        bought=acts.where(acts.bought).matrix(),
        segments=segments_by_customer(version, learned.users.ids[truth.users]),
    )


def _of_everybody(snapshot: Snapshot, placement: ServedPlacement, ground: _Ground) -> Iterator[Question]:
    """``snapshot`` has the model of the ground."""
    customers = ground.model.users.ids[ground.truth.users].tolist()
    weighed = {
        segment: _weighed(snapshot, placement, ground.records.instances, segment)
        for segment in set(ground.segments.tolist())
    }
    for place, (customer, user) in enumerate(zip(customers, ground.truth.users.tolist(), strict=True)):
        segment = int(ground.segments[place])
        weights, wish = weighed[segment]
        there = ground.rows[place] >= 0
        yield Question(
            customer=customer,
            segment=segment,
            context=NOTHING,
            rows=ground.rows[place, there],
            z=ground.records.z[place][:, there],
            weights=weights,
            wish=replace(
                wish,
                bought=_known(snapshot.stock_rows[_columns(ground.bought, user)]),
                excluded=_known(snapshot.stock_rows[_columns(ground.model.disliked, user)]),
            ),
        )


def _columns(matrix: Sparse, row: int) -> IntArray:
    """Of what is stored in a row; a hundred times as fast as taking the row out."""
    return np.asarray(matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]])


def _weighed(
    snapshot: Snapshot, placement: ServedPlacement, instances: Sequence[str], segment: int
) -> tuple[FloatArray, Wish]:
    found = snapshot.weights_for(placement.blend, segment) if placement.blend else None
    return weight_vector(instances, found.weights if found else {}), Wish(
        n=placement.n,
        repeat=placement.repeat,
        promotion=found.promotion if found else 0.0,
        diversity=found.diversity if found else 0.0,
    )


def _known(rows: IntArray) -> IntArray:
    return rows[rows >= 0].astype(np.int32)


def _sample(snapshot: Snapshot, placement: ServedPlacement, *, now: datetime, beside: BoolArray | None) -> Batch:
    """Customers of the live model, the same ones every time."""
    learned = snapshot.model
    if learned is None:
        raise NoModelError
    drawn = generator(0, "batch").permutation(len(learned.users))[:SAMPLE]
    asked: dict[Question, Ready] = {}
    for row in np.sort(drawn).tolist():
        customer = int(learned.users.ids[row])
        ask = Ask(
            placement=placement.name,
            customer=customer,
            context_items=in_view(snapshot, row, beside) if placement.needs_context else (),
            explore=False,
        )
        state = live.state_of(customer, since=learned.as_of).state
        found = ready(ask, snapshot=snapshot, state=state, now=now)
        asked[_question(found)] = found
    return Batch(
        placement=placement,
        cut=Cut.LIVE,
        questions=list(asked),
        answerer=Answerer(
            shelf=_shelf(snapshot, list(asked), now=now),
            rungs=lambda question: ladder(snapshot, asked[question].pools, asked[question].person),
        ),
        judge=None,
    )


def _question(found: Ready) -> Question:
    pool, stock_rows = found.ranking.pool, found.snapshot.stock_rows
    rows = NOTHING if pool is None else stock_rows[pool.items]
    context = found.snapshot.stock.ids.rows(np.array(found.ask.context_items, np.int64))
    return Question(
        customer=found.ask.customer or 0,
        segment=found.person.segment,
        context=_known(context),
        rows=rows[rows >= 0],
        z=NO_Z if pool is None else pool.z[:, rows >= 0],
        weights=NO_WEIGHTS if pool is None else weight_vector(pool.instances, found.ranking.weights),
        wish=replace(found.wish, rules=()),
    )


def in_view(snapshot: Snapshot, row: int, beside: BoolArray | None = None) -> tuple[int, ...]:
    """The item (primary key) that a customer of the model is looking at, as an example; always the same one.

    One of ``beside`` [stock], the items most asked for, else the one that was bought last.
    """
    learned = snapshot.model
    if learned is None:
        raise NoModelError
    pools = pools_of(learned)
    if beside is not None:
        rows = snapshot.stock_rows[pools.popular]
        wanted = pools.popular[(rows >= 0) & beside[rows]][:SAMPLE]
        return (int(learned.items.ids[wanted[row % len(wanted)]]),) if len(wanted) else ()
    past = pools.past_of(row)
    return (int(learned.items.ids[past.rows[int(np.argmax(past.last))]]),) if len(past.rows) else ()


def _shelf(snapshot: Snapshot, questions: Sequence[Question], *, now: datetime) -> Shelf:
    diverse = any(question.wish.diversity for question in questions)
    return Shelf(
        sellable=snapshot.sellable(now),
        likeness=snapshot.likeness if diverse else NO_LIKENESS,
        lift=snapshot.lift,
    )
