"""Goals of a shop that knows its costs and stocks: panel, gate and search speak of them; else the page says why not."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from django.utils import timezone

from analytics.queries.weights.live_facts import live_facts
from analytics.queries.weights.suggestion import progress_text
from recommendations.engine.evaluation.panel_measures import CLEARANCE, MARGIN
from recommendations.engine.ranking.goals import goal_lifts
from recommendations.models import BlendWeights, Item, ModelVersion, Placement
from recommendations.services.weights.blending import gate_result_on
from recommendations.services.weights.drafts import save_draft
from recommendations.services.weights.goals import goals_of_version
from recommendations.services.weights.panels import HeldPanel, PanelSettings
from recommendations.services.weights.suggestions import Outcome, search, suggest
from recommendations.services.weights.values import Values
from recommendations.services.weights.what_if import held_for, what_if
from recommendations.store.models.artefacts import save_arrays
from recommendations.store.models.model import load_snapshot, save_lifts
from recommendations.store.models.training_data import item_attributes
from recommendations.store.process_held import drop_all
from recommendations.terms import BlendName, Cut, Lift
from recommendations.wording.labels import gate_text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

HOME = BlendName.HOME


@pytest.fixture
def costly() -> None:
    """Every other item leaves nine tenths of its price, the others one; of every third there are a thousand."""
    version = ModelVersion.objects.live().get()
    for cut in Cut:
        price = load_snapshot(version.pk, cut)[0].training.catalogue.price
        place = np.arange(1, len(price) + 1)  # keys would differ by what was tested before
        cost = price * np.where(place % 2, 0.1, 0.9)
        stock = np.where(place % 3, 1, 1000)
        told: Mapping[str, np.ndarray] = {"catalogue/cost": cost, "catalogue/stock": stock}
        save_arrays(version, cut, {name: values.astype(np.float32) for name, values in told.items()})
        lifts = goal_lifts(load_snapshot(version.pk, cut)[0].training)
        save_lifts(version, cut, {name: lifts[name] for name in (Lift.MARGIN, Lift.CLEARANCE)})
    Placement.objects.update(n=5)
    drop_all()


def live() -> BlendWeights:
    return BlendWeights.objects.defaults().get(blend__name=HOME)


def test_a_shop_without_costs_and_stocks_has_revenue_alone_and_says_what_it_lacks() -> None:
    assert goals_of_version(ModelVersion.objects.live().get().pk) == {Lift.REVENUE}
    answer = what_if(blend=HOME, weights=live().weights, revenue=1.0, margin=2.0)
    assert {MARGIN, CLEARANCE}.isdisjoint(answer.figures)
    assert answer.figures == what_if(blend=HOME, weights=live().weights, revenue=1.0).figures
    told = live_facts().lacking
    assert told.keys() == {Lift.MARGIN, Lift.CLEARANCE}
    assert all(one.mended_by_import for one in told.values())
    Item.objects.filter(pk=Item.objects.values("pk")[:1]).update(cost=1)
    assert "The next run will pick it up." in str(live_facts().lacking[Lift.MARGIN].why)
    assert live_facts().lacking[Lift.CLEARANCE].mended_by_import


def test_a_run_reads_costs_and_the_stock_of_what_is_in_stock() -> None:
    first, second, third = Item.objects.order_by("pk")[:3]
    Item.objects.filter(pk=first.pk).update(cost="1.25", available_quantity=7)
    Item.objects.filter(pk=second.pk).update(available_quantity=7, availability="preorder")
    attributes, _ = item_attributes()
    rows = [int(np.flatnonzero(attributes.ids == item.pk)[0]) for item in (first, second, third)]
    assert attributes.cost is not None
    assert attributes.stock is not None
    assert attributes.cost[rows].tolist() == pytest.approx([1.25, np.nan, np.nan], nan_ok=True)
    assert attributes.stock[rows].tolist() == pytest.approx([7, np.nan, np.nan], nan_ok=True)


@pytest.mark.usefixtures("costly")
def test_goals_move_the_lists_to_what_they_aim_at() -> None:
    assert goals_of_version(ModelVersion.objects.live().get().pk) == {Lift.REVENUE, Lift.MARGIN, Lift.CLEARANCE}
    assert live_facts().lacking == {}
    answer = what_if(blend=HOME, weights=live().weights, clearance=1.0)
    assert answer.length == 5
    assert answer.figures[CLEARANCE].against.low > 0
    held = held_for(HOME, None)
    assert isinstance(held, HeldPanel)
    shares = held.panel.shop.margin
    assert shares is not None
    before, after = (
        shares[held.measured(PanelSettings.of(replace(Values.of(live()), margin=exponent))).ranked[:, :5]].mean()
        for exponent in (0.0, 1.0)
    )
    assert after > before + 0.05
    assert MARGIN in answer.figures


@pytest.mark.usefixtures("costly")
def test_the_gate_speaks_of_margin_where_costs_are_known() -> None:
    draft = save_draft(
        blend=HOME, values={"weights": live().weights, "margin": 0.1}, revision=None, by=None, now=timezone.now()
    )
    result = gate_result_on(draft)
    assert result["length"] == 5
    assert result["margin"]["low"] <= result["margin"]["value"] <= result["margin"]["high"]
    assert "first 5 items" in gate_text(result)
    assert "margin " in gate_text(result)


@pytest.mark.usefixtures("costly")
def test_a_search_for_stock_to_clear_keeps_its_limits_and_says_what_it_costs() -> None:
    job = suggest(
        blend=HOME, values={"weights": live().weights}, goal=CLEARANCE,
        limits={"most_loss": "5", "least_diversity": "10%"}, by=None, now=timezone.now(),
    )  # fmt: skip
    assert job.request["limits"] == {"most_loss": 0.05, "least_diversity": 0.1}
    assert search(job.pk) == Outcome.FOUND
    job.refresh_from_db()
    values = job.result["values"]
    assert values["clearance"] > 0
    assert job.result["against"]["accuracy"]["value"] >= -0.05 * job.result["reached"]["accuracy"] - 1e-6
    assert job.result["against"][CLEARANCE]["low"] > 0
    assert progress_text(job).startswith("Suggested: Stock to clear +")
