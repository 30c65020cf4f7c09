"""The section of quality on people of whom little is known: what a run measured, as picture, table and file."""

import csv

import pytest
from django.test import Client

from recommendations.models import Evaluation
from recommendations.terms import MeasuredKind, Task
from tests.analytics import records

pytestmark = pytest.mark.django_db


def band(name: str, *, people: int, blend: float, popular: float) -> dict[str, object]:
    def around(value: float) -> dict[str, float]:
        return {"value": value, "low": value - 0.01, "high": value + 0.01}

    ahead = around(blend - popular)
    return {"band": name, "people": people, "blend": around(blend), "popular": around(popular), "ahead": ahead}


@pytest.fixture
def run() -> Evaluation:
    values = {("hybrid", MeasuredKind.HYBRID): 0.4, ("popular", MeasuredKind.BASELINE): 0.2}
    run = records.measured(records.version(records.run()), Task.HOME, values)
    run.acts_known = {
        "left_out": 1234,
        "bands": [
            band("0", people=900, blend=0.2, popular=0.2), band("1", people=900, blend=0.205, popular=0.2),
            band("2-5", people=800, blend=0.23, popular=0.2), band("more", people=40, blend=0.3, popular=0.19),
        ],
    }  # fmt: skip
    run.save()
    return run


def page(client: Client, address: str = "/quality/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_says_from_where_on_the_lists_are_better(admin: Client, run: Evaluation) -> None:
    section = page(admin)
    section = section[section.index('id="little-known"') :]
    assert "From 2 acts on the lists are better than what everybody buys: +0.030 NDCG@10" in section
    assert "1,234 customers were taken out of training" in section
    assert 'data-figure-for="little-known-chart"' in section
    assert "+0.110" in section
    run.acts_known["bands"][1]["ahead"]["low"] = 0.001
    run.save()
    assert "From the first act on the lists are better than what everybody buys: +0.005 NDCG@10." in page(admin)
    run.acts_known["bands"] = run.acts_known["bands"][:1]
    run.save()
    assert "the lists are not surely better than what everybody buys" in page(admin)


def test_the_file_holds_the_figures_of_the_section(admin: Client, run: Evaluation) -> None:
    answer = admin.get("/quality/?format=acts-known")
    assert answer["Content-Disposition"] == 'attachment; filename="quality-acts-known.csv"'
    head, *rows = csv.reader(answer.content.decode("utf-8-sig").splitlines())
    assert head[:3] == ["Acts known", "Customers", "Hybrid"]
    assert rows[2][:2] == ["2–5 acts", "800"]
    assert [float(value) for value in rows[2][2:]] == pytest.approx(
        [0.23, 0.22, 0.24, 0.2, 0.19, 0.21, 0.03, 0.02, 0.04]
    )


def test_a_version_that_was_not_measured_so_says_when_it_will_be(admin: Client, run: Evaluation) -> None:
    run.acts_known = {}
    run.save()
    assert "Not measured yet" in page(admin)
    assert page(admin, "/quality/?format=acts-known").startswith("<!doctype html>")
    assert "Not measured yet" not in page(admin, "/quality/?task=discover")
