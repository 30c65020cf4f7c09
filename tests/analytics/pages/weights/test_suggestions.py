"""Suggested weights on their page: searched, loaded, cancelled, and limits that make no sense."""

import json
import re
from uuid import UUID, uuid4

import pytest
from django.test import Client

from recommendations.services.weights import suggestions
from recommendations.services.weights.drafts import draft_of
from tests.analytics.pages.weights.forms import HOME, flat, sliders, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def test_a_suggestion_is_searched_and_lands_on_the_sliders(publisher: Client) -> None:
    form = text(publisher, f"/weights/suggestion/?blend={HOME}")
    assert "Show at least this share of the catalogue" in form
    begun = flat(
        publisher.post(
            "/weights/suggest/",
            sliders(popularity_home=100) | {"lock": "content", "least_coverage": "0"},
        )
    )
    assert "Waiting for a worker." in begun
    assert "Waiting for a worker." in text(publisher, f"/weights/suggestion/?blend={HOME}")  # it is found again
    key = re.search(r"/weights/suggestion/([\w-]+)/cancel/", begun)[1]  # type: ignore[index]
    suggestions.search(UUID(key))
    page = text(publisher, f"/weights/suggestion/{key}/")
    assert "Suggested: Accuracy +" in page
    suggestion = json.loads(re.search(r'<script id="suggested" type="application/json">(.*?)</script>', page)[1])  # type: ignore[index]
    assert suggestion["at_once"] is True
    assert suggestion["fields"].get("w.popularity_home", 0) < 100
    assert draft_of(HOME) is None


def test_a_search_is_cancelled_and_cancelled_twice(publisher: Client) -> None:
    begun = flat(publisher.post("/weights/suggest/", sliders(content=80) | {"least_coverage": ""}))
    key = re.search(r"/weights/suggestion/([\w-]+)/cancel/", begun)[1]  # type: ignore[index]
    for _ in range(2):
        assert "The search was cancelled." in flat(publisher.post(f"/weights/suggestion/{key}/cancel/"))
    assert publisher.get(f"/weights/suggestion/{uuid4()}/").status_code == 404


def test_limits_that_make_no_sense_are_told_at_their_fields(publisher: Client) -> None:
    page = flat(publisher.post("/weights/suggest/", sliders() | {"least_coverage": "800", "least_diversity": "some"}))
    for name in ("least_coverage", "least_diversity"):
        assert f'id="{name}-error">Enter a percentage from 0 to 100, such as 8.' in page
    assert 'value="800"' in page
    wrong = flat(publisher.post("/weights/suggest/", sliders(content="x") | {"least_coverage": "0"}))
    assert "Something on the sliders is not right: check there first." in wrong
