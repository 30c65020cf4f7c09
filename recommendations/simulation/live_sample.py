"""Sample of the live model's customers, as they would be now, for where no truth says what would have been right."""

from dataclasses import replace
from datetime import datetime

import numpy as np

from recommendations.engine.frames import BoolArray
from recommendations.engine.ranking.candidates import weight_vector
from recommendations.engine.ranking.selection import NOTHING
from recommendations.engine.rng import generator
from recommendations.serving.candidates import candidate_source
from recommendations.serving.pipeline import NO_WEIGHTS, NO_Z, Prepared, prepare
from recommendations.serving.types import ResolvedRequest
from recommendations.simulation.rerank import Answerer, Batch, Question, known_items, shelf_of
from recommendations.store.live import fetch
from recommendations.store.models.model import Model
from recommendations.store.serving.snapshot import ServedPlacement, Snapshot
from recommendations.terms import Cut

SAMPLE = 64


class NoModelError(Exception):
    """No run of the loop has finished yet: nobody can be asked."""


def model_under(snapshot: Snapshot) -> Model:
    """The model that answers of the snapshot are made of. Raises NoModelError."""
    if snapshot.model is None:
        raise NoModelError
    return snapshot.model


def sample(snapshot: Snapshot, placement: ServedPlacement, *, now: datetime, beside: BoolArray | None) -> Batch:
    """Batch of customers of the live model, the same ones every time."""
    learned = model_under(snapshot)
    drawn = generator(0, "batch").permutation(len(learned.users))[:SAMPLE]
    by_question: dict[Question, Prepared] = {}
    for row in np.sort(drawn).tolist():
        customer = int(learned.users.ids[row])
        request = ResolvedRequest(
            placement=placement.name,
            n=placement.n,
            customer=customer,
            context_items=in_view(snapshot, row, beside) if placement.needs_context else (),
            explore=False,
        )
        state = fetch.state_of(customer, since=learned.as_of).state
        prepared = prepare(request, snapshot=snapshot, state=state, now=now)
        by_question[_question(prepared)] = prepared
    return Batch(
        placement=placement,
        cut=Cut.LIVE,
        questions=list(by_question),
        answerer=Answerer(
            catalogue=shelf_of(snapshot, list(by_question), placement=placement, now=now),
            fallbacks=lambda question: iter(by_question[question].fallbacks()),
        ),
        judge=None,
    )


def _question(found: Prepared) -> Question:
    pool, stock_rows = found.chosen.pool, found.snapshot.stock_rows
    rows = NOTHING if pool is None else stock_rows[pool.items]
    context = found.snapshot.stock.ids.rows(np.array(found.request.context_items, np.int64))
    return Question(
        customer=found.request.customer or 0,
        segment=found.customer.segment,
        audiences=found.customer.audiences,
        context=known_items(context),
        rows=rows[rows >= 0],
        z=NO_Z if pool is None else pool.z[:, rows >= 0],
        weights=NO_WEIGHTS if pool is None else weight_vector(pool.instances, found.chosen.weights),
        params=replace(found.params, rules=()),
    )


def in_view(snapshot: Snapshot, row: int, beside: BoolArray | None = None) -> tuple[int, ...]:
    """The item (primary key) that a customer of the model is looking at, as an example; always the same one.

    One of ``beside`` [stock], the items most asked for, else the one that was bought last.
    """
    learned = model_under(snapshot)
    candidates = candidate_source(learned)
    if beside is not None:
        rows = snapshot.stock_rows[candidates.popular]
        wanted = candidates.popular[(rows >= 0) & beside[rows]][:SAMPLE]
        return (int(learned.items.ids[wanted[row % len(wanted)]]),) if len(wanted) else ()
    history = candidates.history_of(row)
    return (int(learned.items.ids[history.rows[int(np.argmax(history.last))]]),) if len(history.rows) else ()
