"""An event is stored once, however often and however many at once send it."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connections
from django.http import HttpResponse

from recommendations.models import Customer, CustomerAlias, Event, Item
from recommendations.terms import Scope
from tests.api.conftest import ApiClient
from tests.api.events.conftest import EVENTS, accepted, event, key_of, purchase, results, when


def test_a_retry_is_a_duplicate(api: ApiClient) -> None:
    rows = [event(), purchase(items=[{"item_id": "SKU1"}, {"item_id": "SKU2"}])]
    assert [row["verdict"] for row in results(api.post(EVENTS, {"events": rows}))] == ["accepted", "accepted"]
    answer = api.post(EVENTS, {"events": [*rows, event()]})
    assert [row["verdict"] for row in results(answer)] == ["duplicate", "duplicate", "accepted"]
    assert (answer.json()["accepted"], answer.json()["duplicates"]) == (1, 2)
    assert Event.objects.count() == 4


def test_an_event_twice_in_a_body_is_a_duplicate(api: ApiClient) -> None:
    row = event()
    same = row | {"timestamp": datetime.fromisoformat(row["timestamp"]).astimezone(None).isoformat(), "user_id": "u2"}
    verdicts = [result["verdict"] for result in results(api.post(EVENTS, {"events": [row, same, row]}))]
    assert verdicts == ["accepted", "duplicate", "duplicate"]
    assert Event.objects.get().customer_id == key_of("u1")


def test_another_time_is_another_event(api: ApiClient) -> None:
    row = event()
    accepted(api, row)
    assert results(api.post(EVENTS, row | {"timestamp": when(hours=2)}))[0]["verdict"] == "accepted"
    assert Event.objects.count() == 2


def test_two_identical_posts_at_once_are_stored_once(
    transactional_db: None, client_with: Callable[..., ApiClient]
) -> None:
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title="x") for number in range(5))
    client = client_with(Scope.EVENTS_WRITE)
    rows = [
        event(user_id=f"u{n % 7}", anonymous_id=f"a{n % 7}", items=[{"item_id": f"SKU{n % 5}"}]) for n in range(100)
    ]
    bodies = [{"events": rows}, {"events": rows[::-1]}] * 3
    answers: list[HttpResponse] = []
    barrier = threading.Barrier(len(bodies))

    def post(body: dict[str, Any]) -> None:
        barrier.wait()
        answers.append(ApiClient(client.headers["Authorization"]).post(EVENTS, body))
        connections.close_all()

    threads = [threading.Thread(target=post, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [202] * 6
    assert sum(answer.json()["accepted"] for answer in answers) == 100
    assert sum(answer.json()["duplicates"] for answer in answers) == 500
    assert Event.objects.count() == 100
    assert Customer.objects.count() == 14
    assert CustomerAlias.objects.count() == 7
