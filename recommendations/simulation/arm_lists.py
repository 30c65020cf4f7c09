"""Lists of a sample of customers under each arm of an experiment, by the functions that serve; nothing is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray
from recommendations.engine.rng import generator
from recommendations.models import Arm
from recommendations.serving.page import UnknownPageError, prepare_page, share_out
from recommendations.serving.pipeline import UnknownPlacementError, recommend
from recommendations.serving.types import Answer, ResolvedRequest
from recommendations.simulation.live_sample import in_view, model_under
from recommendations.store.live import fetch
from recommendations.store.live.state import LiveState
from recommendations.store.serving.served_experiments import served_arm
from recommendations.store.serving.snapshot import ServedSlot, Snapshot

CUSTOMERS = 300

type Slots = Sequence[tuple[str, int]]
"""Placements whose lists are asked for together, each with the most items that it shows."""


class NobodyToAskError(Exception):
    """None of the customers whom the model knows may be in the experiment."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ArmLists:
    """Keys of the items of each list [arms, customers, slots], −1 beyond its end, and which are not the model's.

    Of a page the lists stand one after another, as its arm orders them; it is not the model's where none of them is.
    ``levels`` and ``places`` [arms, slots] are where the list of a slot stands on the page, and the slot in its list,
    from 1.
    """

    items: NDArray[np.int64]
    fallback: BoolArray
    levels: NDArray[np.int64]
    places: NDArray[np.int64]

    @property
    def same(self) -> list[int]:
        """Positions of the arms that give all customers the control's lists, at its places."""
        parts = (self.items, self.levels, self.places)
        return [arm for arm in range(1, len(self.items)) if all(np.array_equal(each[arm], each[0]) for each in parts)]


def arm_lists(
    snapshot: Snapshot,
    arms: Sequence[Arm],
    *,
    placement: str,
    page: str = "",
    segments: Sequence[int],
    seed: int,
    now: datetime,
    progress: Callable[[float], None],
) -> ArmLists:
    """Ask for the lists of customers drawn by the seed, of some segments or of all, without exploration: those of a
    placement, or of a whole page where one is named.

    Raises NoModelError, NobodyToAskError, UnknownPlacementError and UnknownPageError.
    """
    learned = model_under(snapshot)
    plain = replace(snapshot, experiments=())  # with a memory of its own of what arms change
    under = [plain.under((served_arm(arm, plain.placements, plain.pages),)) for arm in arms]
    asked = [slots_of(each, placement=placement, page=page) for each in under]
    rows = draw_customers(plain, segments, seed=seed)[:CUSTOMERS]
    width = max(sum(n for _name, n in slots) for slots in asked)
    items = np.full((len(arms), len(rows), width), -1, np.int64)
    fallback = np.zeros((len(arms), len(rows)), np.bool_)
    for place, row in enumerate(rows):
        state = fetch.state_of(int(learned.users.ids[row]), since=learned.as_of).state
        for at, (each, slots) in enumerate(zip(under, asked, strict=True)):
            answers = answers_of(each, slots, row=row, state=state, now=now)
            items[at, place] = _in_a_row(answers, slots, width=width)
            fallback[at, place] = all(answer.fallback_reason is not None for answer in answers)
        progress((place + 1) / len(rows))
    own = [_placed(slots, width=width) for slots in asked]
    return ArmLists(
        items=items, fallback=fallback, levels=np.stack([levels for levels, _places in own]),
        places=np.stack([places for _levels, places in own]),
    )  # fmt: skip


def slots_of(snapshot: Snapshot, *, placement: str = "", page: str = "") -> Slots:
    """What is asked for: the placement, or all placements of the page, in its order.

    Raises UnknownPlacementError and UnknownPageError.
    """
    slots = snapshot.pages.get(page) if page else [ServedSlot(placement=placement, n=None)]
    if not slots:
        raise UnknownPageError(page)
    unknown = [slot.placement for slot in slots if slot.placement not in snapshot.placements]
    if unknown:
        raise UnknownPlacementError(unknown[0])
    return [(slot.placement, slot.n or snapshot.placements[slot.placement].n) for slot in slots]


def answers_of(
    snapshot: Snapshot, slots: Slots, *, row: int, state: LiveState, now: datetime, explore: bool = False
) -> list[Answer]:
    """Answers to a customer (a row of the model), each list without what stands above it; exploring is by their key.

    Raises NoModelError.
    """
    customer = int(model_under(snapshot).users.ids[row])
    requests = [
        ResolvedRequest(
            placement=name, n=n, customer=customer, explore=explore, explain=False, recommendation_id=str(customer),
            context_items=in_view(snapshot, row) if snapshot.placements[name].needs_context else (),
        )
        for name, n in slots
    ]  # fmt: skip
    if len(requests) == 1:
        return [recommend(requests[0], snapshot=snapshot, state=state, now=now)]
    return share_out(prepare_page(requests, snapshots=[snapshot] * len(requests), state=state, now=now))


def draw_customers(snapshot: Snapshot, segments: Sequence[int], *, seed: int) -> list[int]:
    """Rows of the model's customers in an order by the seed; who objects to personal answers is in no experiment.

    Raises NoModelError and NobodyToAskError.
    """
    learned = model_under(snapshot)
    eligible = ~np.isin(learned.users.ids, list(snapshot.objectors))
    if segments:
        eligible &= np.isin(learned.segments, segments)
    rows: list[int] = generator(seed, "practice").permutation(np.flatnonzero(eligible)).tolist()
    if not rows:
        raise NobodyToAskError
    return rows


def _in_a_row(answers: Sequence[Answer], slots: Slots, *, width: int) -> NDArray[np.int64]:
    """Keys of the items of all lists, each with room for its most."""
    items, start = np.full(width, -1, np.int64), 0
    for answer, (_name, n) in zip(answers, slots, strict=True):
        keys = [one.item for one in answer.shown]
        items[start : start + len(keys)] = keys
        start += n
    return items


def _placed(slots: Slots, *, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the lists on the page and of the slots in their lists, 1 beyond the end."""
    levels, places, start = np.ones(width, np.int64), np.ones(width, np.int64), 0
    for level, (_name, n) in enumerate(slots, 1):
        levels[start : start + n], places[start : start + n] = level, np.arange(1, n + 1)
        start += n
    return levels, places
