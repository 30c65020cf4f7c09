"""Slices, overlap and history against rows made by hand."""

from datetime import timedelta

import pytest

from analytics.queries.quality import figures as query
from analytics.queries.quality.leader_table import qualities
from recommendations.models import Category, Evaluation, Segment
from recommendations.terms import MeasuredKind, SliceKind, Task
from tests.analytics import records

pytestmark = pytest.mark.django_db

VALUES = {
    ("hybrid", MeasuredKind.HYBRID): 0.5,
    ("ease_home", MeasuredKind.RECOMMENDER): 0.3,
    ("personal_frequency", MeasuredKind.BASELINE): 0.4,
    ("popular", MeasuredKind.BASELINE): 0.2,
}


@pytest.fixture
def run() -> Evaluation:
    return records.measured(records.version(records.run()), Task.HOME, VALUES)


def groups(kind: SliceKind) -> list[tuple[str, int, bool, list[tuple[str, float]]]]:
    return [
        (group.words, group.customers, group.few, [(row.name, row.value) for row in group.rows])
        for group in query.groups(query.details(qualities()[Task.HOME]), kind)
    ]


def test_activity_goes_from_few_to_many_baskets_and_only_compared_rows_are_shown(run: Evaluation) -> None:
    for name, value in (("hybrid", 0.5), ("popular", 0.2), ("ease_home", 0.3)):
        records.sliced(
            run, name, ("activity", "heavy", 500, value), ("activity", "cold", 99, value - 0.1),
            ("activity", "warm", 100, value), ("new_items", "new", 300, value),
        )  # fmt: skip
    assert groups(SliceKind.ACTIVITY) == [
        ("Few baskets", 99, True, [("hybrid", 0.4), ("popular", 0.1)]),
        ("Some baskets", 100, False, [("hybrid", 0.5), ("popular", 0.2)]),
        ("Many baskets", 500, False, [("hybrid", 0.5), ("popular", 0.2)]),
    ]
    assert groups(SliceKind.NEW_ITEMS) == [("New items", 300, False, [("hybrid", 0.5), ("popular", 0.2)])]


def test_segments_and_departments_have_their_names_and_the_largest_comes_first(run: Evaluation) -> None:
    Segment.objects.create(number=3, name="Fresh & family")
    Category.objects.create(path="GROCERY", name="Grocery")
    records.sliced(
        run, "hybrid", ("segment", "3", 200, 0.5), ("segment", "7", 900, 0.4), ("department", "GROCERY", 30, 0.3),
        ("department", "GONE", 20, 0.1),
    )  # fmt: skip
    assert [line[:2] for line in groups(SliceKind.SEGMENT)] == [("7", 900), ("Fresh & family", 200)]
    assert [line[:2] for line in groups(SliceKind.DEPARTMENT)] == [("Grocery", 30), ("GONE", 20)]


def test_an_older_version_has_neither_slices_nor_overlap(run: Evaluation) -> None:
    table = qualities()[Task.HOME]
    details = query.details(table)
    assert [query.groups(details, kind) for kind in SliceKind] == [[], [], [], []]
    assert query.overlap(details, table.rows) == []


def test_overlap_is_in_the_order_of_the_table(run: Evaluation) -> None:
    run.overlap = {"names": ["popular", "hybrid", "gone"], "shares": [[1, 0.2, 0], [0.2, 1, 0], [0, 0, 1]]}
    run.save()
    home = qualities()[Task.HOME]
    overlap = query.overlap(query.details(home), home.rows)
    assert overlap == [("Hybrid, as served", [1, 0.2]), ("Best sellers", [0.2, 1])]


def test_history_has_every_version_the_oldest_first(run: Evaluation) -> None:
    older = records.measured(
        records.version(records.run(), live=False), Task.HOME, {("hybrid", MeasuredKind.HYBRID): 0.3}
    )
    Evaluation.objects.filter(pk=older.pk).update(created_at=run.created_at - timedelta(days=1))
    other = records.version(records.run(), live=False)
    records.measured(other, Task.DISCOVER, {("hybrid", MeasuredKind.HYBRID): 0.1})
    history = query.history(Task.HOME)
    assert list(history) == [older, run]
    assert {name: row.value for name, row in history[older].items()} == {"hybrid": 0.3}
    assert {name: row.value for name, row in history[run].items()} == {
        "hybrid": 0.5, "personal_frequency": 0.4, "popular": 0.2,
    }  # fmt: skip
    lines = query.history_lines(history)
    assert [version for version, _row in lines[0].points] == [f"m{older.version_id}", f"m{run.version_id}"]
    assert [(line.name, len(line.points)) for line in lines] == [
        ("hybrid", 2), ("personal_frequency", 1), ("popular", 1),
    ]  # fmt: skip


def test_history_is_limited_to_the_last_versions(run: Evaluation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "VERSIONS", 1)
    newest = records.measured(records.version(records.run(), live=False), Task.HOME, VALUES)
    assert list(query.history(Task.HOME)) == [newest]
    assert query.history(Task.DISCOVER) == {}
