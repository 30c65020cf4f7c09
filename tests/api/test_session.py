"""An anonymous visitor's first click changes the next answer, through the doors that a shop uses."""

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from recommendations.terms import Scope
from tests.api.conftest import ApiClient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

Clicks = Callable[..., None]
Asks = Callable[..., dict[str, Any]]


@pytest.fixture
def click(client_with: Callable[..., ApiClient], django_capture_on_commit_callbacks: Any) -> Clicks:
    api = client_with(Scope.EVENTS_WRITE)

    def send(item: str, *, visitor: str, seconds_ago: float = 1, **more: Any) -> None:
        event = {
            "event_id": str(uuid.uuid4()), "name": "view_item", "anonymous_id": visitor, "items": [{"item_id": item}],
            "timestamp": (timezone.now() - timedelta(seconds=seconds_ago)).isoformat(), **more,
        }  # fmt: skip
        with django_capture_on_commit_callbacks(execute=True):
            answer = api.post("/api/v1/events/", {"events": [event]})
        assert answer.status_code == 202, answer.content

    return send


@pytest.fixture
def home(client_with: Callable[..., ApiClient]) -> Asks:
    api = client_with(Scope.RECOMMENDATIONS_READ)

    def ask(visitor: str | None, **more: Any) -> dict[str, Any]:
        answer = api.post("/api/v1/placements/home/recommend/", {"anonymous_id": visitor, "n": 8, **more})
        assert answer.status_code == 200, answer.content
        return dict(json.loads(answer.content))

    return ask


def ids(found: dict[str, Any]) -> list[str]:
    return [result["item_id"] for result in found["results"]]


def named(found: dict[str, Any]) -> set[str]:
    """The items that the reasons speak of."""
    reasons = [reason for result in found["results"] for reason in result["reasons"]]
    return {reason["evidence"]["item_id"] for reason in reasons if "item_id" in reason["evidence"]}


def test_the_answer_follows_a_visitor_from_the_first_click_on(click: Clicks, home: Asks) -> None:
    before = home("a1")
    assert (before["source"], before["fallback_reason"], before["personalised"]) == ("popular", "no_history", False)
    click("tea-0", visitor="a1", seconds_ago=20)
    first = home("a1", session_id="s7")
    assert (first["source"], first["fallback_reason"], first["personalised"]) == ("session", None, True)
    assert ids(first) != ids(before)
    assert ids(first)[0].startswith("tea-")
    assert "tea-0" not in ids(first)
    assert named(first) == {"tea-0"}
    click("wine-0", visitor="a1", seconds_ago=10)
    second = home("a1")
    assert ids(second) != ids(first)
    assert ids(second)[0].startswith("wine-")
    assert "wine-0" in named(second)
    assert home("a1", session_id="other")["results"] == second["results"]  # acts are looked up by visitor
    assert ids(home("a2")) == ids(before)


def test_a_visitor_not_to_be_personalised_gets_the_answer_for_everybody(click: Clicks, home: Asks) -> None:
    everybodys = home(None)["results"]
    click("tea-0", visitor="a1")
    answer = home("a1", personalise=False)
    assert (answer["results"], answer["personalised"], answer["fallback_reason"]) == (
        everybodys, False, "not_personalised",
    )  # fmt: skip
    click("tea-1", visitor="a1", consent={"personalisation": False})
    objected = home("a1")
    assert (objected["results"], objected["personalised"]) == (everybodys, False)
