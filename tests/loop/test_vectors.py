"""A run describes items by their texts and by what vectors there are of them, and waits for none."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from django.conf import LazySettings

from recommendations.loop.context import RunContext
from recommendations.loop.preprocess import make_snapshots
from recommendations.models import EmbeddingSpace, Item
from recommendations.services.catalogue.alike import alike_items
from recommendations.services.operations.runs import start_run
from recommendations.store import jobs
from recommendations.store.models.model import load_snapshot
from recommendations.store.vectors.item_texts import digests_of
from recommendations.store.vectors.item_vectors import NewVector, save_vectors, unit
from recommendations.terms import Cut, RunStatus
from recommendations.vector_terms import VectorProvider
from tests.grocery import open_shop
from tests.trained import artefact_folder

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 15, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[None]:
    open_shop(now=NOW)
    with artefact_folder(tmp_path):
        yield


def preprocessed() -> tuple[int, dict[str, object]]:
    """The version of a run that went through the stage, and its counts."""
    run = start_run(by=None, now=NOW, in_worker=False)
    context = RunContext.of(run, cut=None, report=lambda share, *, text="": None)  # type: ignore[arg-type]
    counts = dict(make_snapshots(context))
    jobs.finish(run, RunStatus.SUCCEEDED, now=NOW)
    return context.version.pk, counts


def text_cosines(version: int, item: int) -> dict[int, float]:
    """Cosines of the other items' texts with an item's, by their keys."""
    snapshot, *_ = load_snapshot(version, Cut.LIVE)
    texts, keys = snapshot.training.catalogue.vectors, snapshot.items.ids.tolist()
    assert texts is not None
    whole = texts.astype(np.float32)
    return {key: float(one) for key, one in zip(keys, whole @ whole[keys.index(item)], strict=True) if key != item}


@pytest.mark.usefixtures("shop")
def test_vectors_that_are_there_lie_beside_the_texts_in_every_cut(settings: LazySettings) -> None:
    settings.EMBEDDING_URL, settings.EMBEDDING_MODEL = "http://127.0.0.1:9/v1", "away"  # nobody is asked
    bare, counts = preprocessed()
    assert "vectors" not in counts
    space = EmbeddingSpace.objects.create(name="own", provider=VectorProvider.GIVEN)
    some = list(Item.objects.order_by("pk").values_list("pk", flat=True)[::2])
    digests, vector = digests_of(space, some), unit([1, 2, 2])
    assert vector is not None
    save_vectors(space, {key: NewVector(digests[key], vector) for key in some}, now=NOW)
    described, counts = preprocessed()
    assert counts["vectors"] == len(some)
    for cut in Cut:
        before, after = (load_snapshot(version, cut)[0] for version in (bare, described))
        texts, both = before.training.catalogue.vectors, after.training.catalogue.vectors
        assert before.training.catalogue.spaces == ()
        assert [each.name for each in after.training.catalogue.spaces] == ["text", "own"]
        assert texts is not None
        assert both is not None
        np.testing.assert_array_equal(both[:, : texts.shape[1]], texts)
        there = np.isin(after.items.ids, some)
        np.testing.assert_allclose(both[there, -3:], np.tile([1 / 3, 2 / 3, 2 / 3], (there.sum(), 1)), atol=1e-3)
        assert not both[~there, -3:].any()
    tea = Item.objects.get(pk=some[0])
    beside = alike_items(tea, version=described)
    nearest = beside.reading
    assert (beside.looking, beside.is_seen) == ([], False)
    assert nearest
    by_text, listed = text_cosines(bare, tea.pk), {each.item.pk for each in nearest}
    reads = {key: (cosine + 1) / 2 if key in some else cosine for key, cosine in by_text.items()}
    assert any(each.item.pk in some for each in nearest)
    assert [each.reads for each in nearest] == pytest.approx([reads[each.item.pk] for each in nearest], abs=2e-3)
    assert min(each.reads for each in nearest) >= max(reads[key] for key in by_text if key not in listed) - 2e-3


@pytest.mark.usefixtures("shop")
def test_what_looks_alike_is_in_stock_and_of_the_same_kind() -> None:
    space = EmbeddingSpace.objects.create(name="picture", provider=VectorProvider.PICTURE)
    first, variant, sold_out, film, near, far, *_others = Item.objects.order_by("pk")
    looks = {first: (1, 0), variant: (1, 0.01), sold_out: (1, 0.1), film: (1, 0.2), near: (1, 0.5), far: (0.2, 1)}
    vectors = {
        item.pk: NewVector(b"", vector) for item, values in looks.items() if (vector := unit(values)) is not None
    }
    save_vectors(space, vectors, now=NOW)
    version, _counts = preprocessed()
    Item.objects.filter(pk=variant.pk).update(parent=first)
    Item.objects.filter(pk=sold_out.pk).update(available_quantity=0)
    Item.objects.filter(pk=film.pk).update(kind="film")
    beside = alike_items(first, version=version)
    assert beside.is_seen
    assert beside.looking is not None
    assert [each.item.pk for each in beside.looking] == [near.pk, far.pk]
    [closest, _last] = beside.looking
    assert closest.looks == pytest.approx(1 / 1.25**0.5, abs=2e-3)
    assert closest.score == pytest.approx(0.7 * closest.looks + 0.3 * (closest.reads or 0))
    assert not any(each.item == first for each in beside.reading)
