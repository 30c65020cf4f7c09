"""A model comes back from the store as the loop left it."""

import numpy as np
import pytest

from recommendations.engine.describe.items import KnownVectors, with_vectors
from recommendations.engine.describe.text import count_texts
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, candidates
from recommendations.engine.recommenders.registry import INSTANCES, instances_of
from recommendations.models import Artefact, ModelVersion
from recommendations.store.models.model import (
    SPACE_ENDS,
    SPACES,
    Model,
    everyone_and_a_stranger,
    load_model,
    load_snapshot,
    save_snapshot,
)
from recommendations.terms import BlendName, Cut

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture
def model() -> Model:
    return load_model(ModelVersion.objects.live().get().pk, Cut.LIVE)


def test_a_loaded_model_has_every_instance_and_twins_share_arrays(model: Model) -> None:
    expected = [instance.name for instance in INSTANCES if instance.can_learn(model.training)]
    assert "social" not in expected  # nobody follows anybody here
    assert list(model.recommenders) == expected
    assert model.recommenders["als"] is model.recommenders["als_discover"]
    assert not Artefact.objects.filter(name__startswith="recommenders/als_discover/").exists()


def test_the_loaded_recommenders_give_the_stored_records(model: Model) -> None:
    """The records of home, made again from the loaded arrays, are the stored ones to the last bit."""
    names = tuple(one.name for one in instances_of(BlendName.HOME) if one.can_learn(model.training))
    plan = BlendPlan(weights={}, instances=names)
    again = candidates(
        [FittedInstance(name=name, recommender=model.recommenders[name]) for name in names],
        everyone_and_a_stranger(model.training),
        plans={"home": plan},
    )["home"]
    stored = model.candidates[BlendName.HOME]
    np.testing.assert_array_equal(again.items, stored.items)
    np.testing.assert_array_equal(again.z, stored.z)


def test_the_stranger_s_record_is_the_last_and_only_popularity_speaks(model: Model) -> None:
    records = model.candidates[BlendName.HOME]
    assert len(records) == len(model.users) + 1
    silent = {name for name, z in zip(records.instances, records.z[model.stranger], strict=True) if np.isnan(z).all()}
    assert "popularity_home" not in silent
    assert {"buy_again", "ease_home", "user_knn"} <= silent


def test_spaces_of_vectors_come_back_and_a_shop_without_has_none(model: Model) -> None:
    assert model.training.catalogue.spaces == ()
    assert not Artefact.objects.filter(name__in=[SPACES, SPACE_ENDS]).exists()
    snapshot, categories = load_snapshot(model.version_id, Cut.LIVE)
    beside = [KnownVectors("own", snapshot.items.ids[:2], np.array([[0, 1], [1, 0]], np.float16))]
    texts = count_texts(["milk" for _ in snapshot.items.ids])
    version = ModelVersion.objects.get(pk=model.version_id)
    wide = with_vectors(snapshot, texts=texts, ids=snapshot.items.ids, beside=beside)
    save_snapshot(version, Cut.TEST, wide, categories=categories)
    again = load_snapshot(model.version_id, Cut.TEST)[0].training.catalogue
    assert [space.name for space in again.spaces] == ["text", "own"]
    assert again.spaces == wide.training.catalogue.spaces
    np.testing.assert_array_equal(again.vectors, wide.training.catalogue.vectors)
