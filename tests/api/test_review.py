"""Past answers and experiments of the API: what was served, made again, and what came of a test."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from recommendations.experiment_terms import NoteCode
from recommendations.models import AnswerState, ArmShare, RuleBook, Slate
from recommendations.services.experiments.notes import note
from recommendations.serving.serve import serve
from recommendations.serving.types import Request
from recommendations.store.live import writes
from recommendations.store.serving.slates import write_slates
from recommendations.terms import ExperimentKind, ExperimentStatus, Metric, Scope
from tests.analytics.pages.experiments.drafting import half_of, version, with_readings
from tests.api.conftest import ApiClient, problem
from tests.api.test_recommend import body
from tests.api.test_schema import flaws, of, schema
from tests.experiment_records import experiment

__all__ = ["schema"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
SERVED, AGAIN = "/api/v1/answers/{recommendation_id}/", "/api/v1/answers/{recommendation_id}/again/"
WORDS = "A gets 100% today; the rest is even until the fourth day"
PIN = {
    "id": 1, "name": "Soap", "placement": None, "segment": None, "customer": None, "context": [],
    "starts_at": None, "ends_at": None, "items": [{"attribute": "item", "operator": "is", "values": ["soap-3"]}],
    "action": "pin", "slot": 1, "strength": None, "most": None, "per": "", "share": None,
}  # fmt: skip


@pytest.fixture
def api(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.METRICS_READ)


@pytest.fixture
def slate(_empty_valkey: None) -> Slate:
    writes.rebuild()
    answer = serve(Request(placement="home", user_id="u0", n=8), now=timezone.now())
    write_slates()
    return Slate.objects.get(recommendation_id=answer.recommendation_id)


def again(api: ApiClient, slate: Slate, **instead: Any) -> dict[str, Any]:
    return body(api.post(AGAIN.format(recommendation_id=slate.recommendation_id), {"instead": instead}))


def test_an_answer_is_told_as_it_was_served(api: ApiClient, slate: Slate, schema: dict[str, Any]) -> None:
    served = body(api.get(SERVED.format(recommendation_id=slate.recommendation_id)))
    assert not flaws(schema, of(schema, SERVED, "get", 200), served)
    assert [result["rank"] for result in served["results"]] == list(range(1, 9))
    assert [result["score"] for result in served["results"]] == pytest.approx(slate.scores)
    assert [result["place"] for result in served["results"]] == [place + 1 for place in slate.places]
    assert (served["placement"], served["way"], served["experiments"]) == ("home", "as_ranked", [])
    assert served["model_version"] == f"m{slate.model_version}"


def test_an_answer_is_made_again(api: ApiClient, slate: Slate, schema: dict[str, Any]) -> None:
    served = body(api.get(SERVED.format(recommendation_id=slate.recommendation_id)))
    made = again(api, slate)
    assert not flaws(schema, of(schema, AGAIN, "post", 200), made)
    assert (made["sameness"], made["differences"], made["missing"]) == ("exact", [], [])
    assert [one["item_id"] for one in made["results"]] == [one["item_id"] for one in served["results"]]
    assert body(api.post(AGAIN.format(recommendation_id=slate.recommendation_id), b"")) == made


def test_an_answer_is_made_under_another_book_of_rules(api: ApiClient, slate: Slate) -> None:
    RuleBook.objects.create(number=5, rules=[PIN])
    other = again(api, slate, rules=5)
    assert other["results"][0]["item_id"] == "soap-3"
    assert other["sameness"] == "different"
    assert 1 in other["differences"]
    assert again(api, slate, rules=0)["sameness"] == "exact"


def test_a_version_that_is_not_there_is_a_422_that_says_which(api: ApiClient, slate: Slate) -> None:
    address = AGAIN.format(recommendation_id=slate.recommendation_id)
    for field, number in (("weights", 10**6), ("rules", 77)):
        refused = problem(api.post(address, {"instead": {field: number}}), 422)
        assert [flaw["pointer"] for flaw in refused["errors"]] == [f"/instead/{field}"]
        assert str(number) in refused["detail"]
    assert problem(api.post(address, {"instead": {"model": 3}}), 400)["errors"]
    assert problem(api.post(address, {"instead": {"weights": 0}}), 400)["errors"][0]["pointer"] == "/instead/weights"


def test_what_can_no_longer_be_made_is_a_409_with_its_code(api: ApiClient, slate: Slate) -> None:
    AnswerState.objects.all().delete()
    address = AGAIN.format(recommendation_id=slate.recommendation_id)
    assert problem(api.post(address, {}), 409)["code"] == "expired"
    Slate.objects.update(customer=None)
    assert problem(api.post(address, {}), 409)["code"] == "erased"
    Slate.objects.update(request=None, state=None)
    assert problem(api.post(address, {}), 409)["code"] == "nameless"
    Slate.objects.update(basis=None)
    assert problem(api.post(address, {}), 409)["code"] == "expired"


def test_an_unknown_answer_is_a_404(api: ApiClient) -> None:
    assert "r-none" in problem(api.get(SERVED.format(recommendation_id="r-none")), 404)["detail"]
    problem(api.post(AGAIN.format(recommendation_id="r-none"), {}), 404)


def test_experiments_are_listed_without_those_of_practice(api: ApiClient, schema: dict[str, Any]) -> None:
    first, second = experiment(name="First"), experiment(name="Second", status=ExperimentStatus.STOPPED)
    experiment(name="Practice", simulated=True)
    listed = body(api.get("/api/v1/experiments/"))
    assert not flaws(schema, of(schema, "/api/v1/experiments/", "get", 200), listed)
    assert [one["experiment_id"] for one in listed["experiments"]] == [second.code, first.code]
    assert [one["status"] for one in listed["experiments"]] == ["stopped", "running"]
    assert listed["experiments"][0]["decision"] is None


def test_an_experiment_tells_its_effects_with_their_intervals(api: ApiClient, schema: dict[str, Any]) -> None:
    own = experiment(started_at=timezone.now() - timedelta(days=11))
    own.decision = {"code": "keep", "facts": {"arm": 1, "at_least": 0.02}, "at": timezone.now().isoformat()}
    with_readings(own, lift=0.2)
    told = body(api.get(f"/api/v1/experiments/{own.code}/"))
    assert not flaws(schema, of(schema, "/api/v1/experiments/{experiment_id}/", "get", 200), told)
    assert told["decision"]["text"].startswith("Keep A: B lowers")
    [effect] = told["results"]
    assert (effect["metric"], effect["group"], effect["variation_id"]) == (Metric.REVENUE, "primary", "b")
    assert effect["control"] == pytest.approx(10)
    assert effect["change"] == pytest.approx(0.2)
    assert effect["high"] - effect["low"] == pytest.approx(2 * half_of(10), rel=5e-3)
    assert [(arm["variation_id"], arm["people"]) for arm in told["arms"]] == [("a", 10_000), ("b", 10_000)]


def test_a_bandit_tells_the_shares_of_today_and_no_end(api: ApiClient, schema: dict[str, Any]) -> None:
    own = experiment(kind=ExperimentKind.BANDIT, started_at=timezone.now())
    first, second = own.arms.order_by("position")
    today = timezone.localdate()
    for day, shares in ((today - timedelta(days=1), (0.5, 0.5)), (today, (1.0, 0.0))):
        for arm, share in zip((first, second), shares, strict=True):
            ArmShare.objects.create(arm=arm, day=day, share=share)
    note(own, NoteCode.SHIPPED, by=None, at=timezone.now(), facts={"arm": 0})
    told = body(api.get(f"/api/v1/experiments/{own.code}/"))
    assert not flaws(schema, of(schema, "/api/v1/experiments/{experiment_id}/", "get", 200), told)
    assert told["planned_days"] is None
    assert [(arm["share"], arm["published"]) for arm in told["arms"]] == [(1.0, True), (0.0, False)]
    [listed] = body(api.get("/api/v1/experiments/"))["experiments"]
    assert listed["decision"] == told["decision"] == {"code": "shares", "text": WORDS, "at": None}


def test_an_arm_names_versions_by_the_numbers_of_the_pages(api: ApiClient) -> None:
    own = experiment()
    weights, book = version(number=93), RuleBook.objects.create(number=71, rules=[PIN])
    assert (weights.pk, book.pk) != (93, 71)
    changes = {"weights": {"home": weights.pk}, "rules": book.pk, "placements": {"home": {"n": 7}}}
    own.arms.filter(position=1).update(changes=changes)
    control, arm = body(api.get(f"/api/v1/experiments/{own.code}/"))["arms"]
    assert arm["changes"] == {"weights": {"home": 93}, "rules": 71, "placements": {"home": {"n": 7}}}
    assert control["changes"] == {}
    book.delete()
    assert body(api.get(f"/api/v1/experiments/{own.code}/"))["arms"][1]["changes"]["rules"] is None


@pytest.mark.parametrize("code", ["e0", "7", "e", "e99999999999999", "E1", "e-1", "e1x"])
def test_an_experiment_that_is_not_there_is_a_404(api: ApiClient, code: str) -> None:
    problem(api.get(f"/api/v1/experiments/{code}/"), 404)


def test_an_experiment_of_practice_is_not_told(api: ApiClient) -> None:
    problem(api.get(f"/api/v1/experiments/{experiment(simulated=True).code}/"), 404)
