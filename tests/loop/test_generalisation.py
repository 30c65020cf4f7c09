"""A run keeps, for each recommender of both tasks, what it finds of what it learned and of what came after."""

import pytest

from recommendations.models import Evaluation, RunLogLine
from recommendations.store.domain import shop_instances
from recommendations.store.models.measurements import load_gaps
from recommendations.terms import TASKS, Task

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def test_every_recommender_that_was_fitted_has_its_gap_with_both_sides() -> None:
    for run in Evaluation.objects.all():
        measured = {row.name for row in run.rows.filter(kind="recommender")}
        blend = TASKS[Task(run.task)]
        assert set(run.generalisation) == measured & {one.name for one in shop_instances(blend)}
        for row in run.generalisation.values():
            assert row["gap"]["value"] == pytest.approx(row["learned"]["value"] - row["after"]["value"], abs=2e-6)
            assert all(part["low"] <= part["value"] <= part["high"] for part in row.values())


def test_staples_of_every_week_are_found_before_the_cut_as_after_it() -> None:
    """Three staples of a taste are in every basket: whoever counts purchases finds them on both sides."""
    row = Evaluation.objects.get(task=Task.HOME).generalisation["buy_again"]
    assert row["learned"]["value"] > 0.5
    assert row["after"]["value"] > 0.5


def test_the_gaps_are_read_by_task_and_name_and_the_log_tells_the_widest() -> None:
    version = Evaluation.objects.values_list("version", flat=True)[0]
    gaps = load_gaps(version)
    assert {task for task, _ in gaps} == set(Task)
    (_, name), gap = max(gaps.items(), key=lambda each: (each[0][0] == Task.HOME, each[1].value))
    assert RunLogLine.objects.filter(text__startswith="home: on what it learned", text__endswith=f"of {name}").exists()
    assert gap.low <= gap.value <= gap.high
