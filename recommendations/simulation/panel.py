"""Panel beside ``loop/evaluate.py``: what a placement shows many customers under a book of rules, and how good it is.

On a cut with a truth everybody who has any is asked, or a uniform sample of very many (``truth_sample``), as the review
*as tested* sees the shop: everything is for sale, and nothing rests after a purchase. The segments are those of the
live version, by which rules and weights are served. Where there is no truth, a sample of customers is asked as they
would be now.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from recommendations.engine.evaluation.breadth import Assortment, assortment
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import BoolArray, FloatArray, IntArray, Sparse
from recommendations.engine.ranking.candidates import Candidates, weight_vector
from recommendations.engine.ranking.selection import NOTHING, SelectionParams
from recommendations.serving.candidates import candidate_source
from recommendations.serving.customer_context import CustomerContext
from recommendations.serving.fallback import fallback_chain
from recommendations.serving.pipeline import UnknownPlacementError
from recommendations.simulation.live_sample import model_under, sample
from recommendations.simulation.rerank import Answerer, Batch, Judge, Question, known_items, shelf_of
from recommendations.store.live.change_watch import HeldOfPeople, people_cache
from recommendations.store.models.artefacts import of_one_edition
from recommendations.store.models.interests import segments_by_customer
from recommendations.store.models.model import Model, load_model, load_truths
from recommendations.store.models.truth_sample import of_a_panel
from recommendations.store.serving.snapshot import ServedPlacement, Snapshot
from recommendations.store.serving.stock import Stock
from recommendations.terms import TASKS, CatalogueScope, Cut, Task, task_of


def batch(
    snapshot: Snapshot,
    placement: str,
    *,
    cut: Cut = Cut.TUNING,
    now: datetime,
    beside: BoolArray | None = None,
    length: int | None = None,
) -> Batch:
    """Who is asked on a cut of the snapshot's model, with truth; where nobody has any, a sample on the live cut.

    ``beside`` [stock] are the items in view to sample from, else what a customer bought last; ``length`` is how many
    items are asked for, else as many as the placement has. Raises UnknownPlacementError and NoModelError.
    """
    served = snapshot.placements.get(placement)
    if served is None:
        raise UnknownPlacementError(placement)
    served = replace(served, n=length or served.n)
    learned = model_under(snapshot)
    task = task_of(served.blend) if served.blend and served.scope is CatalogueScope.WHOLE else None
    ground = _ground(learned.version_id, learned.edition, cut, task, snapshot.stock) if task else None
    if ground is None:
        return sample(snapshot, served, now=now, beside=beside)
    weights = {key: one for key, one in snapshot.weights.items() if key.blend is served.blend}
    made_of = (ground, served, weights, snapshot.audiences)
    batches = _held()
    held = batches.get((placement, cut))
    if held is None or held[0] != made_of:
        held = batches[placement, cut] = (
            made_of,
            _of_everybody(replace(snapshot, model=ground.model), served, ground, cut=cut, now=now),
        )
    return held[1]


_held: HeldOfPeople[dict[tuple[str, Cut], tuple[object, Batch]]] = HeldOfPeople(dict)
"""The last batch of each placement with what it was made of."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Ground:
    """Data of a panel that do not change from one book or one set of weights to the next."""

    model: Model
    truth: Truth
    shop: Assortment
    records: Candidates  # of the truth's users
    rows: IntArray  # [users, candidates]: of the stock
    item_of: IntArray  # by row of the stock
    bought: Sparse  # users of the model × items
    segments: IntArray  # of the truth's users


@people_cache(3)
def _ground(version: int, _edition: int, cut: Cut, task: Task, stock: Stock) -> _Ground | None:
    """The ground of a task on a cut; None where nobody has any truth. Each edition of a version has its own."""
    return of_one_edition(version, lambda _now: _ground_of(version, cut, task, stock))


def _ground_of(version: int, cut: Cut, task: Task, stock: Stock) -> _Ground | None:
    learned = load_model(version, cut)
    truth = of_a_panel(version, load_truths(version, cut), learned.users)[task]
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


def _of_everybody(snapshot: Snapshot, placement: ServedPlacement, ground: _Ground, *, cut: Cut, now: datetime) -> Batch:
    """Batch of everybody with truth; ``snapshot`` has the model of the ground."""
    questions = list(_questions(snapshot, placement, ground))
    return Batch(
        placement=placement,
        cut=cut,
        questions=questions,
        answerer=Answerer(
            catalogue=shelf_of(snapshot, questions, placement=placement, now=now),
            fallbacks=lambda _question: fallback_chain(snapshot, candidate_source(ground.model), CustomerContext()),
        ),
        judge=Judge(truth=ground.truth, shop=ground.shop, item_of=ground.item_of),
    )


def _questions(snapshot: Snapshot, placement: ServedPlacement, ground: _Ground) -> Iterator[Question]:
    keys = ground.model.users.ids[ground.truth.users]
    customers, audiences = keys.tolist(), snapshot.audiences.of_each(keys)
    groups = list(zip(ground.segments.tolist(), audiences, strict=True))
    weighed = {
        group: _weighed(snapshot, placement, ground.records.instances, segment=group[0], audiences=group[1])
        for group in set(groups)
    }
    for place, (customer, user) in enumerate(zip(customers, ground.truth.users.tolist(), strict=True)):
        weights, params = weighed[groups[place]]
        there = ground.rows[place] >= 0
        yield Question(
            customer=customer,
            segment=groups[place][0],
            audiences=groups[place][1],
            context=NOTHING,
            rows=ground.rows[place, there],
            z=ground.records.z[place][:, there],
            weights=weights,
            params=replace(
                params,
                bought=known_items(snapshot.stock_rows[_columns(ground.bought, user)]),
                excluded=known_items(snapshot.stock_rows[_columns(ground.model.disliked, user)]),
            ),
        )


def _columns(matrix: Sparse, row: int) -> IntArray:
    """Columns of what is stored in a row; a hundred times as fast as taking the row out."""
    return np.asarray(matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]])


def _weighed(
    snapshot: Snapshot, placement: ServedPlacement, instances: Sequence[str], *, segment: int, audiences: Sequence[int]
) -> tuple[FloatArray, SelectionParams]:
    weights = None
    if placement.blend:
        weights = snapshot.weights_for(placement.blend, segment=segment, audiences=audiences)
    return weight_vector(instances, weights.weights if weights else {}), SelectionParams(
        n=placement.n,
        repeat=placement.repeat,
        exponents=weights.exponents if weights else {},
        diversity=placement.diversity_with(weights),
    )
