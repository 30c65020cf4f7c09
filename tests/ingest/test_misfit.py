"""An error of msgspec becomes a sentence that says what to send instead, at its place."""

from typing import Any

import msgspec
import pytest
from django.utils.translation import override

from recommendations.api.customers.identity import IdentityBody
from recommendations.api.customers.merge import MergeBody
from recommendations.api.recommend_bodies import BatchBody, RecommendBody, RecommendQuery
from recommendations.ingest.event_schema import EventBatch, EventForm
from recommendations.ingest.misfit import misfit
from recommendations.services.catalogue.item_schema import ItemBatch, ItemForm
from recommendations.services.contacts.forms import ContactChanges

EVENT = {
    "event_id": "0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6",
    "name": "view_homepage",
    "timestamp": "2026-09-01T10:02:11Z",
}
SAID = {"purpose": "news", "state": "refused"}
WRONG: tuple[Any, ...] = (None, True, 1, 1.5, -1, 1e400, 2**64 - 1, "", "x", "x" * 200_000, [], [[]], {}, ["x"] * 2_000)
"""Values of which each field takes some, and refuses the others."""


def refusal(kind: type, given: Any, *, lax: bool = False) -> tuple[str, str]:
    with pytest.raises(msgspec.ValidationError) as error:
        msgspec.convert(given, kind, strict=not lax)
    reason = misfit(error.value)
    return reason.pointer, reason.reason


@pytest.mark.parametrize(
    ("kind", "given", "pointer", "reason"),
    [
        (IdentityBody, {"user_id": "u1", "seconds": 43_201}, "/seconds", "Send a number of at most 43200."),
        (IdentityBody, {"user_id": "u1", "seconds": 59}, "/seconds", "Send a number of at least 60."),
        (IdentityBody, {"user_id": "u1", "seconds": "60"}, "/seconds", "Send a whole number, not a string."),
        (IdentityBody, {"user_id": ""}, "/user_id", "Send at least 1 character."),
        (IdentityBody, {"user_id": "u" * 129}, "/user_id", "Send at most 128 characters."),
        (IdentityBody, {"user_id": "u1", "anonymous_id": 7}, "/anonymous_id",
         "Send a string or null, not a whole number."),
        (IdentityBody, {}, "/user_id", "The field is missing."),
        (IdentityBody, {"user_id": "u1", "a/b": 1}, "/a~1b", "The field is unknown."),
        (IdentityBody, [], "", "Send an object, not an array."),
        (ContactChanges, {"consents": [SAID, SAID | {"proof": {"form": 1}}]}, "/consents/1/proof",
         "Send a string, not a whole number."),
        (ContactChanges, {"consents": [SAID | {"proof": None}]}, "/consents/0/proof", "Send an object, not null."),
        (EventForm, {**EVENT, "event_id": "7"}, "/event_id",
         "Send a UUID such as 0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6."),
        (EventForm, {**EVENT, "timestamp": "noon"}, "/timestamp", "Send a time such as 2026-09-01T10:02:11Z."),
        (EventForm, {**EVENT, "rating_scale": 0}, "/rating_scale", "Send a number above 0."),
        (EventForm, {**EVENT, "items": [{"item_id": "a", "index": 1.5}]}, "/items/0/index",
         "Send a whole number or null, not a number with decimals."),
        (EventBatch, {"events": []}, "/events", "Send at least 1 element."),
        (ItemForm, {"title": "a", "price": "19,90"}, "/price", "Send a number such as 19.90."),
        (ItemForm, {"title": "a", "embedding": {"space": "My Net", "values": [1]}}, "/embedding/space",
         "The text does not fit the pattern ^[a-z0-9][a-z0-9._-]{0,39}$."),
        (ItemForm, {"title": "a", "kind": "it's a \"song\""}, "/kind",
         "“it's a \"song\"” is not a valid value for this field; /api/docs/ lists them."),
    ],
)  # fmt: skip
def test_an_error_says_what_to_send(kind: type, given: Any, pointer: str, reason: str) -> None:
    assert refusal(kind, given) == (pointer, reason)


def test_a_parameter_of_a_query_says_what_to_send() -> None:
    assert refusal(RecommendQuery, {"n": "many"}, lax=True) == ("/n", "Send a whole number or null, not a string.")
    assert refusal(RecommendQuery, {"fields": ["all"]}, lax=True)[0] == "/fields/0"


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (EventForm, EVENT), (ItemForm, {"title": "a"}), (ItemBatch, {"items": []}), (RecommendBody, {}),
        (BatchBody, {"placement": "home", "users": [{}]}), (MergeBody, {"user_id": "u", "anonymous_id": "a"}),
    ],
)  # fmt: skip
def test_no_field_answers_in_the_words_of_the_library(kind: Any, given: dict[str, Any]) -> None:
    seen = 0
    for name in kind.__struct_fields__:
        for value in WRONG:
            try:
                msgspec.json.decode(msgspec.json.encode({**given, name: value}), type=kind)
            except msgspec.ValidationError as error:
                reason = misfit(error).reason
                assert not {"`", "Expected", "Invalid"} & {*reason, *reason.split()}, (name, reason)
                assert reason.endswith(".")
                seen += 1
    assert seen > 3


def test_the_sentences_are_translated() -> None:
    with override("zh-hans"):
        assert refusal(IdentityBody, {"user_id": "u1", "seconds": 59}) == ("/seconds", "请发送不小于 60 的数字。")
        assert refusal(EventBatch, {"events": []}) == ("/events", "请至少发送 1 个元素。")
