"""A run whose artefacts lie in a bucket: in parts it learns the same, and who is erased leaves the bucket."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from django.test import override_settings

from recommendations.models import Artefact, EventFile, ModelVersion
from recommendations.store.models import artefacts
from recommendations.store.models.model import load_model
from recommendations.store.models.scrubbing import scrub
from recommendations.store.process_held import drop_all
from recommendations.terms import Cut
from tests.emptying import empty
from tests.loop.run_in_parts import make_small
from tests.object_store import ObjectStore, object_store
from tests.store.test_bucket import in_bucket
from tests.trained import train

pytestmark = pytest.mark.django_db(transaction=True)
BUCKET = "shop-of-a-run"


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with object_store() as running:
        running.files().create_dir(BUCKET)
        yield running


@pytest.fixture
def version(
    store: ObjectStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ModelVersion]:
    """The version that a run in parts learned."""
    with in_bucket(store.url(BUCKET), tmp_path / "first"):
        make_small(monkeypatch.setattr)
        try:
            train()
            yield ModelVersion.objects.get(is_live=True)
        finally:
            empty()


def test_another_machine_serves_what_a_run_left_in_the_bucket(
    store: ObjectStore, version: ModelVersion, tmp_path: Path
) -> None:
    paths = {*Artefact.objects.values_list("path", flat=True), *EventFile.objects.values_list("path", flat=True)}
    assert set(store.names(BUCKET)) == {f"recsite/{path}" for path in paths}  # and nothing of its work
    first = load_model(version.pk, Cut.LIVE)
    artefacts._known_good.clear()
    drop_all()
    with override_settings(ARTEFACT_CACHE=tmp_path / "second"):
        second = load_model(version.pk, Cut.LIVE)
        assert np.array_equal(first.users.ids, second.users.ids)
        assert [path for path in (tmp_path / "second").rglob("*.npy") if path.is_file()]
        gone = second.users.ids[:1]
        old = set(store.names(BUCKET))
        scrub(version, gone)
        assert load_model(version.pk, Cut.LIVE).edition == version.edition + 1
        assert not np.isin(gone, load_model(version.pk, Cut.LIVE).users.ids).any()
    left = {f"recsite/{path}" for path in Artefact.objects.values_list("path", flat=True)}
    now = {name for name in store.names(BUCKET) if "/snapshots/" not in name}
    assert now == left
    assert old - now  # those with the person
