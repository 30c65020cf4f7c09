"""Weights of *Similar* that shipped with 0.2 give way to those of 0.3; what a shop chose itself stays."""

from collections.abc import Mapping
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from recommendations.domains.goods import GOODS
from recommendations.models import BlendWeights
from recommendations.store.models.weight_versions import Made, append_weights, default_weights
from recommendations.terms import BlendName

pytestmark = pytest.mark.django_db

migration = import_module("recommendations.migrations.0003_version_0_3")


def migrated(weights: Mapping[str, float]) -> BlendWeights:
    """The default of the blend after the migration met these weights."""
    made = Made(weights=weights, reason="Shipped preset")
    append_weights(blend=BlendName.ITEM, made=made, author=None, now=timezone.now(), publish=True)
    with connection.schema_editor() as editor:
        migration.let_similar_be_similar(apps, editor)
    default = default_weights(BlendName.ITEM)
    assert default
    return default


def test_weights_that_shipped_are_followed_by_those_that_ship() -> None:
    default = migrated(migration.SIMILAR_BEFORE)
    assert default.weights == GOODS.weights[BlendName.ITEM]
    assert (default.number, default.blend.last_number) == (2, 2)
    assert default.parent
    assert default.parent.weights == migration.SIMILAR_BEFORE


def test_weights_of_the_shops_own_stay() -> None:
    own = {**migration.SIMILAR_BEFORE, "also_bought": 0.40, "popularity_home": 0.10}
    assert migrated(own).weights == own
    assert BlendWeights.objects.count() == 1
