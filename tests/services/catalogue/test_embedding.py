"""Texts of the catalogue get vectors of a service in the background; what it fails at is counted and tried again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from recommendations.models import EmbeddingSpace, Item, ItemVector, Run
from recommendations.services.catalogue import embedding
from recommendations.services.catalogue.embedding import BATCH, embed_items
from recommendations.vector_terms import VectorProvider
from tests.channels.web_server import WebServer, web_server

pytestmark = pytest.mark.django_db


@dataclass
class Embedder:
    """A service: the length of its vectors, and of how many of the texts that it is sent it gives any."""

    web: WebServer
    dimensions: int = 3
    most: int = BATCH

    def body(self, post: bytes) -> bytes:
        texts = json.loads(post)["input"][: self.most]
        vectors = [[float(len(text)), *[1.0] * (self.dimensions - 1)] for text in texts]
        return json.dumps({"data": [{"index": at, "embedding": each} for at, each in enumerate(vectors)]}).encode()

    @property
    def sent(self) -> list[str]:
        return [text for post in self.web.posts for text in json.loads(post.body)["input"]]


@pytest.fixture
def service(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedder]:
    monkeypatch.setattr("recommendations.channels.embeddings.PAUSE", 0.0)
    with web_server() as web:
        settings.EMBEDDING_URL, settings.EMBEDDING_MODEL, settings.EMBEDDING_KEY = f"{web.origin}/v1", "small", ""
        own = Embedder(web)
        web.made = own.body
        yield own


def stock(n: int, *, first: int = 0) -> None:
    Item.objects.bulk_create(Item(shop_id=f"i{at}", title=f"Thing {at}") for at in range(first, first + n))


def outcome() -> dict[str, Any]:
    return {name: value for name, value in EmbeddingSpace.objects.get().outcome.items() if value and name != "run"}


def embed() -> int:
    return embed_items(now=timezone.now())


def test_without_a_service_nothing_is_asked(settings: LazySettings) -> None:
    settings.EMBEDDING_URL = ""
    stock(1)
    assert embed() == 0
    assert not EmbeddingSpace.objects.exists()


def test_each_text_is_sent_once_and_in_batches(service: Embedder) -> None:
    stock(BATCH + 5)
    Item.objects.create(shop_id="twin", title="Thing 0")
    assert embed() == BATCH + 5
    assert [len(json.loads(post.body)["input"]) for post in service.web.posts] == [BATCH, 5]
    assert ItemVector.objects.count() == BATCH + 6  # one text of two items
    assert outcome() == {"sent": BATCH + 5, "embedded": BATCH + 5}
    assert embed() == 0
    Item.objects.filter(shop_id="i1").update(title="Another", price=3)
    assert embed() == 1
    assert service.sent[-1] == "Another"
    assert len(service.sent) == BATCH + 6


def test_a_run_is_given_so_many_and_the_next_one_more(service: Embedder, settings: LazySettings) -> None:
    settings.EMBEDDING_PER_RUN = 2
    stock(5)
    assert [embed(), embed()] == [2, 0]
    Run.objects.create(now=timezone.now())
    assert [embed(), embed()] == [2, 0]
    assert outcome() == {"sent": 2, "embedded": 2}
    assert len(service.sent) == 4


def test_another_model_empties_the_space(service: Embedder, settings: LazySettings) -> None:
    own = EmbeddingSpace.objects.create(name="own", provider=VectorProvider.GIVEN, dimensions=2)
    stock(3)
    embed()
    settings.EMBEDDING_MODEL, service.dimensions = "large", 4
    assert embed() == 3
    space = EmbeddingSpace.objects.exclude(pk=own.pk).get()
    assert (space.model, space.dimensions) == ("large", 4)
    assert set(ItemVector.objects.values_list("dimensions", flat=True)) == {4}


def test_a_service_that_answers_for_few_is_asked_again_for_the_others(service: Embedder) -> None:
    stock(10)
    service.most = 3
    assert embed() == 3
    assert outcome() == {"sent": 10, "embedded": 3, "missing": 7}
    assert embed() == 3
    assert outcome() == {"sent": 17, "embedded": 6, "missing": 11}


def test_a_service_that_answers_nothing_of_use_is_left_alone(service: Embedder) -> None:
    stock(BATCH + 1)
    service.most = 0
    assert embed() == 0
    assert len(service.web.posts) == 1
    assert outcome() == {"sent": BATCH, "missing": BATCH, "failure": f"none of {BATCH} vectors could be used"}
    service.most = BATCH
    assert embed() == BATCH + 1
    assert "failure" not in outcome()


def test_a_failure_ends_with_what_failed(service: Embedder) -> None:
    stock(1)
    service.most = 0
    embed()
    assert "failure" in outcome()
    Item.objects.update(retired_at=timezone.now())
    embed()
    assert "failure" not in outcome()
    assert len(service.web.posts) == 1


def test_vectors_of_another_length_are_not_taken(service: Embedder) -> None:
    stock(1)
    embed()
    stock(2, first=1)
    service.dimensions = 5
    assert embed() == 0
    assert outcome()["other_dimension"] == 2
    assert set(ItemVector.objects.values_list("dimensions", flat=True)) == {3}


@pytest.mark.parametrize("conduct", ["cut_before", "cut_after"])
def test_a_service_that_is_down_costs_a_try_and_no_more(service: Embedder, conduct: str) -> None:
    stock(BATCH * 2)
    service.web.conduct = conduct
    assert embed() == 0
    assert len(service.web.posts) <= 3
    assert outcome() == {"failure": "no answer in time: ProtocolError"} or "failure" in outcome()
    assert not ItemVector.objects.exists()
    service.web.conduct = ""
    assert embed() == BATCH * 2


def test_a_turn_ends_in_time(service: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    stock(3)
    monkeypatch.setattr(embedding, "PATIENCE", -1.0)
    assert embed() == 0
    assert service.sent == []


def test_only_the_catalogue_is_sent(service: Embedder) -> None:
    Item.objects.create(
        shop_id="i1", title="Milk", brand="Acme", price=3, cost=2, available_quantity=7, url="https://shop.example/a"
    )
    embed()
    assert service.sent == ["Milk Acme"]
