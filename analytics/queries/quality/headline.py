"""Quality of the hybrid in one sentence, and what it means for a hundred customers."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from analytics.queries.quality.leader_table import Quality, main
from analytics.templatetags.display import Direction, direction, number, signed_share
from analytics.templatetags.words import MAIN_METRIC, measured_label
from recommendations.engine.evaluation.intervals import Measure
from recommendations.models import Measurement

HITS = "hit_rate@10"


@dataclass(frozen=True, kw_only=True)
class Lead:
    sentence: str
    hits: str
    direction: Direction  # the worse of those against the baselines


@dataclass(frozen=True, kw_only=True)
class Gain:
    """Gain in NDCG@10 of the hybrid over another row, as shares of the other's."""

    other: str
    value: float
    interval: Measure | None

    @property
    def direction(self) -> Direction:
        return direction(self.interval)

    @property
    def words(self) -> str:
        values = {"other": self.other, "gain": signed_share(self.value, 1)}
        if self.interval is None:
            return _("%(gain)s against “%(other)s”") % values
        values |= {"low": signed_share(self.interval.low, 1), "high": signed_share(self.interval.high, 1)}
        if self.direction is Direction.BETTER:
            return _("clearly better than “%(other)s” (%(gain)s, 95%% interval %(low)s to %(high)s)") % values
        if self.direction is Direction.WORSE:
            return _("clearly worse than “%(other)s” (%(gain)s, 95%% interval %(low)s to %(high)s)") % values
        return _("not clearly different from “%(other)s” (%(gain)s, 95%% interval %(low)s to %(high)s)") % values


def lead(quality: Quality) -> Lead | None:
    """Headline of the table; None without a hybrid. What a version did not measure is not claimed."""
    hybrid = quality.hybrid
    if hybrid is None:
        return None
    others = [row for row in (quality.personal, quality.popular) if row]
    gains = [advantage for row in others if (advantage := gain(hybrid, row))]
    directions = {each.direction for each in gains} or {Direction.UNCLEAR}
    return Lead(
        sentence=_sentence(hybrid, gains),
        hits=_hits(hybrid, others),
        direction=next(each for each in (Direction.WORSE, Direction.UNCLEAR, Direction.BETTER) if each in directions),
    )


def gain(hybrid: Measurement, other: Measurement) -> Gain | None:
    """Gain of the hybrid over another row; None where the other's figure is zero."""
    base, difference = main(other)["value"], other.against.get(MAIN_METRIC)
    if not base:
        return None
    value = main(hybrid)["value"] / base - 1
    return Gain(
        other=measured_label(other.name),
        value=value,
        interval=Measure(value, -difference["high"] / base, -difference["low"] / base) if difference else None,
    )


def _sentence(hybrid: Measurement, gains: Sequence[Gain]) -> str:
    parts = [each.words for each in gains]
    if not parts:
        values = {name: number(value, 3) for name, value in main(hybrid).items()}
        return _("The hybrid reaches NDCG@10 %(value)s (95%% interval %(low)s to %(high)s).") % values
    text = parts[0] if len(parts) == 1 else _("%(first)s and %(second)s") % {"first": parts[0], "second": parts[1]}
    if any(each.interval is None for each in gains):
        return _("The hybrid's NDCG@10: %(told)s. The next run will measure how sure that is.") % {"told": text}
    return _("By NDCG@10 the hybrid is %(told)s.") % {"told": text}


def _hits(hybrid: Measurement, others: Sequence[Measurement]) -> str:
    if HITS not in hybrid.metrics:
        return ""
    ours = _("With the hybrid, %(hits)s of 100 customers find something among their ten that they buy afterwards") % {
        "hits": number(100 * hybrid.metrics[HITS]["value"])
    }
    theirs = [
        _("with “%(other)s” %(hits)s")
        % {"other": measured_label(row.name), "hits": number(100 * row.metrics[HITS]["value"])}
        for row in others
        if HITS in row.metrics
    ]
    return _("; ").join([ours, *theirs]) + _(".")
