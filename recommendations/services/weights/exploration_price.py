"""What exploring costs before anybody explores: accuracy of the panel, clicks by past answers, money."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import Sum
from django.utils import timezone

from recommendations.engine.ranking.exploration import EXPLORED_SLOTS, chances
from recommendations.models import DraftEstimate, Group, Placement, PlacementDay
from recommendations.services.weights.panels import PanelSettings
from recommendations.services.weights.values import Values
from recommendations.services.weights.what_if import Unmeasured, held_for
from recommendations.terms import BlendName

WEEKS = 4


@dataclass(frozen=True, kw_only=True)
class ExplorationPrice:
    """Price of exploring as shares; None where nothing tells it.

    ``explored``: share of the answers that are not as ranked. ``weekly``: attributed revenue of a week, of which the
    price in clicks is a part. The days are those in which the last estimate would be told to ± 5 % of the clicks.
    """

    explored: float
    accuracy: float | None
    clicks: float | None
    weekly: float | None
    log_days: float | None
    test_days: float | None


def exploration_price(*, blend: BlendName, group: Group, values: Values, now: datetime) -> ExplorationPrice:
    """The price of the values' exploration under their weights."""
    shuffled, cards = values.exploration, values.cards
    last = _last_result(blend)
    looks, tools = last.get("looks"), last.get("tools") or {}
    return ExplorationPrice(
        explored=shuffled + (1 - shuffled) * (1 - (1 - cards) ** EXPLORED_SLOTS),
        accuracy=_of_accuracy(blend, group, values),
        clicks=_of_clicks(looks["attention"], looks["relevance"], shuffled, cards) if looks else None,
        weekly=_weekly(blend, now=now),
        log_days=tools.get("log_days"),
        test_days=tools.get("test_days"),
    )


def _of_accuracy(blend: BlendName, group: Group, values: Values) -> float | None:
    held = held_for(blend, group)
    if isinstance(held, Unmeasured):
        return None
    settings = PanelSettings.of(values)
    plain, explored = (
        float(
            held.panel.explored(
                dict(settings.weights), shuffled=shuffled, cards=cards, exponents=dict(settings.exponents),
                diversity=settings.diversity,
            ).mean()
        )
        for shuffled, cards in ((0.0, 0.0), (values.exploration, values.cards))
    )  # fmt: skip
    return 1 - explored / plain if plain else None


def _of_clicks(attention: list[float], relevance: list[float], shuffled: float, cards: float) -> float | None:
    """Share of the clicks that is lost, by what past answers tell of each slot and place."""
    q, r = np.array(attention), np.array(relevance)
    plain = float(r[: len(q)] @ q[: len(r)])
    if not plain:
        return None
    table = chances(len(q), shuffled=shuffled, cards=cards, ranked=len(r))
    return 1 - float(r @ (table @ q[: table.shape[1]])) / plain


def _last_result(blend: BlendName) -> dict[str, Any]:
    """Figures of the last estimate of any draft of the blend that tells clicks by place; empty where there is none."""
    told = DraftEstimate.objects.succeeded().filter(draft__blend__name=blend, result__has_key="looks")
    result: dict[str, Any] | None = told.values_list("result", flat=True).first()
    return result or {}


def _weekly(blend: BlendName, *, now: datetime) -> float | None:
    """Attributed revenue of a week at the placements of the blend, replayed answers apart."""
    last = timezone.localdate(now)
    days = PlacementDay.objects.filter(
        day__gt=last - timedelta(weeks=WEEKS), day__lte=last, position=0, replay=False,
        placement__in=Placement.objects.filter(blend__name=blend).values("name"),
    )  # fmt: skip
    revenue = days.aggregate(revenue=Sum("revenue"))["revenue"]
    return float(revenue) / WEEKS if revenue else None
