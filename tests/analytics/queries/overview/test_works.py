"""The live model in a person's words, against a table made by hand."""

import pytest

from analytics.queries.overview.works import Works, works
from analytics.queries.quality.leader_table import qualities
from recommendations.models import Evaluation
from recommendations.terms import MeasuredKind, Task
from tests.analytics import records

pytestmark = pytest.mark.django_db
KINDS = MeasuredKind


@pytest.fixture
def run() -> Evaluation:
    values = {
        ("hybrid", KINDS.HYBRID): 0.5,
        ("personal_frequency", KINDS.BASELINE): 0.4,
        ("recent", KINDS.BASELINE): 0.3,
        ("popular", KINDS.BASELINE): 0.2,
    }
    return records.measured(records.version(records.run()), Task.HOME, values)


def told() -> Works:
    result = works(qualities()[Task.HOME])
    assert result
    return result


def hits(run: Evaluation, **values: float) -> None:
    for row in run.rows.filter(name__in=values):
        value = values[row.name]
        row.metrics |= {"hit_rate@10": {"value": value, "low": value - 0.02, "high": value + 0.02}}
        row.save()


def test_of_a_hundred_customers_beside_the_best_of_the_others(run: Evaluation) -> None:
    hits(run, hybrid=0.86, personal_frequency=0.84, recent=0.7, popular=0.6)
    records.compared(run, {"personal_frequency": -0.1, "recent": -0.2, "popular": -0.3})
    result = told()
    assert (result.hits, result.hits_interval) == (86, "95% interval: 84.0% to 88.0%.")
    assert (result.better, result.direction) == ("25% more accurate than what they always buy", "better")
    assert result.better_interval == "95% interval: +22.5% to +27.5%."
    assert [(bar.words, bar.hits, bar.ours) for bar in result.bars] == [
        ("Recsite", 86, True), ("What they always buy", 84, False), ("Recent best sellers", 70, False),
        ("Best sellers", 60, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("difference", "words"),
    [(0.1, "25% less accurate than what they always buy"), (0.005, "about as accurate as what they always buy")],
)
def test_where_it_is_not_better_it_says_so(run: Evaluation, difference: float, words: str) -> None:
    run.rows.filter(name="hybrid").update(metrics={"ndcg@10": {"value": 0.3, "low": 0.2, "high": 0.4}})
    records.compared(run, {"personal_frequency": difference})
    assert told().better == words


def test_a_list_that_is_the_same_as_another_has_no_bar_of_its_own(run: Evaluation) -> None:
    hits(run, hybrid=0.4, personal_frequency=0.3, popular=0.3)
    run.rows.filter(name="popular").update(metrics=run.rows.get(name="personal_frequency").metrics)
    assert [bar.words for bar in told().bars] == ["Recsite", "What they always buy"]


def test_nothing_is_claimed_that_was_not_measured(run: Evaluation) -> None:
    assert (told().hits, told().bars) == (None, [])
    run.rows.filter(name="hybrid").delete()
    assert works(qualities()[Task.HOME]) is None
