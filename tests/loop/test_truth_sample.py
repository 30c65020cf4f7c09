"""A run that asks for the truth of twenty customers of sixty: all that it measures is of these, and as it was."""

import hashlib
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
import pytest_django

from recommendations.engine.feedback.tuning import SearchConfig, tuned
from recommendations.engine.preprocess.popularity import trend
from recommendations.engine.ranking.second_stage import NAME
from recommendations.engine.recommenders.hybrid import FittedInstance, candidates
from recommendations.loop import adjust
from recommendations.loop.evaluate import Configuration, panel_of
from recommendations.loop.gate import gate
from recommendations.loop.train import plans_of
from recommendations.models import Customer, Evaluation, ModelVersion, Placement
from recommendations.simulation.panel import batch
from recommendations.store.domain import shop_instances
from recommendations.store.models import truth_sample
from recommendations.store.models.model import everyone_and_a_stranger, load_model, load_snapshot, load_truths
from recommendations.store.models.records import load_candidates
from recommendations.store.models.visits import load_visits
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.terms import TASKS, BlendName, Cut, Source, Stage, Task
from tests.loop.test_second_stage import switched_on
from tests.review import review
from tests.trained import NOW, trained_shop

pytestmark = pytest.mark.django_db
MOST = 20


@pytest.fixture(scope="module", autouse=True)
def shop(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(truth_sample, "MOST", MOST)
        patch.setattr(adjust, "tuned", partial(tuned, search=SearchConfig(draws=8, climbs=1, rounds=1)))
        with trained_shop(django_db_blocker, furnished=switched_on):
            yield


@pytest.fixture
def version() -> ModelVersion:
    return ModelVersion.objects.live().get()


@pytest.mark.parametrize("cut", [Cut.TUNING, Cut.TEST])
def test_the_customers_are_drawn_by_their_pseudonyms_and_the_seed(version: ModelVersion, cut: Cut) -> None:
    snapshot, _ = load_snapshot(version.pk, cut)
    counts = version.run.stages.get(stage=Stage.PREPROCESS).counts
    assert counts[f"{cut}_home_users"] == len(snapshot.users) == 60  # who bought, drawn or not
    seed = str(version.run.seed).encode()
    order = sorted(
        Customer.objects.filter(pk__in=snapshot.users.ids.tolist()),
        key=lambda one: hashlib.sha256(bytes(one.pseudonym) + seed).digest(),
    )
    drawn = sorted(one.pk for one in order[:MOST])
    truths = load_truths(version.pk, cut)
    assert snapshot.users.ids[truths[Task.HOME].users].tolist() == drawn
    assert set(snapshot.users.ids[truths[Task.DISCOVER].users].tolist()) <= set(drawn)
    assert f"{cut}: 20 of 60 customers who bought are asked, drawn by their pseudonyms" in [
        line.text for line in version.run.log.all()
    ]


@pytest.mark.parametrize("cut", [Cut.TUNING, Cut.TEST])
def test_only_they_have_records_which_are_those_that_they_had(version: ModelVersion, cut: Cut) -> None:
    snapshot, _ = load_snapshot(version.pk, cut)
    asked = set(load_truths(version.pk, cut)[Task.HOME].users.tolist())
    if cut is Cut.TUNING:
        asked |= set(load_visits(version.pk).user.tolist())
    home = load_candidates(version.pk, cut)[BlendName.HOME]
    assert home.asked is not None
    assert home.asked.ids.tolist() == [*sorted(asked), len(snapshot.users)]
    assert len(home) == len(asked) + 1
    assert len(load_candidates(version.pk, Cut.LIVE)[BlendName.HOME]) == 61


def test_their_records_are_those_of_a_run_that_scores_everybody(version: ModelVersion) -> None:
    snapshot, _ = load_snapshot(version.pk, Cut.TEST)
    learned = load_model(version.pk, Cut.TEST)
    fitted = [
        FittedInstance(name=one.name, recommender=learned.recommenders[one.name], trend_exponent=one.trend)
        for one in shop_instances()
        if one.name in learned.recommenders
    ]
    everyone, training = everyone_and_a_stranger(snapshot.training), snapshot.training
    everybody = candidates(fitted, everyone, plans=plans_of(snapshot), trend=trend(training.teaching))
    for blend in TASKS.values():
        records = learned.candidates[blend]
        assert records.asked is not None
        expected = everybody[blend].of(records.asked.ids)
        n = len(expected.instances)  # and the second stage, in the order of the blend
        np.testing.assert_array_equal(records.items, expected.items)
        np.testing.assert_allclose(
            records.z[:, :n].astype(np.float32), expected.z.astype(np.float32), atol=2e-3, equal_nan=True
        )


def test_all_that_is_measured_is_of_them(version: ModelVersion) -> None:
    assert set(Evaluation.objects.filter(version=version, task=Task.HOME).values_list("users", flat=True)) == {MOST}
    panel = panel_of(version.pk, Cut.TUNING, Task.HOME)
    assert panel is not None
    assert len(panel.users) == MOST
    assert NAME in panel.instances
    assert np.isfinite(panel.planes).all()
    now = Configuration(weights={"popularity_home": 1.0})
    assert gate(version.pk, Task.HOME, now, live=now, seed=0).users == MOST
    Placement.objects.filter(name="home").update(n=8)
    assert len(batch(current_snapshot(), "home", now=NOW).questions) == MOST


def test_the_review_as_tested_answers_also_for_those_who_were_not_drawn(version: ModelVersion) -> None:
    learned = load_model(version.pk, Cut.TEST)
    home = learned.candidates[BlendName.HOME]
    row = next(row for row in range(60) if home.row(row) < 0)
    seen = review(customer=int(learned.users.ids[row]), placement="home", cut=Cut.TEST, n=8)
    assert len(seen.cards) == 8
    assert {item.source for item in seen.answer.shown} == {Source.MODEL}
