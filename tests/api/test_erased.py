"""Who was erased is a stranger from the next answer on: at every door, in every process, with servers away."""

import io
import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
import redis
from django.core.handlers.wsgi import WSGIHandler
from django.db import DatabaseError
from django.test import RequestFactory
from django.utils import timezone

from recommendations.api.fast_path import Door
from recommendations.event_types import EventName
from recommendations.models import Arm, Customer, CustomerAlias, Event, Experiment, Item, Unit
from recommendations.privacy_terms import EraseMode
from recommendations.serving.answer_cache import answer_cache
from recommendations.store.erasure.burial import bury
from recommendations.store.erasure.subjects import subject_of
from recommendations.store.events.known_customers import customer_keys
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.holders.learned import LEARNED
from recommendations.store.holders.protocol import Subject
from recommendations.store.live import fetch, writes
from recommendations.store.live.change_watch import LOOK
from recommendations.store.live.erased_keys import ErasedKeys
from recommendations.store.live.state import LiveEvent
from recommendations.store.serving import snapshot_holder as holders
from recommendations.store.serving.served_audiences import ServedAudiences
from recommendations.store.serving.snapshot_holder import SnapshotHolder, snapshot_holder
from recommendations.store.valkey_keys import newcomer
from recommendations.terms import CustomerKind, ExperimentKind, ExperimentStatus, Metric, Scope
from tests.api.conftest import ApiClient
from tests.api.test_recommend import body
from tests.dead_servers import dead_valkey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop", "one_connection")]

OWN_NUMBER = re.compile(rb'"recommendation_id":"r-[0-9a-f]+"')
VISITOR = CustomerKind.ANONYMOUS


@pytest.fixture
def api(client_with: Callable[..., ApiClient]) -> ApiClient:
    writes.rebuild()
    return client_with(Scope.RECOMMENDATIONS_READ, Scope.EVENTS_WRITE)


class Doors:
    """Both doors of the API, asked as a web server does."""

    def __init__(self, api: ApiClient) -> None:
        self.django, self._headers = WSGIHandler(), {"HTTP_AUTHORIZATION": api.headers["Authorization"]}
        self.fast = Door(self.django)
        self.ask(self.fast, "home", user_id="u11")  # Django's headers are learned from its first answer

    def ask(self, app: Any, placement: str, **query: Any) -> bytes:
        """The body, without the answer's own number."""
        path = f"/api/v1/placements/{placement}/recommend/"
        given = {"QUERY_STRING": urlencode(query), "HTTP_HOST": "127.0.0.1:8000", "wsgi.input": io.BytesIO()}
        environ = RequestFactory().get(path).environ | self._headers | given
        content = b"".join(app(environ, lambda *_start: None))
        assert OWN_NUMBER.search(content)
        return OWN_NUMBER.sub(b"", content)


def erase(user_id: str | None, *anonymous: str) -> None:
    bury(subject_of(user_id, anonymous), mode=EraseMode.FORGET, now=timezone.now())
    fetch.announce(fetch.Changed.PEOPLE)  # which a commit does; a test has none


def key_of(shop_id: str, kind: CustomerKind = CustomerKind.SIGNED_IN) -> int:
    return Customer.objects.get(pseudonym=pseudonym(shop_id, kind=kind)).pk


def marks() -> Any:
    return fetch.state_of(None, since=None).changed


def joined(anonymous_id: str, user_id: str) -> None:
    visitor = Customer.objects.create(pseudonym=pseudonym(anonymous_id, kind=VISITOR), kind=VISITOR)
    CustomerAlias.objects.create(anonymous=visitor, customer_id=key_of(user_id), source="api")


def seen(user_id: str, item: str) -> None:
    writes.remember(
        [LiveEvent(key_of(user_id), EventName.VIEW_ITEM, Item.objects.get(shop_id=item).pk, timezone.now())]
    )


@pytest.mark.parametrize("placement", ["home", "discover", "buy_again"])
def test_an_erased_id_gets_a_strangers_answer_byte_for_byte(api: ApiClient, placement: str) -> None:
    joined("phone", "u0")
    seen("u0", "tea-0")
    doors = Doors(api)
    names: list[dict[str, str]] = [{"user_id": "u0"}, {"anonymous_id": "phone"}]
    personal = [doors.ask(app, placement, **name) for app in (doors.fast, doors.django) for name in names]
    erase("u0")
    for app in (doors.fast, doors.django):
        for name, kind in ((names[0], "user_id"), (names[1], "anonymous_id")):
            stranger = doors.ask(app, placement, **{kind: "never-seen"})
            for _ in range(2):  # made, and given again
                assert doors.ask(app, placement, **name) == stranger
            assert stranger not in personal


def test_every_other_answer_is_a_strangers_from_the_first_on(api: ApiClient) -> None:
    def in_batch(user: str) -> Any:
        asked = {"placement": "home", "users": [{"user_id": user}]}
        return body(api.post("/api/v1/recommendations/batch/", asked))["results"][0]["recommendation"]

    def on_page(user: str) -> Any:
        return body(api.post("/api/v1/pages/home/recommend/", {"user_id": user}))["slots"]

    def interests(user: str) -> Any:
        return body(api.get(f"/api/v1/users/{user}/interests/"))

    def of(answer: Any) -> str:
        return re.sub(r"'(recommendation_id|user_id)': '[^']*'", "", repr(answer))

    for number, door in enumerate([in_batch, on_page, interests]):
        user, other = f"u{number}", f"u{number + 4}"
        stranger, personal = of(door("never-seen")), of(door(other))
        assert of(door(user)) != stranger != personal
        erase(user)
        assert of(door(user)) == of(door("never-seen")) == stranger
        assert of(door(other)) == personal


def test_who_comes_back_is_somebody_new_in_every_way(api: ApiClient) -> None:
    event = {"name": "view_item", "user_id": "u0", "items": [{"item_id": "tea-0"}]}

    def send(number: int) -> None:
        sent = {**event, "event_id": f"00000000-0000-4000-8000-{number:012d}", "timestamp": timezone.now().isoformat()}
        assert json.loads(api.post("/api/v1/events/", {"events": [sent]}).content)["accepted"] == 1

    old = key_of("u0")
    send(1)  # this process holds the key now
    erase("u0")
    time.sleep(LOOK)
    send(2)
    new = key_of("u0")
    assert new != old
    assert Event.objects.filter(customer=new).count() == 1
    assert Event.objects.filter(customer=old, name="view_item").count() == 1
    snapshot = snapshot_holder().current(marks())
    assert customer_keys(snapshot.customers, [pseudonym("u0")], gone=snapshot.gone) == [new]


def test_what_is_held_of_people_is_held_no_more(api: ApiClient) -> None:
    doors = Doors(api)
    doors.ask(doors.fast, "home", user_id="u0")
    before, as_tested = answer_cache(), snapshot_holder().as_tested(marks()).model
    assert before._kept
    erase("u0")
    time.sleep(LOOK)
    doors.ask(doors.fast, "home", user_id="u1")
    assert answer_cache() is not before
    assert "u0" not in repr(answer_cache()._kept.keys())
    assert snapshot_holder().as_tested(marks()).model is not as_tested


def test_a_process_that_slept_while_the_row_came_and_went_knows_all_the_same() -> None:
    holder, here = SnapshotHolder(), pseudonym("u0")
    old = key_of("u0")
    assert holder.current(marks()).customers.get(here) == old
    erase("u0")
    LEARNED.erase(Subject(keys=frozenset({old})), now=timezone.now())  # before which no row goes
    Customer.objects.filter(pk=old).delete()
    holder._checked -= holders.DEAF  # half a minute, in which it answered nobody
    assert here not in holder.current(marks()).customers


def test_a_lost_mark_costs_a_second_while_valkey_is_away() -> None:
    holder, here = SnapshotHolder(), pseudonym("u0")
    held = holder.current(marks())
    bury(subject_of("u0", []), mode=EraseMode.FORGET, now=timezone.now())
    assert here in holder.current(held.changed).customers
    with dead_valkey():
        holder._checked -= holders.RECHECK_ALONE
        assert here not in holder.current(None).customers


def test_who_was_erased_while_postgresql_is_away_is_not_known_and_neither_is_anybody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    holder, changed = SnapshotHolder(), marks()
    everybody = [pseudonym(f"u{number}") for number in range(10)]
    assert all(value in holder.current(changed).customers for value in everybody)
    erase("u0")
    with monkeypatch.context() as away:
        away.setattr(ErasedKeys, "hear", _away)
        away_now = holder.current(marks()).customers
        assert not any(value in away_now for value in everybody)
    holder._record.close()
    assert pseudonym("u0") not in holder.current(marks()).customers
    assert pseudonym("u1") in holder.current(marks()).customers


def _away(_self: ErasedKeys) -> frozenset[int]:
    raise DatabaseError("away")


def test_a_key_that_valkey_told_too_late_is_nobodys(valkey: redis.Redis) -> None:
    writes.rebuild()
    old, here = key_of("u0"), pseudonym("u0")
    erase("u0")
    snapshot = snapshot_holder().current(marks())
    valkey.set(newcomer(here), old)  # by a thread that had made the row just before
    for _ in range(2):
        assert customer_keys(snapshot.customers, [here], gone=snapshot.gone) == [None]
    assert here not in snapshot.customers


def test_an_objection_is_forgotten_with_who_objected() -> None:
    objector = key_of("u1")
    Customer.objects.filter(pk=objector).update(personalise=False)
    holder = SnapshotHolder()
    assert objector in holder.current(marks()).objectors
    erase("u1")
    assert objector not in holder.current(marks()).objectors


def test_the_arm_of_a_merger_is_forgotten_with_who_was_merged() -> None:
    test = Experiment.objects.create(
        name="Test", kind=ExperimentKind.AB, salt=b"s" * 16, primary=Metric.REVENUE,
        status=ExperimentStatus.RUNNING, started_at=timezone.now(),
    )  # fmt: skip
    arms = [Arm.objects.create(experiment=test, position=position, changes={}, share=0.5) for position in (0, 1)]
    for number, user in enumerate(("u0", "u1")):
        held = {"customer_id": key_of(user), "arm": arms[0], "stays_in": arms[1], "first_at": timezone.now()}
        Unit.objects.create(experiment=test, unit=number, **held)
    holder = SnapshotHolder()
    assert holder.current(marks()).experiments[0].stays == {0: 1, 1: 1}
    erase("u0")
    assert holder.current(marks()).experiments[0].stays == {1: 1}


def test_an_audience_goes_on_without_who_is_gone() -> None:
    members = {3: np.array([1, 5, 9]), 4: np.array([2])}
    audiences = ServedAudiences(members=members, generations={3: 7, 4: 1})
    assert audiences.without([8]) is audiences
    after = audiences.without([5, 8])
    assert [list(after.members[key]) for key in (3, 4)] == [[1, 9], [2]]
    assert (after.of(5), after.of(9), after.generations) == ((), (3,), audiences.generations)
