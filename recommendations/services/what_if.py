"""What weights would do, before anybody publishes them: every customer of the tuning panel, measured and re-ranked.

The panel is the live version's tuning window: what customers bought in the weeks after the history that the
recommenders knew. Nothing is stored and nothing is served from here.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.evaluation.measures import COVERAGE
from recommendations.engine.evaluation.panel import Measured
from recommendations.engine.feedback.tuning import ablation
from recommendations.engine.frames import IntArray
from recommendations.loop.gate import task_of
from recommendations.models import BlendWeights, Segment
from recommendations.services.panels import Held, Settings, panels
from recommendations.services.weight_values import Values, shares
from recommendations.store import blending
from recommendations.store.measurements import described_all
from recommendations.store.versions import live_version
from recommendations.terms import BlendName, Cut

SHOWN = 10
MOST_CHANGED = 2
FIXED = (0.98, 0.75, 0.5, 0.1)
"""Of the panel's customers in order of their baskets: those whose lists are always shown."""


class Unmeasured(StrEnum):
    """Why there are no figures."""

    NO_MODEL = "no_model"  # no turn of the loop has finished yet
    NO_TRUTH = "no_truth"  # the blend answers for items in view, and nothing says what would have been right
    NOBODY = "nobody"  # no customer (of the segment) with a history bought anything in the tuning window


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A metric with 95 % intervals; ``against`` is the draft minus live, paired by customer.

    Coverage counts over everybody, so it has no interval: its lower and upper end are the value.
    """

    draft: Measure
    live: Measure
    against: Measure


@dataclass(frozen=True, kw_only=True)
class Place:
    """An item of a list; places count from 1, None: below the first 20."""

    item: int
    was: int | None
    now: int | None


@dataclass(frozen=True, kw_only=True)
class Mover:
    """A customer's first ten under live and under the draft. ``replaced``: how many of the ten are others now."""

    customer: int
    baskets: int  # before the window
    segment: int | None  # number
    live: Sequence[Place]
    draft: Sequence[Place]
    replaced: int


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """``figures`` by metric are empty where nothing measures the blend; ``unmeasured`` says why."""

    model_version: int | None
    live: BlendWeights | None  # what is served, and compared with: the segment's own where it has any
    users: int
    changed: int  # customers with another first ten
    figures: Mapping[str, Figure]
    movers: Sequence[Mover]
    unmeasured: Unmeasured | None
    took_ms: float


def what_if(
    *,
    blend: BlendName,
    weights: Mapping[str, float],
    diversity: float = 0.0,
    promotion: float = 0.0,
    segment: Segment | None = None,
) -> WhatIf:
    """``weights`` in any unit: they count as shares of their sum. A ``segment`` asks only its customers."""
    started = time.perf_counter()
    live = blending.served_weights(blend, segment)
    draft = Values(weights=shares(weights), diversity=diversity, promotion=promotion)
    held = held_for(blend, segment)
    if isinstance(held, Unmeasured):
        return WhatIf(
            model_version=None, live=live, users=0, changed=0, figures={}, movers=(), unmeasured=held,
            took_ms=_since(started),
        )  # fmt: skip
    now = held.measured(Settings.of(draft))
    then = held.measured(Settings.of(Values.of(live))) if live else now
    replaced = _replaced(now.ranked[:, :SHOWN], then.ranked[:, :SHOWN])
    return WhatIf(
        model_version=held.version,
        live=live,
        users=len(held),
        changed=int(np.count_nonzero((now.ranked[:, :SHOWN] != then.ranked[:, :SHOWN]).any(axis=1))),
        figures=_figures(held, now, then),
        movers=[_mover(held, row, now, then, replaced=int(replaced[row])) for row in _chosen(held, replaced)],
        unmeasured=None,
        took_ms=_since(started),
    )


def worth(
    *, blend: BlendName, weights: Mapping[str, float], promotion: float = 0.0, segment: Segment | None = None
) -> Mapping[str, Measure]:
    """NDCG@10 with each weighted instance (and the promotion plan) minus without it; empty where nothing measures."""
    held = held_for(blend, segment)
    if isinstance(held, Unmeasured):
        return {}
    return ablation(held.panel, shares(weights), held.drawn, promotion=promotion)


def expected_effect(weights: BlendWeights, live: BlendWeights | None) -> dict[str, Any]:
    """What a version keeps of the panel: its figures, and those against what it replaces; empty where unmeasured."""
    held = held_for(BlendName(weights.blend.name), weights.segment)
    if isinstance(held, Unmeasured):
        return {}
    draft = Settings.of(Values.of(weights))
    against = held.measured(draft).against(held.measured(Settings.of(Values.of(live))), held.drawn) if live else {}
    return {
        "cut": Cut.TUNING, "users": len(held), "metrics": described_all(held.summary(draft)),
        "against_default": described_all(against),
    }  # fmt: skip


def held_for(blend: BlendName, segment: Segment | None) -> Held | Unmeasured:
    """The tuning panel that speaks of the blend (of the segment's customers), or why there is none."""
    task, version = task_of(blend), live_version()
    if task is None:
        return Unmeasured.NO_TRUTH
    if version is None:
        return Unmeasured.NO_MODEL
    held = panels().of(version, task)
    part = held.part(segment.number if segment else None) if held else None
    return part or Unmeasured.NOBODY


def _figures(held: Held, now: Measured, then: Measured) -> dict[str, Figure]:
    draft, live, pairs = now.summary(held.drawn), then.summary(held.drawn), now.against(then, held.drawn)
    covered = draft[COVERAGE].value - live[COVERAGE].value
    pairs[COVERAGE] = Measure(covered, covered, covered)
    return {name: Figure(draft=draft[name], live=live[name], against=pairs[name]) for name in draft}


def _replaced(now: IntArray, then: IntArray) -> IntArray:
    """How many items of each first ten were not in the other one."""
    kept = (now[:, :, None] == then[:, None, :]).any(axis=2) | (now < 0)
    return np.asarray(np.count_nonzero(~kept, axis=1), np.int32)


def _chosen(held: Held, replaced: IntArray) -> list[int]:
    """Rows of customers from many baskets to few, then those whose lists change most; each of them once."""
    order = np.argsort(held.baskets, kind="stable")
    fixed = [int(order[round(share * (len(order) - 1))]) for share in FIXED]
    changed = np.argsort(-replaced, kind="stable")[: len(FIXED) + MOST_CHANGED].tolist()
    return list(dict.fromkeys([*fixed, *changed]))[: len(FIXED) + MOST_CHANGED]


def _mover(held: Held, row: int, now: Measured, then: Measured, *, replaced: int) -> Mover:
    lists = [[int(held.items[item]) for item in one.ranked[row] if item >= 0] for one in (then, now)]
    was, is_ = ({item: place for place, item in enumerate(items, start=1)} for items in lists)
    live, draft = ([Place(item=item, was=was.get(item), now=is_.get(item)) for item in one[:SHOWN]] for one in lists)
    number = int(held.segments[row])
    return Mover(
        customer=int(held.customers[row]), baskets=int(held.baskets[row]), segment=number if number >= 0 else None,
        live=live, draft=draft, replaced=replaced,
    )  # fmt: skip


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
