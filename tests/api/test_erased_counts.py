"""What is held of somebody is what the receipt of their erasure says was found, holder by holder."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
import redis
from django.core.files.storage import default_storage
from django.test import TestCase

from analytics.queries.privacy.holdings import held_of
from recommendations.models import Customer
from recommendations.privacy_terms import HolderCode
from recommendations.services.privacy.work import do_request
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import writes
from recommendations.store.serving.slates import write_slates
from recommendations.terms import CustomerKind, Scope
from recommendations.wording.privacy import labels
from tests.api.conftest import ApiClient
from tests.holders import FOLDER, Person, World, furnish, stored_files, world
from tests.store.holders.test_live import fill

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop", "one_connection")]


@pytest.fixture
def shared() -> Iterator[World]:
    yield world()
    for name in list(stored_files()):
        default_storage.delete(f"{FOLDER}/{name}")


def shopper(of: World, valkey: redis.Redis) -> Person:
    """Somebody of whom the models learned, and every other place has something, too."""
    visitor = Customer.objects.create(pseudonym=pseudonym("u3", kind=CustomerKind.ANONYMOUS), kind="anonymous")
    made = Person(name="u3", customer=Customer.objects.get(pseudonym=pseudonym("u3")), visitor=visitor)
    furnish(of, made)
    writes.rebuild()
    fill(made.customer.pk, valkey)
    return made


def test_a_receipt_finds_what_was_held_before(
    client_with: Callable[..., ApiClient], shared: World, valkey: redis.Redis
) -> None:
    one = shopper(shared, valkey)
    server = client_with(Scope.PRIVACY_WRITE, Scope.RECOMMENDATIONS_READ)
    answer: Any = server.get("/api/v1/placements/home/recommend/", user_id=one.name)
    assert answer.json()["personalised"]  # so this process holds them as well
    write_slates()
    held = server.get("/api/v1/users/u3/privacy/").json()["holders"]
    assert {code for code, number in held.items() if not number} == {HolderCode.PROCESSES}
    on_page = {code: dict(held_of(one.customer.pk).rows).get(str(words), 0) for code, words in labels.HOLDERS}
    assert on_page == held

    with TestCase.captureOnCommitCallbacks(execute=True):
        asked = server.post("/api/v1/users/erase/", {"user_id": "u3", "anonymous_ids": ["u3"]}).json()
    do_request(UUID(asked["request_id"]))

    receipt = server.get(f"{asked['status_url']}receipt/").json()["receipts"][0]["document"]
    counts = receipt["holders"]
    assert {code: entry["found"] for code, entry in counts.items()} == held
    assert {code: entry["deleted"] + entry["changed"] for code, entry in counts.items()} == held
