"""Who does not want to be known is a stranger: whatever they did, their answers are those of an id never seen.

Two hundred histories: ``OBJECTORS=200 make check FILE="tests/api/test_objectors.py tests/loop/test_objectors.py"
ARGS=--timeout=7200``.
"""

import os
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from recommendations.models import Item, LiveProfile, Placement, Slate
from recommendations.privacy_terms import DataPurpose, PurposeState
from recommendations.store.events.purpose_words import Consent, note_consent
from recommendations.store.live import writes
from recommendations.store.process_held import drop_all
from recommendations.store.serving import slates
from recommendations.terms import Scope
from tests.api.conftest import ApiClient
from tests.api.test_erased import Doors
from tests.objectors import TURNS, key_of, object_to

DRAWS = int(os.environ.get("OBJECTORS", "4"))
NOW = timezone.now()

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop", "one_connection")]


@pytest.fixture
def doors(client_with: Callable[..., ApiClient]) -> Doors:
    writes.rebuild()
    return Doors(client_with(Scope.RECOMMENDATIONS_READ, Scope.EVENTS_WRITE))


def asked(placement: Placement) -> dict[str, str]:
    item = Item.objects.order_by("pk").values_list("shop_id", flat=True)[0]
    return {"item_id": item} if placement.needs_context else {}


def test_an_objectors_answer_is_a_strangers_whatever_they_did(doors: Doors) -> None:
    rng, key = np.random.default_rng(7), key_of("u0")
    places = [(place.name, asked(place)) for place in Placement.objects.filter(enabled=True).order_by("pk")]
    before = [doors.ask(doors.fast, name, user_id="u0", **context) for name, context in places]
    stranger = [doors.ask(doors.fast, name, user_id="never-seen", **context) for name, context in places]
    assert sum(one != other for one, other in zip(before, stranger, strict=True)) > 2
    object_to(key, at=NOW)
    unknown = {
        name: doors.ask(doors.fast, name, user_id="never-seen", personalise="false", **context)
        for name, context in places
    }
    for draw in range(DRAWS):
        TURNS[draw % len(TURNS)](key, rng)
        writes.rebuild(afresh=draw % 2 == 0)
        drop_all()
        door = doors.fast if draw % 2 else doors.django
        for name, context in places:
            assert doors.ask(door, name, user_id="u0", **context) == unknown[name], (name, draw)


def test_who_agrees_again_is_a_stranger_to_a_model_of_before(doors: Doors) -> None:
    """By the live word at once, by the record from the next reading on, and after the memory was made anew."""
    key = key_of("u3")
    places = [(place.name, asked(place)) for place in Placement.objects.filter(enabled=True).order_by("pk")]
    unknown = [doors.ask(doors.fast, name, user_id="never-seen", **context) for name, context in places]
    known = [doors.ask(doors.fast, name, user_id="u3", **context) for name, context in places]
    assert known != unknown
    object_to(key, at=NOW)
    doors.ask(doors.fast, "home", user_id="u3")
    words = [Consent(key, PurposeState.GIVEN, NOW + timedelta(seconds=1))]
    writes.remember(writes.told_of_words(note_consent(words)))
    for change in (lambda: None, drop_all, lambda: (writes.rebuild(afresh=True), drop_all())):
        change()
        for door in (doors.fast, doors.django):
            assert [doors.ask(door, name, user_id="u3", **context) for name, context in places] == unknown
    words = [Consent(key, PurposeState.GIVEN, NOW + timedelta(seconds=2), resume=True)]
    writes.remember(writes.told_of_words(note_consent(words)))
    drop_all()
    assert [doors.ask(doors.fast, name, user_id="u3", **context) for name, context in places] != unknown


def test_what_was_inferred_of_them_is_gone_at_once(doors: Doors) -> None:
    key = key_of("u1")
    assert LiveProfile.objects.filter(customer=key).exists()
    object_to(key, at=NOW)
    assert not LiveProfile.objects.filter(customer=key).exists()
    assert LiveProfile.objects.filter(customer=key_of("u2")).exists()
    assert doors.ask(doors.fast, "home", user_id="u1")


def test_answers_to_who_is_not_measured_are_personal_and_nobodys(doors: Doors) -> None:
    personal = doors.ask(doors.django, "home", user_id="u3")
    object_to(key_of("u3"), DataPurpose.MEASURE, at=NOW - timedelta(minutes=1))
    for door in (doors.django, doors.fast):
        assert doors.ask(door, "home", user_id="u3") == personal
    slates.log().send()
    slates.write_slates()
    *_others, named, one, other = Slate.objects.filter(placement="home").order_by("served_at")
    assert named.customer_id == key_of("u3")
    assert {(slate.customer_id, slate.unit, slate.state) for slate in (one, other)} == {(None, None, None)}
