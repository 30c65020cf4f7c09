"""What messages teach: every model beside its baselines, in use or with the reason why not, and its limits."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.push.figures import LEARNED, ModelFigures, Tenth
from recommendations.models import PushModel
from recommendations.push_terms import PushModelKind
from recommendations.store.push.learned import put_in_use, save
from recommendations.terms import Role
from tests.analytics.pages.campaigns.test_pressure import text_of
from tests.push_records import NOW

pytestmark = pytest.mark.django_db
PAGE = "/campaigns/learned/"
FIGURES = ModelFigures(
    table={
        LEARNED: {"top": Measure(0.272, 0.26, 0.286), "area": Measure(0.759, 0.754, 0.764)},
        "frequency": {"top": Measure(0.256, 0.245, 0.268), "area": Measure(0.746, float("nan"), float("nan"))},
    },
    tenths=[Tenth(0.02, 0.021, 0.018, 0.024, 1_000), Tenth(0.3, 0.29, 0.27, 0.31, 1_000)],
    counts={"lessons": 271_669, "tested": 257_731, "users": 2_400},
)  # fmt: skip


@pytest.fixture
def viewer(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.VIEWER)


def test_before_the_first_run_it_says_what_is_done_instead(viewer: Client) -> None:
    page = text_of(viewer, PAGE)
    assert page.count("Nothing was learned yet") == len(PushModelKind)
    assert "Instead an item is due from 0.8 to 1.5 of the usual gap on." in page


def test_figures_stand_beside_those_of_naive_rules_with_intervals(viewer: Client) -> None:
    save(PushModelKind.DUE, at=NOW, until=NOW - timedelta(days=35), parameters={}, figures=FIGURES)
    assert "it waits until the version of its run is live" in text_of(viewer, PAGE)
    put_in_use(NOW)
    page = text_of(viewer, PAGE)
    assert "Learned 27.2% 26.0%–28.6% 75.9% 75.4%–76.4%" in page
    assert "How often in 56 days 25.6% 24.5%–26.8% 74.6%" in page
    assert page.count("Guessing gets 50%.") == 1
    assert "Where it says 30% it was 29%" in page
    assert "On the dashed line it was right" in page
    assert "In use. “Running low” writes to whom" in page
    assert "2.0% 2.1% 1.8%–2.4% 1,000" in page
    assert "learned from 271,669 rows · judged by 257,731 later ones · of 2,400 customers" in page
    assert "no page and no mail names one" in page
    assert b'data-figure-for="calibration-due"' in viewer.get(PAGE).content


def test_what_was_learned_comes_before_the_naive_rules(viewer: Client) -> None:
    best = {"best_tenth": Measure(3.782, 2.94, 4.804)}
    own, kind = {"best_tenth": Measure(2.949, 2.199, 3.32)}, {"best_tenth": Measure(1.608, 0.4, 1.744)}
    table = {"kind": kind, LEARNED: best, "own_rate": own}
    figures = ModelFigures(table=table, tenths=[], counts={})
    save(PushModelKind.RESPONSE, at=NOW, until=NOW, parameters={}, figures=figures, refusal="no_better")
    page = text_of(viewer, PAGE)
    rows = ["Learned 3.8 2.9–4.8", "Rate by kind of campaign 1.6 0.4–1.7", "Own rate of answers so far 2.9 2.2–3.3"]
    assert [page.index(row) for row in rows] == sorted(page.index(row) for row in rows)
    assert "Guessing gets 1." in page


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ("too_few", "There is too little to learn from yet."), ("no_better", "It is not better than a naive rule"),
        ("not_calibrated", "What it says is more than a quarter off"),
    ],
)  # fmt: skip
def test_what_did_not_pass_its_gate_says_why(viewer: Client, refusal: str, words: str) -> None:
    save(PushModelKind.RESPONSE, at=NOW, until=NOW, parameters={}, figures=None, refusal=refusal)
    put_in_use(NOW)
    page = text_of(viewer, PAGE)
    assert f"Not in use: {words}" in page
    assert "Instead everybody has the campaign's own rate of answers." in page.replace("&#x27;", "'")


def test_a_curve_of_nobody_who_left_is_called_what_it_is(viewer: Client) -> None:
    taken, leaving = [0, 0, 0, 0], [0.0025] * 4
    save(
        PushModelKind.FATIGUE, at=NOW, until=NOW, figures=None,
        parameters={"leaving": leaving, "left": taken, "taken": taken},
    )  # fmt: skip
    put_in_use(NOW)
    page = text_of(viewer, PAGE)
    assert "3 or more 0.25% 0 of 0" in page
    assert "Nobody has left yet: this is what is assumed at first" in page
    PushModel.objects.update(parameters={"leaving": leaving, "left": [0, 1, 0, 0], "taken": [10, 10, 10, 10]})
    assert "Nobody has left yet" not in text_of(viewer, PAGE)
