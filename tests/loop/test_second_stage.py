"""The second stage in a run and in its answers: a plane on three cuts, a weight like any other, exact terms."""

import random
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import pytest_django
from django.conf import settings
from django.test import Client

from recommendations.domains.goods import GOODS
from recommendations.engine.feedback.tuning import SearchConfig, tuned
from recommendations.engine.ranking.candidates import Candidates, without_plane
from recommendations.engine.ranking.second_stage import NAME
from recommendations.loop import adjust, challenger
from recommendations.loop.context import RunContext
from recommendations.loop.evaluate import Configuration, panel_of
from recommendations.loop.gate import figures_of
from recommendations.loop.second_stage import Staged, add_second_stages, first_stage_weights
from recommendations.models import (
    Artefact,
    Blend,
    BlendWeights,
    Customer,
    Event,
    Item,
    Measurement,
    ModelVersion,
    Staff,
)
from recommendations.serving.candidates import candidate_source
from recommendations.serving.serve import serve
from recommendations.serving.types import Answer, Request
from recommendations.simulation.second_stage_terms import BASE, broken_down
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.models.measurements import save_per_user
from recommendations.store.models.model import load_model, load_snapshot, load_truths
from recommendations.store.models.records import load_candidates, save_candidates
from recommendations.store.models.second_stage import load_lesson, load_stage
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import BlendName, Cut, Role, Task
from tests.review import review
from tests.trained import NOW, artefact_folder, trained_shop

pytestmark = pytest.mark.django_db


def switched_on() -> None:
    """Every third line is of any item: habits that trees could learn by heart would look like a leak."""
    Blend.objects.filter(name=BlendName.HOME).update(second_stage=True)
    draw, items, events = random.Random(0), list(Item.objects.order_by("pk")), list(Event.objects.all())
    for event in events:
        if draw.random() < 1 / 3:
            event.item = draw.choice(items)
    Event.objects.all().delete()
    Event.objects.bulk_create(events, batch_size=2_000)


@pytest.fixture(scope="module", autouse=True)
def shop(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adjust, "tuned", partial(tuned, search=SearchConfig(draws=8, climbs=1, rounds=1)))
        with trained_shop(django_db_blocker, furnished=switched_on):
            yield


@pytest.fixture
def version() -> ModelVersion:
    return ModelVersion.objects.live().get()


def answer(weights: dict[str, float]) -> Answer:
    BlendWeights.objects.defaults().filter(blend__name=BlendName.HOME).update(weights=weights)
    snapshot_holder.drop()
    return serve(Request(placement="home", user_id="u3", n=8), now=NOW)


@pytest.mark.parametrize("cut", Cut)
def test_every_cut_has_the_plane_of_a_blend_with_the_second_stage_on(version: ModelVersion, cut: Cut) -> None:
    records = load_candidates(version.pk, cut)
    home = records[BlendName.HOME]
    assert home.instances[-1] == NAME
    assert NAME not in records[BlendName.DISCOVER].instances
    z = home.z[:, -1].astype(np.float64)
    present = home.items >= 0
    scored = np.zeros(len(home), np.bool_)
    scored[load_truths(version.pk, cut)[Task.HOME].users if cut is Cut.TUNING else slice(None)] = True
    assert (np.isfinite(z) == (present & scored[:, None])).all()
    first = z[0][present[0]]
    assert (first.mean(), first.std()) == pytest.approx((0, 1), abs=1e-2)
    assert (load_stage(version.pk, cut, BlendName.HOME) is None) is (cut is Cut.TUNING)
    assert (load_lesson(version.pk, cut, BlendName.HOME) is None) is (cut is Cut.LIVE)


def test_no_artefact_is_kept_for_a_blend_with_the_second_stage_off() -> None:
    assert Artefact.objects.filter(name__startswith="second_stage/home/").exists()
    assert not Artefact.objects.filter(name__startswith="second_stage/discover/").exists()


def test_the_second_stage_is_measured_and_weighed_like_a_recommender(version: ModelVersion) -> None:
    row = Measurement.objects.get(evaluation__version=version, evaluation__task=Task.HOME, name=NAME)
    assert row.metrics["ndcg@10"]["value"] > 0.5
    assert row.fit_seconds is not None
    assert row.score_seconds is not None
    assert NAME in panel_of(version.pk, Cut.TUNING, Task.HOME).instances
    weights = BlendWeights.objects.defaults().get(blend__name=BlendName.HOME).weights
    assert NAME in weights
    assert sum(weights.values()) == pytest.approx(1, abs=1e-3)
    assert NAME not in BlendWeights.objects.defaults().get(blend__name=BlendName.DISCOVER).weights


def test_the_plane_is_one_term_of_a_score_and_reasons_come_from_the_recommenders(version: ModelVersion) -> None:
    slate = answer({NAME: 0.75, "ease_home": 0.25})
    for item in slate.shown:
        assert sum(item.contributions.values()) == pytest.approx(item.score, abs=1e-6)
    assert NAME in slate.shown[0].contributions
    assert not slate.trace.missing
    alone = answer({NAME: 1.0})
    assert all(set(item.contributions) == {NAME} for item in alone.shown)
    assert alone.shown[0].reasons


@pytest.mark.parametrize("cut", [Cut.TEST, Cut.LIVE])
def test_the_review_breaks_the_term_of_the_second_stage_down(cut: Cut) -> None:
    answer({NAME: 0.75, "ease_home": 0.25})
    customer = Customer.objects.get(pseudonym=pseudonym("u3")).pk
    result = review(customer=customer, placement="home", cut=cut, n=8)
    for card in result.cards:
        assert abs(sum(term for _, term in card.terms) - dict(card.contributions)[NAME]) < 1e-6
        groups = [group for group, _ in card.terms]
        assert groups[-1] == BASE
        assert {"buy_again", "rhythm", "price", "customer", "agreement"} <= set(groups)
        sizes = [abs(term) for _, term in card.terms[:-1]]
        assert sizes == sorted(sizes, reverse=True)
    answer({"ease_home": 1.0})
    assert not any(card.terms for card in review(customer=customer, placement="home", cut=cut, n=8).cards)


def test_features_made_again_explain_the_stored_plane(version: ModelVersion) -> None:
    """The terms explain the very z that is served, so their base is the same for every candidate but for rounding."""
    pools = candidate_source(load_model(version.pk, Cut.LIVE))
    records = pools.model.candidates[BlendName.HOME]
    count = int(np.count_nonzero(records.items[3] >= 0))
    z = records.z[3, records.instances.index(NAME), :count]
    parts = {int(item): float(value) for item, value in zip(records.items[3], z, strict=False) if value}
    terms = broken_down(pools, BlendName.HOME, 3, parts)
    bases = [rows[-1][1] for rows in terms.values()]
    assert len(bases) > 20
    step = float(np.spacing(np.float16(np.abs(z).max())))  # z is stored in half precision, rounded by half a step
    assert np.ptp(bases) < step + 1e-3


def test_terms_of_another_release_s_features_are_left_out(version: ModelVersion) -> None:
    pools = candidate_source(load_model(version.pk, Cut.LIVE))
    pools.second_stage(BlendName.HOME).names_ = np.array(["rhythm: of the moon"])
    assert broken_down(pools, BlendName.HOME, 3, {int(pools.model.candidates[BlendName.HOME].items[3, 0]): 1.0}) == {}


def test_a_version_without_the_plane_drops_the_weight_and_says_so() -> None:
    BlendWeights.objects.defaults().filter(blend__name=BlendName.DISCOVER).update(
        weights={NAME: 0.5, "ease_discover": 0.5}
    )
    snapshot_holder.drop()
    slate = serve(Request(placement="discover", user_id="u3", n=8), now=NOW)
    assert slate.trace.missing == (NAME,)
    assert set(slate.shown[0].contributions) == {"ease_discover"}


def test_the_customer_s_page_lists_the_terms_in_words() -> None:
    answer({NAME: 0.75, "ease_home": 0.25})
    client = Client()
    staff = Staff.objects.create_user("viewer@example.com", "a long password", role=Role.VIEWER)
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    customer = Customer.objects.get(pseudonym=pseudonym("u3"))
    first = review(customer=customer.pk, placement="home").cards[0].item.pk
    page = client.get(f"/customers/{customer.code}/?placement=home&why={first}").content.decode()
    assert page.count("What the second stage takes into account") == 1
    assert "Rhythm with the item" in page
    assert "Base score of any candidate" in page
    assert '<svg class="swatch" viewBox="0 0 10 10" aria-hidden="true"><rect class="hue-0"' in page


@pytest.fixture
def own_files(tmp_path: Path) -> Iterator[None]:
    """Copies of the artefacts, which the test may write over."""
    shutil.copytree(settings.STORAGES["artefacts"]["OPTIONS"]["location"], tmp_path, dirs_exist_ok=True)
    with artefact_folder(tmp_path):
        yield


class Log(list[str]):
    """Log of what a stage reports."""

    def __call__(self, _share: float, *, text: str = "") -> None:
        if text:
            self.append(text)


def staged_again(version: ModelVersion, cut: Cut) -> tuple[Log, Staged, dict[BlendName, Candidates]]:
    """Run the second stage again on the records that the recommenders left; the records as they are then."""
    log = Log()
    before = {blend: without_plane(records, NAME) for blend, records in load_candidates(version.pk, cut).items()}
    save_candidates(version, cut, [before], n_records=len(before[BlendName.HOME]))
    context = RunContext.of(version.run, cut=cut, report=log)
    done = add_second_stages(context, load_snapshot(version.pk, cut)[0].training)
    return log, done, load_candidates(version.pk, cut)


@pytest.mark.usefixtures("own_files")
def test_the_same_seed_gives_the_same_plane(version: ModelVersion) -> None:
    stored = load_candidates(version.pk, Cut.TEST)[BlendName.HOME]
    log, again, records = staged_again(version, Cut.TEST)
    np.testing.assert_array_equal(records[BlendName.HOME].z, stored.z)
    np.testing.assert_array_equal(records[BlendName.HOME].own, stored.own)
    assert set(again.fit_seconds) == set(again.score_seconds) == {"second_stage_home"}
    assert not log


@pytest.mark.usefixtures("own_files")
def test_without_lightgbm_the_run_goes_on_and_says_what_to_do(
    version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    pools = candidate_source(load_model(version.pk, Cut.LIVE))
    assert broken_down(pools, BlendName.HOME, 3, {int(pools.model.candidates[BlendName.HOME].items[3, 0]): 1.0}) == {}
    for cut in Cut:
        log, _result, records = staged_again(version, cut)
        assert NAME not in records[BlendName.HOME].instances
        assert len(log) == 1
        assert log[0].startswith("home: The second stage needs LightGBM: install the extra second-stage")
        assert log[0].endswith("The run goes on without it.")


@pytest.mark.usefixtures("own_files")
def test_without_a_lesson_there_is_no_plane(version: ModelVersion) -> None:
    Artefact.objects.filter(name__startswith="second_stage/home/lesson/").delete()
    log, _result, records = staged_again(version, Cut.LIVE)
    assert NAME not in records[BlendName.HOME].instances
    assert log == ["home: no second stage, as there is nothing to learn it from"]


@pytest.mark.usefixtures("own_files")
def test_a_second_stage_that_is_off_does_nothing(version: ModelVersion) -> None:
    Blend.objects.update(second_stage=False)
    Artefact.objects.filter(name__startswith="second_stage/").delete()
    for cut in Cut:
        log, result, records = staged_again(version, cut)
        assert (result.fit_seconds, result.score_seconds, log) == ({}, {}, [])
        assert NAME not in records[BlendName.HOME].instances
    assert not Artefact.objects.filter(name__startswith="second_stage/").exists()


def test_candidates_are_chosen_by_the_recommenders_alone() -> None:
    default = BlendWeights.objects.defaults().filter(blend__name=BlendName.HOME)
    default.update(weights={NAME: 0.9, "als": 0.1})
    assert first_stage_weights(BlendName.HOME) == {"als": 0.1}
    default.update(weights={NAME: 1.0, "als": 0.0})
    assert first_stage_weights(BlendName.HOME) == GOODS.weights[BlendName.HOME]


def test_new_settings_are_compared_without_the_second_stage_on_either_side(version: ModelVersion) -> None:
    """The live settings have no second stage on this history: theirs would count against none."""
    with_it, without_it = {NAME: 0.9, "popularity_home": 0.1}, {"popularity_home": 1.0}
    reached = figures_of(version.pk, Task.HOME, Configuration(weights=without_it)).accuracy
    assert figures_of(version.pk, Task.HOME, Configuration(weights=with_it)).accuracy.mean() > reached.mean()
    save_per_user(version, Task.HOME, {challenger.LIVE_CONFIGURATION: reached})
    context = RunContext.of(version.run, cut=None, report=Log())
    verdict = challenger.gate_version(context, Task.HOME, Configuration(weights=with_it))
    assert verdict.against["live"] == (0, 0, 0)
