"""Vectors from outside stand on *Imports*: whose they are, how many, and what a service did not give."""

from pathlib import Path

import numpy as np
import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recommendations.models import EmbeddingSpace, Item, ModelVersion, Run
from recommendations.services.catalogue.spaces import outside_vectors
from recommendations.store.models.artefacts import save_arrays
from recommendations.store.models.model import SPACE_ENDS, SPACES
from recommendations.store.vectors.item_texts import digests_of
from recommendations.store.vectors.item_vectors import NewVector, save_vectors, unit
from recommendations.terms import Cut, VersionStatus
from recommendations.vector_terms import VectorProvider
from tests.trained import artefact_folder

pytestmark = pytest.mark.django_db


def page(admin: Client) -> str:
    return admin.get(reverse("imports")).content.decode()


def embed(space: EmbeddingSpace, *items: Item) -> None:
    values = unit([1, 2])
    assert values is not None
    digests = digests_of(space, [item.pk for item in items])
    save_vectors(space, {key: NewVector(own, values) for key, own in digests.items()}, now=timezone.now())


def test_without_vectors_nothing_is_said_of_any(admin: Client, settings: LazySettings) -> None:
    assert "vectors-title" not in page(admin)
    settings.EMBEDDING_URL = "https://embed.example/v1"
    assert "A service is set, and was not asked yet." in page(admin)


def test_spaces_tell_whose_they_are_and_what_is_wrong(admin: Client, settings: LazySettings) -> None:
    settings.EMBEDDING_URL = "https://embed.example/v1"
    sold, other, gone = (Item.objects.create(shop_id=name, title=name) for name in ("a", "b", "c"))
    own = EmbeddingSpace.objects.create(name="own", provider=VectorProvider.GIVEN)
    outcome = {"run": "", "sent": 9, "embedded": 4, "missing": 1_234, "other_dimension": 1, "failure": "HTTP 503"}
    http = EmbeddingSpace.objects.create(
        name="http", provider=VectorProvider.HTTP, model="small-2", asked_at=timezone.now(), outcome=outcome
    )
    embed(own, sold, other, gone)
    embed(http, sold)
    Item.objects.filter(pk=gone.pk).update(retired_at=timezone.now())
    vectors = outside_vectors(None)
    assert vectors is not None
    assert not vectors.awaited
    states = [(each.space.name, each.items, each.share, each.sameness) for each in vectors.spaces]
    assert states == [("http", 1, 0.5, None), ("own", 2, 1.0, None)]
    text = page(admin)
    for words in (
        "small-2", "The service does not help now: HTTP 503.", "1,234 texts got no vector since the last run",
        "1 vector had another length",
    ):  # fmt: skip
        assert words in text


def test_the_space_of_pictures_tells_what_could_not_be_looked_at(admin: Client) -> None:
    outcome = {"run": "", "asked": 9, "seen": 7, "faulty": 2, "failure": "net.pth is no file of weights"}
    EmbeddingSpace.objects.create(
        name="picture", provider=VectorProvider.PICTURE, model="lite0", dimensions=4, outcome=outcome
    )
    text = page(admin)
    for words in (
        "Recsite, of the pictures", "No picture can be looked at: net.pth is no file of weights.",
        "2 pictures could not be looked at since the last run",
    ):  # fmt: skip
        assert words in text
    assert "The service does not help now" not in text


def test_a_space_that_says_the_same_of_every_item_is_told(admin: Client, tmp_path: Path) -> None:
    for name in ("flat", "good"):
        EmbeddingSpace.objects.create(name=name, provider=VectorProvider.GIVEN, dimensions=2)
    run = Run.objects.create(now=timezone.now(), finished_at=timezone.now())
    version = ModelVersion.objects.create(run=run, status=VersionStatus.READY)
    with artefact_folder(tmp_path):
        rows = [[1, 0, 0.6, 0.8, 1, 0], [0, 1, 0.6, 0.8, 0, 1], [0, 0, 0, 0, 0, 0]]
        arrays = {
            "catalogue/vectors": np.array(rows, np.float16),
            SPACES: np.array(["text", "flat", "good"]),
            SPACE_ENDS: np.array([2, 4, 6]),
        }
        save_arrays(version, Cut.LIVE, arrays)
        vectors = outside_vectors(version.pk)
    assert vectors is not None
    assert [each.sameness for each in vectors.spaces] == pytest.approx([1, 0], abs=2e-3)
    assert [each.is_all_alike for each in vectors.spaces] == [True, False]
