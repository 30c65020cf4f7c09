"""Interest profile of a customer, and the counts behind it (``maths.md`` §2), from the memory of the process."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import FloatArray, Interactions, Sparse
from recommendations.engine.interests.dislikes import Dislikes
from recommendations.engine.interests.profile import (
    HALF_LIVES,
    SHRINKAGE,
    global_share,
    interest_shares,
    interest_weights,
)
from recommendations.engine.preprocess.weighting import act_weights
from recommendations.serving.candidates import CandidateSource, candidate_source
from recommendations.serving.customer_context import NOBODY, context_of
from recommendations.serving.history import DAY, History
from recommendations.serving.types import ResolvedRequest
from recommendations.store.events.known_customers import customer_key
from recommendations.store.live import fetch
from recommendations.store.live.state import LiveState
from recommendations.store.models.held_by_model import held_by_model
from recommendations.store.models.model import Model
from recommendations.store.serving.snapshot import ServedPlacement, Snapshot
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import CatalogueScope, CustomerKind, Fallback, Repeat

NOWHERE = ServedPlacement(
    name="", blend=None, repeat=Repeat.ALLOW, needs_context=False, scope=CatalogueScope.WHOLE, n=1, cool_down=0.0,
    diversity=None, explores=False,
)  # fmt: skip


class Interest(NamedTuple):
    """Interest in a group: shares of all acts, shrunk towards what is usual; counts of items in baskets or views."""

    name: str
    path: str  # the same as the name where there is none
    share: float  # with the longer half-life
    lately: float  # with the shorter one
    usual: float  # of everybody, with the longer half-life
    purchases: int
    other_acts: int
    last_at: datetime


@dataclass(frozen=True, kw_only=True)
class InterestProfile:
    known: bool  # that the customer did something
    personalised: bool
    why_not: Fallback | None
    model_version: int | None
    as_of: datetime | None  # what came later is not counted
    segment: tuple[int, str] | None  # number, name
    categories: Sequence[Interest]
    brands: Sequence[Interest]


def interest_profile(user_id: str, *, most: int, now: datetime) -> InterestProfile:
    """Profile of a signed-in customer: the ``most`` largest categories and brands by share. Raises NotLoadedError."""
    held = snapshot_holder().any()
    seen, customer = held.changed, _customer(held, user_id)
    reading = fetch.state_of(customer, since=held.model.as_of if held.model else None)
    snapshot = snapshot_holder().current(reading.changed)
    if snapshot.changed is not seen and (other := _customer(snapshot, user_id)) != customer:
        customer, reading = other, fetch.state_of(other, since=snapshot.model.as_of if snapshot.model else None)
    candidates = candidate_source(snapshot.model) if snapshot.model else None
    request = ResolvedRequest(placement="", customer=customer)
    context = context_of(request, NOWHERE, snapshot=snapshot, candidates=candidates, state=reading.state, now=now)
    history = context.history
    groups: list[Sequence[Interest]] = [(), ()]
    if history and candidates:
        dislikes = _dislikes(candidates, reading.state, row=context.row, now=now)
        groups = [each(history, dislikes, candidates, snapshot, most=most) for each in (_categories, _brands)]
    name = snapshot.names.segments.get(context.segment)
    return InterestProfile(
        known=history is not None,
        personalised=history is not None,
        why_not=context.why_not,
        model_version=snapshot.model.version_id if snapshot.model else None,
        as_of=datetime.fromtimestamp(history.until, UTC) if history else None,
        segment=None if context.segment == NOBODY or name is None else (context.segment, name),
        categories=groups[0],
        brands=groups[1],
    )


def _customer(held: Snapshot, user_id: str) -> int | None:
    return customer_key(held.customers, user_id, kind=CustomerKind.SIGNED_IN, layers=held.layers, gone=held.gone)


def _dislikes(candidates: CandidateSource, state: LiveState, *, row: int, now: datetime) -> Dislikes:
    """What one customer disliked, before the model's end and since, with its age now, in the rows of the model."""
    model, at = candidates.model, now.timestamp()
    ages: dict[int, float] = {}
    if row != NOBODY:
        first, end = model.disliked.indptr[row : row + 2]
        since = max(at - model.as_of.timestamp(), 0) / DAY
        pairs = zip(model.disliked.indices[first:end].tolist(), model.disliked.data[first:end].tolist(), strict=True)
        ages = {item: days - 1 + since for item, days in pairs}
    items = list(state.disliked)
    for item, key in zip(model.items.rows(np.array(items, np.int64)).tolist(), items, strict=True):
        if item >= 0:
            days = max(at - state.disliked[key], 0) / DAY
            ages[item] = min(days, ages.get(item, days))
    return Dislikes(
        user=np.zeros(len(ages), np.int32), item=np.array(list(ages), np.int32),
        age=np.array(list(ages.values()), np.float32), n_users=1, n_items=len(model.items),
    )  # fmt: skip


def _categories(
    history: History, dislikes: Dislikes, candidates: CandidateSource, snapshot: Snapshot, *, most: int
) -> list[Interest]:
    names = snapshot.names.categories
    called = [names.get(key, ("", "")) for key in candidates.model.categories.ids.tolist()]
    members = candidates.model.training.catalogue.categories
    return _interests(history, dislikes, candidates.model, members, called, most=most)


def _brands(
    history: History, dislikes: Dislikes, candidates: CandidateSource, snapshot: Snapshot, *, most: int
) -> list[Interest]:
    stock, rows = snapshot.stock, snapshot.stock_rows
    there = np.flatnonzero(rows >= 0)
    codes = stock.column("brand")[rows[there]]
    shape = (len(rows), len(stock.brands))
    members = sparse.csr_matrix((np.ones(len(there), np.float32), (there, codes)), shape=shape, dtype=np.float32)
    called = [(str(brand), str(brand)) for brand in stock.brands]
    return _interests(history, dislikes, candidates.model, members, called, most=most)


def _interests(
    history: History,
    dislikes: Dislikes,
    model: Model,
    members: Sparse,
    called: Sequence[tuple[str, str]],
    *,
    most: int,
) -> list[Interest]:
    """The ``most`` largest named groups by share; ``members`` [items, groups], ``called`` path and name of each."""
    acts = history.query.histories
    shares, usual = [], []
    for half_life in HALF_LIVES:
        prior = global_share(interest_weights(_everybody(model, half_life), members))
        weights = interest_weights(act_weights(acts, half_life=half_life), members)
        weights = dislikes.lessened(weights, members, half_life=half_life)
        own = interest_shares(weights, prior=prior, strength=SHRINKAGE[half_life])
        shares.append(dislikes.halved(own, members)[0])
        usual.append(prior)
    bought, others, last = _counts(acts, members)
    groups = [at for at in np.argsort(-shares[0], kind="stable").tolist() if bought[at] + others[at] and called[at][1]]
    return [
        Interest(
            path=called[at][0],
            name=called[at][1],
            share=float(shares[0][at]),
            lately=float(shares[1][at]),
            usual=float(usual[0][at]),
            purchases=int(bought[at]),
            other_acts=int(others[at]),
            last_at=datetime.fromtimestamp(history.until - float(last[at]) * DAY, UTC),
        )
        for at in groups[:most]
    ]


@held_by_model
def _everybody(model: Model, half_life: int) -> Sparse:
    """Weight of everybody's acts on each item, as one row."""
    return sparse.csr_matrix(candidate_source(model).sums.weights[half_life][None])


def _counts(acts: Interactions, members: Sparse) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]:
    """Count purchases and other acts of each group, and the age in days of the last."""
    of_acts = members[acts.item].tocoo()
    act, group = of_acts.row[of_acts.data > 0], of_acts.col[of_acts.data > 0]
    last = np.full(members.shape[1], np.inf, np.float32)
    np.minimum.at(last, group, acts.age[act])
    bought = np.bincount(group[acts.bought[act]], minlength=members.shape[1])
    others = np.bincount(group[~acts.bought[act]], minlength=members.shape[1])
    return bought, others, last
