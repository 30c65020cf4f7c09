"""What recommenders find of what they learned, beside what came after; and settings on their tuning window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.charts.marks import MeasuredRow
from analytics.charts.quality import TunedCurve
from analytics.templatetags.display import signed
from analytics.templatetags.words import measured_label
from recommendations.models import Evaluation, ModelVersion, StabilityReading
from recommendations.services.watches.overfitting import overfits
from recommendations.terms import TASKS, Task
from recommendations.wording.metrics import percent_text


@dataclass(frozen=True, kw_only=True)
class GapRow:
    """NDCG@10 of a recommender on what it learned and on what came after; ``grown`` beyond the interval, if it did."""

    name: str
    words: str
    learned: MeasuredRow
    after: MeasuredRow
    gap: MeasuredRow
    grown: float | None = None


@dataclass(frozen=True, kw_only=True)
class Generalisation:
    """The rows of a task, the widest gap first, and the version that they are compared with."""

    rows: Sequence[GapRow]
    before: ModelVersion | None

    @property
    def sentence(self) -> str:
        """The widest gap, and whether any grew."""
        widest = self.rows[0]
        words = {"name": widest.words, "gap": signed(widest.gap.value, 3)}
        told = _("The widest gap is that of “%(name)s”: %(gap)s NDCG@10 more on what it learned.") % words
        return _("%(said)s %(why)s") % {"said": told, "why": self._growth}

    @property
    def _growth(self) -> str:
        if self.before is None:
            return _("From the next run on it is watched whether a gap grows.")
        grown = sum(row.grown is not None for row in self.rows)
        if not grown:
            return _("No gap grew since %(version)s by more than its interval.") % {"version": self.before}
        text = ngettext(
            "%(n)s gap grew since %(version)s by more than its interval.",
            "%(n)s gaps grew since %(version)s by more than their intervals.", grown,
        )  # fmt: skip
        return text % {"n": grown, "version": self.before}


def measured_version(evaluation: Evaluation) -> ModelVersion:
    """The version of an evaluation with its reading of stability, and the version that this compares it with."""
    return ModelVersion.objects.select_related("stability__before").get(pk=evaluation.version_id)


def generalisation(evaluation: Evaluation, version: ModelVersion) -> Generalisation | None:
    """What the version's run measured of a task; None where it measured nothing of it."""
    if not evaluation.generalisation:
        return None
    reading: StabilityReading | None = getattr(version, "stability", None)
    before = reading.before if reading else None
    over = overfits(version, before) if before else []
    grown = {one.name: one.growth for one in over if one.task == evaluation.task}
    rows = [_row(name, facts, grown.get(name)) for name, facts in evaluation.generalisation.items()]
    return Generalisation(rows=sorted(rows, key=lambda row: -row.gap.value), before=before)


def _row(name: str, facts: Mapping[str, Any], grown: float | None) -> GapRow:
    words = measured_label(name)
    figures = {part: MeasuredRow(name=name, words=words, **facts[part]) for part in ("learned", "after", "gap")}
    return GapRow(name=name, words=words, grown=grown, **figures)


@dataclass(frozen=True, kw_only=True)
class TunedSetting:
    """A setting that a run chose on the tuning window: the curve, the choice, and whether it lies at an edge."""

    curve: TunedCurve
    chosen: str
    customers: int
    at_edge: bool


def tuned_share(task: Task, learned: Mapping[str, Any]) -> TunedSetting | None:
    """The share of a visit in the blend of a task; None where too few visits were there to try any.

    ``learned`` is what the version learned, by blend. A share of nothing is tried and never chosen, so the edges of
    the grid are those of the others.
    """
    facts = learned.get(TASKS[task])
    if not facts or not facts.get("ndcg"):
        return None
    points = sorted((float(share), float(value)) for share, value in facts["ndcg"])
    choices, chosen = [share for share, _ in points if share > 0], float(facts["share"])
    curve = TunedCurve(
        points=[(share, value) for share, value in points],
        chosen=next((point for point in points if point[0] == chosen), None),
    )
    return TunedSetting(
        curve=curve, chosen=percent_text(chosen), customers=facts["visits"], at_edge=chosen in {choices[0], choices[-1]}
    )
