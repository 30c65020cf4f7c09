"""Details of the quality table: slices of customers, history, and overlap of recommenders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models.fields.json import KeyTransform
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from analytics.charts.marks import MeasuredRow
from analytics.charts.quality import CustomerSlice, FigureHistory
from analytics.queries.customer.filters import STATES
from analytics.queries.quality.leader_table import COMPARED, MAIN_METRIC, LeaderRow, Quality
from analytics.templatetags.words import measured_label
from recommendations.models import Category, Evaluation, Measurement, Segment
from recommendations.terms import Activity, Cut, SliceKind, Task

FEW = 100  # customers; with fewer the interval of NDCG@10 is about as wide as what there is to see
VERSIONS = 30  # that the history goes back


SLICES: Mapping[SliceKind, tuple[Promise, Promise]] = {
    SliceKind.ACTIVITY: (
        pgettext_lazy("slice", "Activity"),
        gettext_lazy(
            "Cold: fewer than five baskets before the split. Heavy: more baskets than three quarters of the others. "
            "Warm: the rest."
        ),
    ),
    SliceKind.SEGMENT: (
        gettext_lazy("Segment"),
        gettext_lazy("Customers of like interests; the names are those of the live model's segments."),
    ),
    SliceKind.DEPARTMENT: (
        gettext_lazy("Department"),
        gettext_lazy(
            "Everybody who bought in the department; only what they bought there counts. The ten places also serve the "
            "other departments, so compare within a line, not from line to line."
        ),
    ),
    SliceKind.NEW_ITEMS: (
        gettext_lazy("New items"),
        gettext_lazy("Everybody who bought an item first sold in the 28 days before the split; only these count."),
    ),
}
"""What each kind of slice is called, and who is in one."""


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """``shares[i][j]``: mean share of the ten items of ``words[i]`` that are among those of ``words[j]``."""

    words: Sequence[str]
    shares: Sequence[Sequence[float]]

    @property
    def lines(self) -> list[tuple[str, Sequence[float]]]:
        return list(zip(self.words, self.shares, strict=True))


@dataclass(frozen=True, kw_only=True)
class PastEvaluation:
    """One evaluation of the past: when it was, and the figure of each row by name."""

    words: str
    measured_at: datetime
    users: int
    figures: Mapping[str, MeasuredRow]

    @property
    def row(self) -> list[MeasuredRow | None]:
        return [self.figures.get(name) for name in COMPARED]


@dataclass(frozen=True, kw_only=True)
class History:
    versions: Sequence[PastEvaluation]

    @property
    def lines(self) -> list[FigureHistory]:
        return [
            FigureHistory(
                name=name,
                words=measured_label(name),
                points=[(each.words, each.figures[name]) for each in self.versions if name in each.figures],
            )
            for name in COMPARED
            if any(name in each.figures for each in self.versions)
        ]


@dataclass(frozen=True, kw_only=True)
class Details:
    """What one evaluation keeps besides its table; empty where the run did not measure it yet."""

    slices: Mapping[str, Sequence[Mapping[str, Any]]]  # of each compared row, by its name
    overlap: Mapping[str, Any]


def details(quality: Quality) -> Details:
    rows = Measurement.objects.filter(evaluation=quality.evaluation, name__in=COMPARED).values_list(
        "name", "slices", "evaluation__overlap"
    )
    stored = {name: (slices, overlap) for name, slices, overlap in rows}
    slices = {name: stored[name][0] for name in COMPARED if name in stored}
    return Details(slices=slices, overlap=next((overlap for _, overlap in stored.values()), {}))


def groups(details: Details, kind: SliceKind) -> list[CustomerSlice]:
    """The compared rows in each slice of a kind; activity from cold to heavy, the others the largest first."""
    rows: dict[str, list[MeasuredRow]] = {}
    users: dict[str, int] = {}
    for name, slices in details.slices.items():
        for each in slices:
            if each["kind"] == kind and MAIN_METRIC in each["metrics"]:
                measure = each["metrics"][MAIN_METRIC]
                rows.setdefault(each["key"], []).append(MeasuredRow(name=name, words=measured_label(name), **measure))
                users[each["key"]] = each["users"]
    order = list(Activity) if kind is SliceKind.ACTIVITY else sorted(rows, key=lambda key: (-users[key], key))
    words = _names(kind, order)
    return [
        CustomerSlice(words=words.get(key, key), customers=users[key], few=users[key] < FEW, rows=rows[key])
        for key in order
        if key in rows
    ]


def overlap(details: Details, rows: Sequence[LeaderRow]) -> Overlap | None:
    """Overlap of rows in the order of the table; None where the run did not measure it yet."""
    stored = details.overlap
    if not stored:
        return None
    at = {name: place for place, name in enumerate(stored["names"])}
    order = [row.name for row in rows if row.name in at]
    return Overlap(
        words=[measured_label(name) for name in order],
        shares=[[stored["shares"][at[mine]][at[theirs]] for theirs in order] for mine in order],
    )


def history(task: Task) -> History:
    """The last evaluations of a task on their test windows, the oldest first."""
    runs = Evaluation.objects.filter(cut=Cut.TEST, task=task).order_by("-created_at")
    rows = (
        Measurement.objects.filter(evaluation__in=runs.values("pk")[:VERSIONS], name__in=COMPARED)
        .order_by("evaluation__created_at")
        .values_list(
            "evaluation__version",
            "evaluation__created_at",
            "evaluation__users",
            "name",
            KeyTransform(MAIN_METRIC, "metrics"),
        )
    )
    figures: dict[tuple[int, datetime, int], dict[str, MeasuredRow]] = {}
    for version, created, users, name, main in rows:
        row = MeasuredRow(name=name, words=measured_label(name), **main)
        figures.setdefault((version, created, users), {})[name] = row
    return History(
        versions=[
            PastEvaluation(words=f"m{version}", measured_at=created, users=users, figures=by_name)
            for (version, created, users), by_name in figures.items()
        ]
    )


def _names(kind: SliceKind, keys: Sequence[str]) -> Mapping[str, str]:
    if kind is SliceKind.SEGMENT:
        return {str(segment.number): str(segment) for segment in Segment.objects.filter(number__in=keys)}
    if kind is SliceKind.DEPARTMENT:
        return dict(Category.objects.filter(path__in=keys).values_list("path", "name"))
    return {str(state): str(words) for state, words in STATES.items()} | {"new": _("New items")}
