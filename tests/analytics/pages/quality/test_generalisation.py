"""The section of quality on what carries over: figures as they are stored, growth since the version before, a file."""

import csv
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import Evaluation, StabilityReading
from recommendations.terms import MeasuredKind, Task
from tests.analytics import records

pytestmark = pytest.mark.django_db

VALUES = {
    ("hybrid", MeasuredKind.HYBRID): 0.4,
    ("als", MeasuredKind.RECOMMENDER): 0.2,
    ("ease_home", MeasuredKind.RECOMMENDER): 0.3,
}


def around(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


def gap(learned: float, after: float) -> dict[str, Any]:
    return {"learned": around(learned), "after": around(after), "gap": around(learned - after)}


def measured(**fields: Any) -> Evaluation:
    run = records.measured(records.version(records.run()), Task.HOME, VALUES)
    for name, value in fields.items():
        setattr(run, name, value)
    run.save()
    return run


def section(client: Client) -> str:
    answer = client.get("/quality/")
    assert answer.status_code == 200
    text = " ".join(answer.content.decode().split())
    return text[text.index('id="generalisation"') : text.index('id="setting"')]


def test_the_widest_gap_comes_first_and_without_a_run_before_nothing_has_grown(admin: Client) -> None:
    measured(generalisation={"als": gap(0.25, 0.2), "ease_home": gap(0.5, 0.3)})
    text = section(admin)
    assert "+0.200 NDCG@10 more on what it learned." in text
    assert "From the next run on it is watched whether a gap grows." in text
    assert text.index("0.500") < text.index("0.250")
    assert 'data-figure-for="generalisation-chart"' in text


def test_what_grew_since_the_version_before_is_marked(admin: Client) -> None:
    old = measured(generalisation={"als": gap(0.21, 0.2), "ease_home": gap(0.5, 0.3)})
    old.version.is_live = False
    old.version.save()
    run = measured(generalisation={"als": gap(0.3, 0.2), "ease_home": gap(0.5, 0.3)})
    StabilityReading.objects.create(version=run.version, before=old.version, at=timezone.now())
    text = section(admin)
    assert f"1 gap grew since {old.version} by more than its interval." in text
    assert text.count("tag-bad") == 1
    assert "+0.090" in text


def test_the_file_holds_both_sides_and_the_gap(admin: Client) -> None:
    measured(generalisation={"als": gap(0.25, 0.2)})
    answer = admin.get("/quality/?format=gaps")
    assert answer["Content-Disposition"] == 'attachment; filename="quality-gaps-home.csv"'
    _head, row = csv.reader(answer.content.decode("utf-8-sig").splitlines())
    assert row[1] == "als"
    assert [float(value) for value in row[2:]] == pytest.approx([0.25, 0.24, 0.26, 0.2, 0.19, 0.21, 0.05, 0.04, 0.06])


def test_a_version_that_measured_nothing_of_it_says_so(admin: Client) -> None:
    measured()
    assert "Not measured yet" in section(admin)
    assert admin.get("/quality/?format=gaps").content.startswith(b"<!doctype html>")


@pytest.mark.parametrize(("share", "at_edge"), [(0.2, False), (0.7, True), (0.1, True)])
def test_a_choice_at_the_edge_of_what_was_tried_is_said(admin: Client, share: float, at_edge: bool) -> None:
    run = measured()
    tried = [[0.0, 0.25], [0.1, 0.26], [0.2, 0.261], [0.7, 0.27]]
    run.version.visit_shares = {"home": {"share": share, "visits": 1_500, "ndcg": tried, "gain": [0.0, 0.0, 0.0]}}
    run.version.save()
    text = " ".join(admin.get("/quality/").content.decode().split())
    text = text[text.index('id="setting"') :]
    assert f"A visit makes up {share:.0%} of the score, chosen on 1,500 visits of the tuning window." in text
    assert ("at the edge of what was tried" in text) == at_edge
    assert 'data-figure-for="setting-chart"' in text


def test_other_seeds_draw_a_band_around_the_hybrid_across_runs(admin: Client) -> None:
    old = measured(luck={"seeds": [0, 1, 2], "ndcg": {"hybrid": [0.4, 0.404, 0.398]}})
    old.version.is_live = False
    old.version.save()
    measured()
    text = admin.get("/quality/").content.decode()
    assert f"Under 2 other seeds the hybrid of {old.version} reaches 0.4040, 0.3980 in place of 0.4000." in text
    assert "Chance alone: other seeds" in text
    assert "± 0.0040" in text.replace("\\u00b1", "±")
