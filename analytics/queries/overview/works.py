"""How well the live model's lists foresee what customers buy, in a person's words, beside lists that need no model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.queries.quality.headline import HITS, Gain, gain
from analytics.queries.quality.leader_table import HYBRID, PERSONAL, POPULAR, RECENT, Quality, main
from analytics.queries.quality.rivals import RIVALS, best_rival, better_words
from analytics.templatetags.display import Direction, share, signed_share
from recommendations.models import Measurement
from recommendations.terms import Task

ROWS: Mapping[str, Promise] = {
    HYBRID: gettext_lazy("Recsite"),
    PERSONAL: gettext_lazy("What they always buy"),
    RECENT: gettext_lazy("Recent best sellers"),
    POPULAR: gettext_lazy("Best sellers"),
}


@dataclass(frozen=True, kw_only=True)
class HitsBar:
    """One list by how many of 100 customers find something in it that they buy."""

    words: str
    hits: float
    ours: bool


@dataclass(frozen=True, kw_only=True)
class Works:
    """A task of the live model: what of 100 customers find something, and the gain over the best other list."""

    task: Task
    hits: float | None
    hits_interval: str
    better: str
    better_interval: str
    direction: Direction
    bars: Sequence[HitsBar]
    users: int
    start: datetime
    days: int


def works(quality: Quality) -> Works | None:
    """What the table of a task says in short; None without the hybrid."""
    hybrid = quality.hybrid
    if hybrid is None:
        return None
    others = [row for row in map(quality.named, RIVALS) if row]
    rival = best_rival(others)
    gained = gain(hybrid, rival) if rival else None
    hits = hybrid.metrics.get(HITS)
    return Works(
        task=quality.task,
        hits=hits and 100 * hits["value"],
        hits_interval=_interval(share(hits["low"], 1), share(hits["high"], 1)) if hits else "",
        better=better_words(gained, rival.name) if gained and rival else "",
        better_interval=_gain_interval(gained),
        direction=gained.direction if gained else Direction.UNCLEAR,
        bars=_bars([hybrid, *others]),
        users=quality.evaluation.users,
        start=quality.evaluation.window_start,
        days=quality.days,
    )


def _gain_interval(gained: Gain | None) -> str:
    if gained is None or gained.interval is None:
        return ""
    return _interval(signed_share(gained.interval.low, 1), signed_share(gained.interval.high, 1))


def _interval(low: str, high: str) -> str:
    return _("95%% interval: %(low)s to %(high)s.") % {"low": low, "high": high}


def _bars(rows: Sequence[Measurement]) -> list[HitsBar]:
    """A bar per list, ours first; one that is the same list as one before it is left out."""
    bars: dict[tuple[float, float], HitsBar] = {}
    for row in rows:
        if HITS in row.metrics:
            hits = row.metrics[HITS]["value"]
            bar = HitsBar(words=str(ROWS[row.name]), hits=100 * hits, ours=row.name == HYBRID)
            bars.setdefault((hits, main(row)["value"]), bar)
    return list(bars.values())
