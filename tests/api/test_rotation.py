"""Answers while pseudonyms get a layer: they stay the same, also of processes that have not heard of it."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings

from recommendations.models import Customer
from recommendations.services.privacy.rotation import rotate_pseudonyms
from recommendations.store.live import fetch, writes
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem
from tests.api.events.conftest import EVENTS, event, results
from tests.api.test_erased import Doors
from tests.services.privacy.test_rotation import NEW, taken

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop", "one_connection")]
PEOPLE = [f"u{number}" for number in range(60)]


@pytest.fixture
def api(client_with: Callable[..., ApiClient], settings: LazySettings) -> ApiClient:
    settings.PSEUDONYM_KEYS = [*settings.PSEUDONYM_KEYS, NEW]
    writes.rebuild()
    return client_with(Scope.RECOMMENDATIONS_READ, Scope.EVENTS_WRITE)


def test_nobody_becomes_a_stranger(api: ApiClient) -> None:
    doors = Doors(api)

    def answers() -> list[bytes]:
        return [doors.ask(app, "home", user_id=user) for user in PEOPLE for app in (doors.fast, doors.django)]

    before, count = answers(), Customer.objects.count()
    assert len(set(before)) > 5
    rotate_pseudonyms()
    assert answers() == before  # a process that heard nothing goes on by the pseudonyms that it holds
    fetch.announce(fetch.Changed.PEOPLE)
    assert answers() == before
    assert snapshot_holder().any().layers == 2
    for user in PEOPLE[:3]:
        row = event(user_id=user, items=[{"item_id": "tea-0"}])
        assert [one["verdict"] for one in results(api.post(EVENTS, row))] == ["accepted"]
    assert Customer.objects.count() == count


def test_an_event_of_somebody_new_is_to_be_sent_again_while_it_goes_on(api: ApiClient) -> None:
    new, known = (event(user_id=user, items=[{"item_id": "tea-0"}]) for user in ("eve", "u1"))
    with taken():
        assert results(api.post(EVENTS, known))
        answer = api.post(EVENTS, new)
        problem(answer, 503)
        assert answer["Retry-After"]
    assert results(api.post(EVENTS, new))
