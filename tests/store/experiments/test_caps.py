"""What is fixed when an experiment starts comes from the 28 days before, and is worked out by hand."""

import math

import numpy as np
import pytest

from recommendations.engine.experiments.sequences import mixture_scale
from recommendations.models import Experiment
from recommendations.store.experiments.caps import level, spending_caps, start_measures, visitor_curve
from recommendations.terms import Metric
from tests.experiment_records import DAY, HOUR, START, answer, experiment, furnish, unit_of
from tests.store.experiments.test_totals import buy

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop() -> None:
    furnish()


@pytest.fixture
def own() -> Experiment:
    return experiment(status="draft", started_at=None)


def test_the_cap_is_the_largest_hundredth_of_what_buyers_spent(own: Experiment) -> None:
    spent = [float(number) for number in range(1, 22)]
    for number, amount in enumerate(spent):
        buy(f"u{number}", amount / 2, at=START - 27 * DAY)
        buy(f"u{number}", amount / 2, at=START - HOUR)
    buy("u0", 1_000, at=START - 28 * DAY - HOUR)
    buy("u0", 1_000, at=START)
    cap = round(float(np.quantile(spent, 0.99)), 2)
    assert spending_caps(own, now=START) == {"revenue": pytest.approx(cap), "attributed": pytest.approx(cap)}


def test_what_is_attributed_has_a_cap_of_its_own(own: Experiment) -> None:
    key = answer(unit_of("u1"), None, at=START - DAY)
    buy("u1", 8, at=START - DAY + HOUR, recommendation_id=key)
    buy("u2", 30, at=START - DAY)
    caps = spending_caps(own, now=START)
    assert caps == {"revenue": pytest.approx(30 - 0.01 * 22), "attributed": pytest.approx(8)}


def test_where_nobody_bought_there_is_no_cap_and_no_scale(own: Experiment) -> None:
    measures = start_measures(own, now=START)
    assert (measures.caps, measures.scales, measures.curve) == ({}, {}, [])


def test_the_curve_counts_each_visitor_on_the_first_day(own: Experiment) -> None:
    for days, user in ((27, "u1"), (27, "u2"), (26, "u1"), (26, "u3"), (1, "u4")):
        answer(unit_of(user), None, at=START - days * DAY)
    answer(unit_of("u5"), None, at=START - DAY, placement="discover")
    answer(None, None, at=START - DAY)
    curve = visitor_curve(own, now=START)
    assert (len(curve), curve[0], curve[1], curve[2], curve[-2], curve[-1]) == (28, 0, 2, 3, 3, 4)


def test_a_scale_is_that_of_the_standard_error_expected_at_the_end(own: Experiment) -> None:
    for number in range(40):
        answer(unit_of(f"u{number}"), None, at=START - 20 * DAY)
    for number in range(10):
        buy(f"u{number}", 10, at=START - 10 * DAY)
    own.planned_days, own.range_to = 28, 5_000
    measures = start_measures(own, now=START)
    sigma = math.sqrt(0.25 * 0.75 * 40 / 39)
    alpha = 0.05 / (len(Metric) - 2)
    planned = sigma * math.sqrt(2 / 10)  # 40 visitors, of whom half are in it, ten an arm
    assert measures.scales[Metric.CONVERTED] == pytest.approx(mixture_scale(planned, alpha))
    revenue = mixture_scale(10 * planned, 0.05)
    assert measures.scales[Metric.REVENUE] == pytest.approx(revenue)
    assert Metric.COVERAGE not in measures.scales


def test_each_metric_has_its_share_of_the_errors() -> None:
    own = experiment(arms=3, guardrails={Metric.REFUNDS: 0.1, Metric.LATENCY: 0.1, Metric.COVERAGE: 0.1})
    assert level(own, Metric.REVENUE, arms=3) == pytest.approx(0.05 / 2)
    assert level(own, Metric.REFUNDS, arms=3) == pytest.approx(2 * 0.05 / 4)
    assert level(own, Metric.CTR, arms=3) == pytest.approx(0.05 / (8 * 2))
