"""Details of the quality table: slices of customers, history, and overlap of recommenders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from analytics.charts.marks import MeasuredRow
from analytics.charts.quality import CustomerSlice, FigureHistory
from analytics.queries.quality.leader_table import COMPARED, HYBRID, Quality, drawn
from analytics.templatetags.display import number
from analytics.templatetags.words import MAIN_METRIC, measured_label
from recommendations.models import Category, Evaluation, Measurement, Segment
from recommendations.terms import Activity, Cut, SliceKind, Task

FEW = 100  # customers; with fewer the interval of NDCG@10 is about as wide as what there is to see
VERSIONS = 30  # that the history goes back


SLICES: Mapping[SliceKind, tuple[Promise, Promise]] = {
    SliceKind.ACTIVITY: (
        pgettext_lazy("slice", "Activity"),
        gettext_lazy(
            "Few baskets: fewer than five before the split. Many baskets: more than three quarters of the others have. "
            "Some baskets: the rest."
        ),
    ),
    SliceKind.SEGMENT: (
        gettext_lazy("Segment"),
        gettext_lazy("Customers with similar interests; the names are those of the live model's segments."),
    ),
    SliceKind.DEPARTMENT: (
        gettext_lazy("Department"),
        gettext_lazy(
            "Everyone who bought in the department; only what they bought there counts. The ten positions also serve "
            "the other departments, so compare within a row, not across rows."
        ),
    ),
    SliceKind.NEW_ITEMS: (
        gettext_lazy("New items"),
        gettext_lazy("Everyone who bought an item first sold in the 28 days before the split; only those items count."),
    ),
}
"""What each kind of slice is called, and who is in one."""
ACTIVITIES: Mapping[Activity, Promise] = {
    Activity.COLD: gettext_lazy("Few baskets"),
    Activity.WARM: gettext_lazy("Some baskets"),
    Activity.HEAVY: gettext_lazy("Many baskets"),
}
"""Slices by baskets before the split; the states of customers, by what the live model knows, have other words."""


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


def overlap(details: Details, rows: Sequence[Measurement]) -> list[tuple[str, list[float]]]:
    """Rows in the order of the table, each with the mean share of its ten items that are among those of every row.

    Empty where the run did not measure it yet.
    """
    stored = details.overlap
    at = {name: place for place, name in enumerate(stored.get("names", ()))}
    order = [row.name for row in rows if row.name in at]
    return [(measured_label(mine), [stored["shares"][at[mine]][at[theirs]] for theirs in order]) for mine in order]


def history(task: Task) -> dict[Evaluation, dict[str, MeasuredRow]]:
    """Figures of the compared rows in the last evaluations of a task on their test windows, the oldest first."""
    newest = Evaluation.objects.filter(cut=Cut.TEST, task=task).order_by("-created_at").values("pk")[:VERSIONS]
    rows = Measurement.objects.filter(evaluation__in=newest, name__in=COMPARED).order_by("evaluation__created_at")
    figures: dict[Evaluation, dict[str, MeasuredRow]] = {}
    for row in rows.select_related("evaluation").defer("slices", "evaluation__overlap"):
        figures.setdefault(row.evaluation, {})[row.name] = drawn(row)
    return figures


def history_lines(history: Mapping[Evaluation, Mapping[str, MeasuredRow]]) -> list[FigureHistory]:
    """The history row by row."""
    lines = [
        FigureHistory(
            name=name,
            words=measured_label(name),
            points=[(f"m{run.version_id}", figures[name]) for run, figures in history.items() if name in figures],
            chance=chance(history, name),
        )
        for name in COMPARED
    ]
    return [line for line in lines if line.points]


def chance(history: Mapping[Evaluation, Mapping[str, MeasuredRow]], name: str) -> list[tuple[str, float]]:
    """Versions of a row's line with how far either way other seeds lead, as it was measured last until then.

    Nothing before the first measurement, which is made once a week.
    """
    far, points = None, []
    for run, figures in history.items():
        own, *others = run.luck.get("ndcg", {}).get(name, [None])
        if others:
            far = max(abs(other - own) for other in others)
        if far is not None and name in figures:
            points.append((f"m{run.version_id}", far))
    return points


def luck_words(history: Mapping[Evaluation, Mapping[str, MeasuredRow]]) -> str:
    """What other seeds would have made of the hybrid, at the last measurement; nothing where there is none."""
    measured = [run for run in history if run.luck.get("ndcg", {}).get(HYBRID)]
    if not measured:
        return _("What other seeds would have led to is measured once a week.")
    own, *others = measured[-1].luck["ndcg"][HYBRID]
    text = _("Under %(n)s other seeds the hybrid of m%(version)s reaches %(others)s in place of %(own)s.")
    words = {"n": len(others), "version": measured[-1].version_id, "own": number(own, 4)}
    return text % {**words, "others": _(", ").join(number(value, 4) for value in others)}


def _names(kind: SliceKind, keys: Sequence[str]) -> Mapping[str, str]:
    if kind is SliceKind.SEGMENT:
        return {str(segment.number): str(segment) for segment in Segment.objects.filter(number__in=keys)}
    if kind is SliceKind.DEPARTMENT:
        return dict(Category.objects.filter(path__in=keys).values_list("path", "name"))
    return {str(activity): str(words) for activity, words in ACTIVITIES.items()} | {"new": _("New items")}
