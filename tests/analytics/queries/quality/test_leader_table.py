"""The quality table against rows made by hand."""

import pytest

from analytics.queries.quality.headline import lead
from analytics.queries.quality.leader_table import Quality, cell, qualities
from analytics.templatetags.display import Direction, direction
from recommendations.models import Evaluation, Measurement, ModelVersion
from recommendations.terms import MeasuredKind, Task
from tests.analytics import records

pytestmark = pytest.mark.django_db

HYBRID, OTHER, BASE = MeasuredKind.HYBRID, MeasuredKind.RECOMMENDER, MeasuredKind.BASELINE
VALUES = {
    ("popular", BASE): 0.2,
    ("hybrid", HYBRID): 0.5,
    ("ease_home", OTHER): 0.3,
    ("personal_frequency", BASE): 0.4,
}


@pytest.fixture
def live() -> ModelVersion:
    return records.version(records.run())


@pytest.fixture
def run(live: ModelVersion) -> Evaluation:
    return records.measured(live, Task.HOME, VALUES)


def home() -> Quality:
    return qualities()[Task.HOME]


def test_quality_is_that_of_the_live_version_best_first(run: Evaluation) -> None:
    old = records.version(records.run(), live=False)
    records.measured(old, Task.HOME, {("hybrid", HYBRID): 0.9})
    assert list(qualities()) == [Task.HOME]
    assert [row.name for row in home().rows] == ["hybrid", "personal_frequency", "ease_home", "popular"]
    assert home().evaluation == run
    assert (home().evaluation.users, home().evaluation.window_start, home().days) == (1983, records.SPLIT, 28)


def test_without_a_hybrid_or_a_baseline_no_gain_is_claimed(live: ModelVersion) -> None:
    records.measured(live, Task.HOME, {("popular", BASE): 0.0, ("ease_home", OTHER): 0.3})
    assert (home().hybrid, lead(home())) == (None, None)
    records.measured(live, Task.DISCOVER, {("popular", BASE): 0.0, ("hybrid", HYBRID): 0.3})
    discover = qualities()[Task.DISCOVER]
    headline = lead(discover)
    assert headline
    assert headline.sentence == "The hybrid reaches NDCG@10 0.300 (95% interval 0.290 to 0.310)."


def test_before_the_first_run_there_is_no_quality() -> None:
    assert qualities() == {}


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("-ndcg@10", ["hybrid", "personal_frequency", "ease_home", "popular"]),
        ("ndcg@10", ["popular", "ease_home", "personal_frequency", "hybrid"]),
        ("-fit", ["ease_home", "hybrid", "popular", "personal_frequency"]),
        ("fit", ["popular", "hybrid", "ease_home", "personal_frequency"]),
        ("name", ["popular", "ease_home", "hybrid", "personal_frequency"]),  # Best, Goes with, Hybrid, What they
        ("-name", ["personal_frequency", "hybrid", "ease_home", "popular"]),
        ("recall@20", ["hybrid", "personal_frequency", "ease_home", "popular"]),  # nobody has it
    ],
)
def test_sorted_rows_without_a_figure_come_last(run: Evaluation, sort: str, names: list[str]) -> None:
    for name, seconds in (("ease_home", 3.0), ("hybrid", 2.0), ("popular", 0.0), ("personal_frequency", None)):
        run.rows.filter(name=name).update(fit_seconds=seconds)
    assert [row.name for row in home().sorted(sort)] == names


def test_cells_carry_the_paired_difference_to_the_hybrid(run: Evaluation) -> None:
    records.compared(run, {"ease_home": -0.2, "popular": 0.005, "hybrid": 0.0})
    hybrid, ease, popular, personal = (
        home().named(name) for name in ("hybrid", "ease_home", "popular", "personal_frequency")
    )
    assert hybrid
    assert ease
    assert popular
    assert personal
    differences = [cell(row, "ndcg@10")[1] for row in (hybrid, ease, popular, personal)]
    assert [one and direction(one) for one in differences] == [None, Direction.WORSE, Direction.UNCLEAR, None]
    assert cell(ease, "ndcg@10")[0] == {"value": 0.3, "low": pytest.approx(0.29), "high": pytest.approx(0.31)}
    assert cell(ease, "recall@20") == (None, None)


# On paper: the baseline's 0.4 is 0.1 below the hybrid's 0.5, ± 0.01: the hybrid has 25 % more of it, 22.5 to 27.5 %.


def test_the_lead_says_how_much_better_and_how_sure(run: Evaluation) -> None:
    records.compared(run, {"personal_frequency": -0.1, "popular": -0.3})
    headline = lead(home())
    assert headline
    assert headline.sentence == (
        "By NDCG@10 the hybrid is clearly better than “What they always buy” (+25.0%, 95% interval +22.5% to +27.5%)"
        " and clearly better than “Best sellers” (+150.0%, 95% interval +145.0% to +155.0%)."
    )
    assert headline.direction is Direction.BETTER
    assert headline.hits == ""


def test_the_lead_is_as_good_as_the_worst_comparison(run: Evaluation) -> None:
    records.compared(run, {"personal_frequency": 0.1, "popular": 0.005})
    run.rows.filter(name="hybrid").update(metrics={"ndcg@10": {"value": 0.3, "low": 0.2, "high": 0.4}})
    headline = lead(home())
    assert headline
    assert "clearly worse than “What they always buy” (−25.0%" in headline.sentence
    assert "not clearly different from “Best sellers”" in headline.sentence
    assert headline.direction is Direction.WORSE


def test_a_version_without_paired_differences_claims_no_direction(run: Evaluation) -> None:
    headline = lead(home())
    assert headline
    assert headline.sentence == (
        "The hybrid's NDCG@10: +25.0% against “What they always buy” and +150.0% against “Best sellers”. "
        "The next run will measure how sure that is."
    )
    assert headline.direction is Direction.UNCLEAR


def test_hits_are_told_for_a_hundred_customers(run: Evaluation) -> None:
    for name, share in (("hybrid", 0.712), ("popular", 0.449)):
        row = Measurement.objects.get(evaluation=run, name=name)
        row.metrics["hit_rate@10"] = {"value": share, "low": share, "high": share}
        row.save()
    headline = lead(home())
    assert headline
    assert headline.hits == (
        "With the hybrid, 71 of 100 customers find something among their ten that they buy afterwards; "
        "with “Best sellers” 45."
    )
