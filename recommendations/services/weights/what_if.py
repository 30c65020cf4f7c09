"""What-if of weights, before anybody publishes them: every customer of the tuning panel, measured and re-ranked.

The panel is the live version's tuning window: what customers bought in the weeks after the history that the
recommenders knew. Nothing is stored and nothing is served from here.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.feedback.tuning import ablation
from recommendations.engine.ranking.scores import Exponents
from recommendations.loop.gate import LEAST
from recommendations.models import BlendWeights, Group
from recommendations.services.weights.movers import Mover, changed_lists, context_movers, panel_movers
from recommendations.services.weights.panels import HeldPanel, PanelSettings, panels
from recommendations.services.weights.values import Values, shares, values_of
from recommendations.store.models import weight_versions
from recommendations.store.models.live_version import live_version
from recommendations.store.models.measurements import described_all
from recommendations.terms import BlendName, Cut, task_of


class Unmeasured(StrEnum):
    """Why there are no figures."""

    NO_MODEL = "no_model"  # no run of the loop has finished yet
    NO_TRUTH = "no_truth"  # the blend answers for items in view, and nothing says what would have been right
    NOBODY = "nobody"  # no customer (of the group) with a history bought anything in the tuning window
    TOO_FEW = "too_few"  # fewer than ``gate.LEAST`` of the group did


@dataclass(frozen=True, kw_only=True)
class WhatIfFigure:
    """A metric with 95 % intervals; ``against`` is the draft minus live, paired by customer.

    Coverage counts over everybody, so it has no interval: its lower and upper end are the value.
    """

    draft: Measure
    live: Measure
    against: Measure


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """What weights would do; ``figures`` by metric are empty where nothing measures the blend, ``unmeasured`` says why.

    For a blend of items in view the ``movers`` are answers to customers of the live model.
    """

    live: BlendWeights | None  # what is served, and compared with: the group's own where it has any
    users: int
    changed: int  # customers with another list
    length: int  # of the lists that are measured: as long as the shop asks for
    figures: Mapping[str, WhatIfFigure]
    movers: Sequence[Mover]
    unmeasured: Unmeasured | None
    took_ms: float


def what_if(*, blend: BlendName, weights: Mapping[str, Any], group: Group = None, **beside: Any) -> WhatIf:
    """Try values as a form has them (``values.values_of``); a ``group`` asks only its customers.

    Raises ValidationError by field, and ArtefactDamagedError.
    """
    started = time.perf_counter()
    live = weight_versions.served_weights(blend, group)
    draft = values_of(
        {"weights": weights, **beside}, blend=blend, otherwise=Values(weights={}), known=live.weights if live else ()
    )
    held = held_for(blend, group)
    if isinstance(held, Unmeasured):
        movers = context_movers(blend, draft, group=group) if held is Unmeasured.NO_TRUTH else []
        return WhatIf(
            live=live, users=0, changed=0, length=0, figures={}, movers=movers, unmeasured=held,
            took_ms=_since(started),
        )  # fmt: skip
    settings = PanelSettings.of(draft)
    compared = PanelSettings.of(Values.of(live)) if live else settings
    now, then, served = held.measured(settings), held.measured(compared), held.summary(compared)
    tried, against = now.beside(then, held.drawn)
    return WhatIf(
        live=live,
        users=len(held),
        changed=changed_lists(now, then),
        length=now.length,
        figures={name: WhatIfFigure(draft=tried[name], live=served[name], against=against[name]) for name in tried},
        movers=panel_movers(held, now, then),
        unmeasured=None,
        took_ms=_since(started),
    )


def worth(
    *, blend: BlendName, weights: Mapping[str, float], exponents: Exponents | None = None, group: Group = None
) -> Mapping[str, Measure]:
    """Accuracy with each weighted instance (and each lift) minus without it; empty where nothing measures."""
    held = held_for(blend, group)
    if isinstance(held, Unmeasured):
        return {}
    return ablation(held.panel, shares(weights), held.drawn, exponents=exponents)


def expected_effect(weights: BlendWeights, live: BlendWeights | None) -> dict[str, Any]:
    """Figures of the panel that a version keeps: its own, and against what it replaces; empty where unmeasured."""
    held = held_for(BlendName(weights.blend.name), weights.group)
    if isinstance(held, Unmeasured):
        return {}
    draft = PanelSettings.of(Values.of(weights))
    against = held.measured(draft).against(held.measured(PanelSettings.of(Values.of(live))), held.drawn) if live else {}
    return {
        "cut": Cut.TUNING, "users": len(held), "metrics": described_all(held.summary(draft)),
        "against_default": described_all(against),
    }  # fmt: skip


def held_for(blend: BlendName, group: Group) -> HeldPanel | Unmeasured:
    """The tuning panel that speaks of the blend (of the group's customers), or why there is none."""
    task, version = task_of(blend), live_version()
    if task is None:
        return Unmeasured.NO_TRUTH
    if version is None:
        return Unmeasured.NO_MODEL
    held = panels().of(version, task)
    part = held.part(group) if held else None
    if not part:
        return Unmeasured.NOBODY
    return Unmeasured.TOO_FEW if group and len(part) < LEAST else part


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
