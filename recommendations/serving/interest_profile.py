"""Interest profile of a customer, and the counts behind it (``maths.md`` §2), from the memory of the process."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import FloatArray, Interactions, Sparse
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
    customer = customer_key(held.customers, user_id, kind=CustomerKind.SIGNED_IN)
    reading = fetch.state_of(customer, since=held.model.as_of if held.model else None)
    snapshot = snapshot_holder().current(reading.changed)
    candidates = candidate_source(snapshot.model) if snapshot.model else None
    request = ResolvedRequest(placement="", customer=customer)
    context = context_of(request, NOWHERE, snapshot=snapshot, candidates=candidates, state=reading.state, now=now)
    history = context.history
    name = snapshot.names.segments.get(context.segment)
    return InterestProfile(
        known=history is not None,
        personalised=history is not None,
        why_not=context.why_not,
        model_version=snapshot.model.version_id if snapshot.model else None,
        as_of=datetime.fromtimestamp(history.until, UTC) if history else None,
        segment=None if context.segment == NOBODY or name is None else (context.segment, name),
        categories=_categories(history, candidates, snapshot, most=most) if history and candidates else (),
        brands=_brands(history, candidates, snapshot, most=most) if history and candidates else (),
    )


def _categories(history: History, candidates: CandidateSource, snapshot: Snapshot, *, most: int) -> list[Interest]:
    names = snapshot.names.categories
    called = [names.get(key, ("", "")) for key in candidates.model.categories.ids.tolist()]
    return _interests(history, candidates.model, candidates.model.training.catalogue.categories, called, most=most)


def _brands(history: History, candidates: CandidateSource, snapshot: Snapshot, *, most: int) -> list[Interest]:
    stock, rows = snapshot.stock, snapshot.stock_rows
    there = np.flatnonzero(rows >= 0)
    codes = stock.column("brand")[rows[there]]
    shape = (len(rows), len(stock.brands))
    members = sparse.csr_matrix((np.ones(len(there), np.float32), (there, codes)), shape=shape, dtype=np.float32)
    return _interests(
        history, candidates.model, members, [(str(brand), str(brand)) for brand in stock.brands], most=most
    )


def _interests(
    history: History, model: Model, members: Sparse, called: Sequence[tuple[str, str]], *, most: int
) -> list[Interest]:
    """The ``most`` largest named groups by share; ``members`` [items, groups], ``called`` path and name of each."""
    acts = history.query.histories
    shares, usual = [], []
    for half_life in HALF_LIVES:
        prior = global_share(interest_weights(_everybody(model, half_life), members))
        weights = interest_weights(act_weights(acts, half_life=half_life), members)
        shares.append(interest_shares(weights, prior=prior, strength=SHRINKAGE[half_life])[0])
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


@lru_cache(maxsize=4)
def _everybody(model: Model, half_life: int) -> Sparse:
    """Weight of everybody's acts on each item, as one row."""
    weights = act_weights(model.training.teaching, half_life=half_life)
    return sparse.csr_matrix(weights.sum(axis=0, dtype=np.float64).astype(np.float32))


def _counts(acts: Interactions, members: Sparse) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]:
    """Count purchases and other acts of each group, and the age in days of the last."""
    of_acts = members[acts.item].tocoo()
    act, group = of_acts.row[of_acts.data > 0], of_acts.col[of_acts.data > 0]
    last = np.full(members.shape[1], np.inf, np.float32)
    np.minimum.at(last, group, acts.age[act])
    bought = np.bincount(group[acts.bought[act]], minlength=members.shape[1])
    others = np.bincount(group[~acts.bought[act]], minlength=members.shape[1])
    return bought, others, last
