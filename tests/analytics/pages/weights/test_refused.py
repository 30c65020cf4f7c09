"""Estimates that are refused, the whole way: answers really served, clicks as a shop sends them, and the page."""

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from recommendations.engine.experiments.refusal import LEAST_WORTH, RefusalCode
from recommendations.engine.ranking.exploration import BLOCK
from recommendations.models import BlendWeights, DraftEstimate, Slate
from recommendations.services.weights import draft_estimates as service
from recommendations.simulation.past_rankings import past_sample
from recommendations.store.experiments.logged_answers import answer_log
from recommendations.store.live import writes
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.wording.metrics import percent_text
from tests import answer_logs as logs
from tests.analytics.pages.weights.forms import text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
PAGE = "/weights/earned/?blend=home"


@pytest.fixture(autouse=True)
def _fresh(_empty_valkey: None) -> None:
    writes.rebuild()


def refused_estimate(client: Client) -> DraftEstimate:
    """Ask on the page and let the worker work; there is no figure, but how sure it would be."""
    client.post("/weights/estimate/", {"blend": "home"}, headers={"HX-Request": "true"})
    service.estimate(DraftEstimate.objects.get().pk)
    estimate = DraftEstimate.objects.get()
    assert estimate.result["clicks"]["worth"] >= LEAST_WORTH
    return estimate


def pages(client: Client) -> tuple[str, str]:
    """The page in English and in Chinese."""
    english = text(client, PAGE)
    client.cookies["django_language"] = "zh-hans"
    return english, text(client, PAGE)


def test_a_draft_that_shows_what_was_never_shown(publisher: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Next to nothing from further down was ever shown; the draft brings some of it up."""
    monkeypatch.setattr(logs, "LIKED", 0.1)
    monkeypatch.setattr(logs, "OTHERS", 0.01)
    logs.explore(shuffled=0.02, cards=0.02)
    logs.click(logs.answer(600))
    logs.draft(weights=logs.mixed(0.08))
    refusal = refused_estimate(publisher).result["refusal"]
    assert refusal["code"] == RefusalCode.NEVER_SHOWN
    assert 0.1 < refusal["facts"]["share"] < 0.3
    english, chinese = pages(publisher)
    share = percent_text(refusal["facts"]["share"])
    assert f"{share} of what this draft shows was never shown to such customers. Test it live, or take a" in english
    assert "Test it live…" in english
    assert share in chinese
    assert "从未" in chinese


def test_customers_who_stop_after_a_click(publisher: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "OTHERS", 0.0)
    logs.explore(shuffled=0.1, cards=1.0)
    logs.click(logs.answer(400), stopping=1.0)
    logs.draft(weights=logs.mixed(0.08))
    refusal = refused_estimate(publisher).result["refusal"]
    assert refusal["code"] == RefusalCode.ORDER_MATTERS
    assert refusal["facts"]["together"] == 0  # nobody clicks twice
    english, chinese = pages(publisher)
    changed = percent_text(refusal["facts"]["changed"])
    assert f"0.00 times as often as they would by themselves. So a very different list, {changed} of it new" in english
    assert "Test it live." in english
    assert changed in chinese


REACH = logs.SLOTS + BLOCK - 1
"""Places that shuffled answers show."""


def coming_up(draft: BlendWeights) -> dict[int, int | None]:
    """The place now of what the draft shows first where it shows something else, by customer; None: all as now."""
    now, live = timezone.now(), BlendWeights.objects.get(blend=draft.blend, is_default=True, segment=None)
    compared, log = service.compared_weights(draft, live), answer_log("home", now=now)
    sample = past_sample(log, compared, live=current_snapshot(), now=now, progress=lambda _share: None)
    places: dict[int, int | None] = {}
    for choice in sample.choices:
        differing = np.flatnonzero(choice.draft[:REACH] != choice.ranking[:REACH])
        places[choice.customer] = None
        if len(differing):
            places[choice.customer] = choice.ranking.tolist().index(choice.draft[differing[0]])
    return places


def test_one_answer_that_carries_all(publisher: Client) -> None:
    """The draft changes the list of one of those who are answered, who clicked what it brings up from below."""
    logs.explore(shuffled=0.5, cards=0.0)
    logs.answer(60)
    places = coming_up(logs.draft(weights=logs.mixed(0.003)))
    number = logs.MadeCustomers.of_the_grocery().user
    Slate.objects.update(placement="gone")
    alike = [number[customer] for customer, place in places.items() if place is None]
    other, place = next((number[customer], place) for customer, place in places.items() if place == logs.SLOTS)
    logs.click([*logs.answer(300, users=alike), *logs.answer(60, users=range(100, 160))])  # the latter are strangers
    given = logs.answer(80, users=[other])
    shows = next(slate for slate in given if place in slate.places)
    others = {each.recommendation_id for each in given} - {shows.recommendation_id}
    Slate.objects.filter(recommendation_id__in=others).update(placement="gone")
    logs.click_place(shows, place)
    refusal = refused_estimate(publisher).result["refusal"]
    assert refusal["code"] == RefusalCode.ONE_CARRIES_ALL
    english, chinese = pages(publisher)
    share = percent_text(refusal["facts"]["share"])
    assert f"One answer would decide this figure: it makes {share} of the interval. Wait for more answers" in english
    assert share in chinese
