"""What the panel says before publishing, against the batch evaluation of the same records, customer by customer."""

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import pytest_django
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from bench import moves
from bench.what_if import table
from recommendations.engine.evaluation.accuracy import judge
from recommendations.engine.evaluation.backtest import backtest
from recommendations.engine.evaluation.breadth import coverage
from recommendations.engine.evaluation.intervals import Measure, measures
from recommendations.engine.evaluation.panel_measures import ACCURACY, COVERAGE, Lists, measured_by, table_at
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import IntArray
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.ranking.diversity import diversified
from recommendations.engine.ranking.scores import gathered
from recommendations.models import BlendWeights, Customer, ModelVersion, Placement, Segment, Staff
from recommendations.services.operations import readiness
from recommendations.services.operations.readiness import prepare
from recommendations.services.weights.panels import HeldPanel, PanelSettings, panels
from recommendations.services.weights.values import Values, shares
from recommendations.services.weights.what_if import Unmeasured, WhatIf, held_for, what_if, worth
from recommendations.store.models import model, truth_sample
from recommendations.store.models.records import load_candidates
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import BlendName, Cut, Role, Task

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

MEASURED = (BlendName.HOME, BlendName.DISCOVER)


def held_of(blend: BlendName) -> HeldPanel:
    held = held_for(blend, None)
    assert isinstance(held, HeldPanel)
    return held


def records(blend: BlendName) -> Candidates:
    version = ModelVersion.objects.get()
    truth = model.load_truths(version.pk, Cut.TUNING)[Task(blend)]
    return load_candidates(version.pk, Cut.TUNING)[blend].of(truth.users)


def drawn_weights(held: HeldPanel, seed: int) -> dict[str, float]:
    draw = np.random.default_rng(seed)
    size = len(held.panel.instances)
    weights = draw.dirichlet(np.ones(size)) * (draw.random(size) < 0.6) * 100
    return dict(zip(held.panel.instances, weights.round(1).tolist(), strict=True)) | {held.panel.instances[0]: 1.0}


def live(blend: BlendName = BlendName.HOME) -> BlendWeights:
    return BlendWeights.objects.defaults().get(blend__name=blend)


def assert_told(answer: WhatIf, expected: Mapping[str, Measure]) -> None:
    """Compare figures: means to the last bit, intervals to 1e-6, as resamples are added up in float32."""
    assert {name: figure.draft.value for name, figure in answer.figures.items()} == {
        name: measure.value for name, measure in expected.items()
    }
    for name, measure in expected.items():
        assert answer.figures[name].draft == pytest.approx(measure, abs=1e-6)


def judged(held: HeldPanel, ranked: IntArray, truth: Truth) -> Mapping[str, Measure]:
    """Measures of lists as they are worked out without a panel."""
    shop, length = held.panel.shop, held.panel.length
    table = table_at(Lists(ranked, judge(ranked, truth.per_user), shop), length)
    covered = coverage(ranked, shop, length)
    told = dict(zip(measured_by(shop), measures(table, held.drawn), strict=True))
    return told | {COVERAGE: Measure(covered, covered, covered)}


@pytest.mark.parametrize("blend", MEASURED)
@pytest.mark.parametrize("seed", range(5))
def test_what_if_equals_the_batch_evaluation_for_every_customer(blend: BlendName, seed: int) -> None:
    held, weights = held_of(blend), drawn_weights(held_of(blend), seed)
    answer = what_if(blend=blend, weights=weights)
    version = ModelVersion.objects.get()
    truth = model.load_truths(version.pk, Cut.TUNING)[Task(blend)]
    row = backtest(
        load_candidates(version.pk, Cut.TUNING)[blend], truth, hybrids={"draft": shares(weights)}, baselines={},
        shop=held.panel.shop, drawn=held.drawn,
    )[0]  # fmt: skip
    measured = held.measured(PanelSettings.of(Values(weights=shares(weights))))
    assert answer.users == len(row.per_user) == 60
    assert measured.ranked.tolist() == row.ranked.tolist()
    assert answer.length == held.panel.length == 20  # what the placement says, as long as the shop has not asked
    assert_told(answer, judged(held, row.ranked, truth))


@pytest.mark.parametrize("diversity", [0.2, 0.7])
@pytest.mark.parametrize("blend", MEASURED)
def test_what_if_with_diversity_equals_each_customer_ranked_alone(blend: BlendName, diversity: float) -> None:
    held = held_of(blend)
    weights, candidates = shares(drawn_weights(held, 3)), records(blend)
    truth = model.load_truths(ModelVersion.objects.get().pk, Cut.TUNING)[Task(blend)]
    ranked = np.empty((len(candidates), 20), np.int32)
    for row in range(len(candidates)):
        alone = candidates.of(np.array([row]))
        positions = diversified(
            alone.blended(weights), alone.items, likeness=held.panel.likeness, diversity=diversity, n=20
        )
        ranked[row] = gathered(alone.items, positions, missing=-1)
    answer = what_if(blend=blend, weights=weights, diversity=diversity)
    assert_told(answer, judged(held, ranked, truth))


def test_the_live_weights_change_nothing_against_live() -> None:
    answer = what_if(blend=BlendName.HOME, weights={name: 50 * part for name, part in live().weights.items()})
    assert (answer.changed, answer.live, answer.unmeasured) == (0, live(), None)
    assert all(figure.against == (0, 0, 0) for figure in answer.figures.values())
    assert all(figure.draft == pytest.approx(figure.live, abs=1e-6) for figure in answer.figures.values())
    assert all(place.was == place.now == number for mover in answer.movers
               for number, place in enumerate(mover.draft, start=1))  # fmt: skip


def test_the_difference_to_live_is_paired_by_customer() -> None:
    held = held_of(BlendName.HOME)
    answer = what_if(blend=BlendName.HOME, weights={"popularity_home": 1})
    now = held.measured(PanelSettings.of(Values(weights={"popularity_home": 1.0})))
    then = held.measured(PanelSettings.of(Values.of(live())))
    differences = now.of(ACCURACY) - then.of(ACCURACY)
    against = answer.figures[ACCURACY].against
    assert against.value == pytest.approx(differences.mean())
    assert against.low < against.value < against.high < 0
    assert answer.figures[COVERAGE].against.value == now.coverage - then.coverage
    changed = np.count_nonzero((now.ranked[:, :20] != then.ranked[:, :20]).any(axis=1))
    assert answer.changed == changed > 0


def test_the_served_diversity_counts_in_the_comparison() -> None:
    Placement.objects.update(n=5)
    before = what_if(blend=BlendName.HOME, weights={"als": 1}).figures["diversity"].live
    BlendWeights.objects.filter(pk=live().pk).update(diversity=0.8)
    after = what_if(blend=BlendName.HOME, weights={"als": 1}).figures["diversity"].live
    assert after.value > before.value


def test_movers_are_customers_of_many_and_few_baskets_and_the_most_changed() -> None:
    held, weights = held_of(BlendName.HOME), {"popularity_home": 1}
    answer = what_if(blend=BlendName.HOME, weights=weights)
    assert answer.movers == what_if(blend=BlendName.HOME, weights=weights).movers
    assert len({mover.customer for mover in answer.movers}) == len(answer.movers) == 6
    assert {mover.customer for mover in answer.movers} <= set(Customer.objects.values_list("pk", flat=True))
    now = held.measured(PanelSettings.of(Values(weights={"popularity_home": 1.0})))
    then = held.measured(PanelSettings.of(Values.of(live())))
    for mover in answer.movers:
        row = int(np.flatnonzero(held.customers == mover.customer)[0])
        lists = [held.items[one.ranked[row]].tolist() for one in (then, now)]
        assert [place.item for place in mover.live] == lists[0][:10]
        assert [place.item for place in mover.draft] == lists[1][:10]
        for place in (*mover.live, *mover.draft):
            was, is_ = ((one.index(place.item) + 1 if place.item in one else None) for one in lists)
            assert (place.was, place.now) == (was, is_)
        assert mover.replaced == len(set(lists[1][:10]) - set(lists[0][:10]))
        assert mover.baskets == held.baskets[row] > 0
    all_replaced = [
        len({*now.ranked[row, :10].tolist()} - {*then.ranked[row, :10].tolist()}) for row in range(len(held))
    ]
    assert max(mover.replaced for mover in answer.movers) == max(all_replaced)


def test_a_segment_has_its_own_customers_and_is_compared_with_its_own_weights() -> None:
    held = held_of(BlendName.HOME)
    segment = Segment.objects.get(number=held.segments[0])
    rows = held.segments == segment.number
    assert 0 < rows.sum() < len(held)
    answer = what_if(blend=BlendName.HOME, weights={"als": 1}, group=segment)
    whole = held.measured(PanelSettings.of(Values(weights={"als": 1.0})))
    assert answer.users == rows.sum()
    figure = answer.figures[ACCURACY]
    assert figure.draft.value == pytest.approx(whole.of(ACCURACY)[rows].mean())
    assert {mover.segment for mover in answer.movers} == {segment.number}
    everybodys = live()
    own = BlendWeights.objects.create(
        blend=everybodys.blend, segment=segment, number=77, weights={"als": 1.0}, status="published", is_default=True,
        reason="test",
    )  # fmt: skip
    compared = what_if(blend=BlendName.HOME, weights={"als": 1}, group=segment)
    assert (compared.live, compared.changed) == (own, 0)
    assert what_if(blend=BlendName.HOME, weights={"als": 1}).live == everybodys


@pytest.mark.parametrize("blend", [BlendName.ITEM, BlendName.CART, BlendName.SESSION])
def test_a_blend_without_truth_has_movers_and_no_figures(blend: BlendName) -> None:
    answer = what_if(blend=blend, weights={"item_knn_context": 1, "popularity_home": 1})
    assert (answer.unmeasured, answer.figures, answer.users) == (Unmeasured.NO_TRUTH, {}, 0)
    assert answer.movers
    assert all(mover.context and not set(mover.context) & {place.item for place in mover.draft}
               for mover in answer.movers)  # fmt: skip
    assert any(mover.replaced for mover in answer.movers)
    same = what_if(blend=blend, weights=live(blend).weights)
    assert not any(mover.replaced for mover in same.movers)


def test_missing_figures_have_a_reason() -> None:
    nobody = Segment.objects.create(number=999)
    assert what_if(blend=BlendName.HOME, weights={"als": 1}, group=nobody).unmeasured is Unmeasured.NOBODY
    ModelVersion.objects.update(is_live=False)
    assert what_if(blend=BlendName.HOME, weights={"als": 1}).unmeasured is Unmeasured.NO_MODEL
    assert what_if(blend=BlendName.ITEM, weights={"also_bought": 1}).unmeasured is Unmeasured.NO_TRUTH
    assert worth(blend=BlendName.HOME, weights={"als": 1}) == {}


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"weights": {"als": "101"}}, "als", "from 0 to 100"),
        ({"weights": {"als": -1}}, "als", "from 0 to 100"),
        ({"weights": {"als": "much"}}, "als", "Enter a number."),
        ({"weights": {"als": "nan"}}, "als", "Enter a number."),
        ({"weights": {"als": 0, "buy_again": "0"}}, "weights", "All weights are zero"),
        ({"weights": {}}, "weights", "All weights are zero"),
        ({"weights": {"oracle": 1}}, "oracle", "no recommender oracle"),
        ({"weights": {"als": 1}, "diversity": "1.1"}, "diversity", "from 0 to 1."),
        ({"weights": {"als": 1}, "promotion": "inf"}, "promotion", "Enter a number."),
    ],
)
def test_an_invalid_weight_is_refused_at_its_field(given: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        what_if(blend=BlendName.HOME, **given)
    assert list(refused.value.message_dict) == [field]
    assert said in refused.value.message_dict[field][0]


def test_worth_is_the_loss_without_the_recommender() -> None:
    weights = {"buy_again": 3, "ease_home": 1, "als": 0}
    losses = worth(blend=BlendName.HOME, weights=weights)
    assert set(losses) == {"buy_again", "ease_home"}
    both, alone = (
        what_if(blend=BlendName.HOME, weights=one).figures[ACCURACY].draft.value for one in (weights, {"ease_home": 1})
    )
    assert losses["buy_again"].value == pytest.approx(both - alone, abs=1e-9)


def test_a_panel_is_loaded_once_and_makes_place_for_the_next_version() -> None:
    version = ModelVersion.objects.get()
    panels().warm()
    panels().settle()
    held = panels().of(version, Task.HOME)
    assert held is panels().of(version, Task.HOME)
    assert held.nbytes > held.panel.planes.nbytes > 0  # type: ignore[union-attr]
    panels.drop()
    assert panels().of(version, Task.HOME) is not held


def test_of_very_many_customers_a_page_holds_a_sample_by_the_seed_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    version = ModelVersion.objects.get()
    panels.drop()
    everybody = held_of(BlendName.HOME)
    monkeypatch.setattr(truth_sample, "PANEL_CUSTOMERS", 20)
    panels.drop()
    drawn = held_of(BlendName.HOME)
    seed = str(version.run.seed).encode()
    order = sorted(
        Customer.objects.filter(pk__in=everybody.customers.tolist()),
        key=lambda one: hashlib.sha256(bytes(one.pseudonym) + seed).digest(),
    )
    assert len(everybody) == 60
    assert drawn.customers.tolist() == sorted(one.pk for one in order[:20])
    rows = np.flatnonzero(np.isin(everybody.customers, drawn.customers))
    assert drawn.baskets.tolist() == everybody.baskets[rows].tolist()
    settings = PanelSettings.of(Values(weights={"als": 100.0}))
    measured, whole = drawn.measured(settings), everybody.measured(settings)
    assert measured.ranked.tolist() == whole.ranked[rows].tolist()
    assert measured.per_user == pytest.approx(whole.per_user[rows])
    assert what_if(blend=BlendName.HOME, weights={"als": 100.0}).users == 20
    panels.drop()


def test_the_bench_holds_every_move_against_the_batch_evaluation() -> None:
    lines = moves.run(moves=3, seed=1)
    assert [(line["task"], line["diversity"]) for line in lines] == [
        ("home", 0.0), ("home", 0.3), ("discover", 0.0), ("discover", 0.3),
    ]  # fmt: skip
    assert all(line["customers_equal"] == line["customers"] == 60 for line in lines)
    assert all(line["answers_equal"] == line["moves"] == 3 for line in lines)
    assert "100.00%" in table(lines)
    held = held_of(BlendName.HOME)
    move = moves.Move(weights={"als": 100.0}, diversity=0.0, exponents={})
    batch = moves.Batch(held, ModelVersion.objects.get(), Task.HOME)
    held.panel.planes[:, 0] *= -1  # one customer's lists go wrong
    same, figures = batch.agrees(move, what_if(blend=BlendName.HOME, weights=move.weights).figures)
    assert not same[0]
    assert same[1:].all()
    assert not figures
    panels.drop()


def test_a_process_is_ready_before_its_first_visitor(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """The first answer and the first move of a slider read no artefact."""
    version = ModelVersion.objects.get()
    snapshot_holder.drop()
    panels.drop()
    with ThreadPoolExecutor(1) as pool:  # with a connection of its own, which it closes
        pool.submit(prepare).result()
    panels().settle()
    with django_assert_num_queries(0):
        held = snapshot_holder().snapshot
        assert held is not None
        assert held.model is not None
        assert held.model.version_id == version.pk
        assert all(panels().of(version, task) for task in Task)


def test_no_panel_is_held_where_another_process_makes_the_pages(settings: pytest_django.Settings) -> None:
    settings.PAGES_URL = "http://127.0.0.1:1"
    assert not held_at_start()


def test_no_sample_is_held_that_nobody_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "PANEL_CUSTOMERS", 60)
    assert held_at_start() == set(Task)
    monkeypatch.setattr(readiness, "PANEL_CUSTOMERS", 59)
    assert not held_at_start()


def test_whoever_opens_the_dashboard_has_the_panels_loaded(client: Client) -> None:
    staff = Staff.objects.create_user("m@example.com", "correct horse", role=Role.MERCHANDISER, name="M")
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    panels.drop()
    assert client.get("/").status_code == 200
    panels().settle()
    assert set(panels()._held) == set(Task)


def held_at_start() -> set[Task]:
    panels.drop()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(prepare).result()
    panels().settle()
    return set(panels()._held)
