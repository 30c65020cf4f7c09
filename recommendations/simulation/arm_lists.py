"""Lists of a sample of customers under each arm of an experiment, by the function that serves; nothing is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray
from recommendations.engine.rng import generator
from recommendations.models import Arm
from recommendations.serving.pipeline import recommend
from recommendations.serving.types import Answer, ResolvedRequest
from recommendations.simulation.live_sample import NoModelError, in_view
from recommendations.store.live import fetch
from recommendations.store.serving.served_experiments import served_arm
from recommendations.store.serving.snapshot import Snapshot

CUSTOMERS = 300


class NobodyToAskError(Exception):
    """None of the customers whom the model knows may be in the experiment."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ArmLists:
    """Keys of the items of each list [arms, customers, slots], −1 beyond its end, and which are not the model's."""

    items: NDArray[np.int64]
    fallback: BoolArray


def arm_lists(
    snapshot: Snapshot,
    arms: Sequence[Arm],
    *,
    placement: str,
    segments: Sequence[int],
    seed: int,
    now: datetime,
    progress: Callable[[float], None],
) -> ArmLists:
    """Ask for the lists of customers drawn by the seed, of some segments or of all, without exploration.

    Raises NoModelError, NobodyToAskError and UnknownPlacementError.
    """
    learned = snapshot.model
    if learned is None:
        raise NoModelError
    plain = replace(snapshot, experiments=())  # with a memory of its own of what arms change
    under = [plain.under((served_arm(arm, plain.placements, plain.pages),)) for arm in arms]
    slots = max((each.placements[placement].n for each in under if placement in each.placements), default=0)
    rows = _drawn(plain, segments, seed=seed)
    items = np.full((len(arms), len(rows), slots), -1, np.int64)
    fallback = np.zeros((len(arms), len(rows)), np.bool_)
    for place, row in enumerate(rows):
        customer = int(learned.users.ids[row])
        state = fetch.state_of(customer, since=learned.as_of).state
        for at, each in enumerate(under):
            context = (
                in_view(each, row) if placement in each.placements and each.placements[placement].needs_context else ()
            )
            request = ResolvedRequest(
                placement=placement, customer=customer, context_items=context, explore=False, explain=False
            )
            answer = recommend(request, snapshot=each, state=state, now=now)
            keys = _keys(answer)
            items[at, place, : len(keys)] = keys
            fallback[at, place] = answer.fallback_reason is not None
        progress((place + 1) / len(rows))
    return ArmLists(items=items, fallback=fallback)


def _drawn(snapshot: Snapshot, segments: Sequence[int], *, seed: int) -> list[int]:
    """Rows of the model's customers; who objects to personal answers is in no experiment."""
    learned = snapshot.model
    if learned is None:
        raise NoModelError
    eligible = ~np.isin(learned.users.ids, list(snapshot.objectors))
    if segments:
        eligible &= np.isin(learned.segments, segments)
    rows: list[int] = generator(seed, "practice").permutation(np.flatnonzero(eligible))[:CUSTOMERS].tolist()
    if not rows:
        raise NobodyToAskError
    return rows


def _keys(answer: Answer) -> list[int]:
    return [one.item for one in answer.shown]
