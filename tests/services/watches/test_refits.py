"""A run's model as it would be under another seed, where there is a second stage: its trees are fitted anew, too."""

import numpy as np
import pytest

from recommendations.engine.ranking.features import features
from recommendations.engine.ranking.item_facts import item_facts
from recommendations.engine.ranking.second_stage import NAME, Lesson, SecondStage
from recommendations.engine.rng import generator
from recommendations.loop.second_stage import CONFIG
from recommendations.models import ModelVersion, Run
from recommendations.services.watches.refits import Refits
from recommendations.store.models.model import Model, everyone_and_a_stranger
from recommendations.store.models.second_stage import save_lesson, save_stage
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.terms import BlendName, Cut

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def refits_of(learned: Model) -> Refits:
    return Refits(learned=learned, customers=learned.users.ids.tolist(), run=Run.objects.get())


def test_the_trees_of_the_second_stage_are_fitted_under_the_other_seed() -> None:
    learned, run, version = current_snapshot().model, Run.objects.get(), ModelVersion.objects.get()
    assert learned is not None
    records = refits_of(learned).own.candidates[BlendName.HOME]
    table = features(records, everyone_and_a_stranger(learned.training), item_facts(learned.training))
    lesson = Lesson(features=table, relevant=generator(0, "lesson").random(len(table.values)) < 0.2)
    stage = SecondStage(CONFIG).fit([lesson], seed=run.seed)
    save_lesson(version, Cut.TEST, BlendName.HOME, lesson)
    save_stage(version, Cut.LIVE, BlendName.HOME, stage)
    refits = refits_of(learned)
    own, other = (each.candidates[BlendName.HOME] for each in (refits.own, refits.reseeded()))
    assert own.instances == other.instances == (*records.instances, NAME)
    np.testing.assert_array_equal(own.z[:, -1], stage.plane(table, records).z)
    assert not np.allclose(np.nan_to_num(own.z[:, -1]), np.nan_to_num(other.z[:, -1]), atol=0.01)
    assert BlendName.DISCOVER in refits.own.candidates
    assert NAME not in refits.own.candidates[BlendName.DISCOVER].instances
