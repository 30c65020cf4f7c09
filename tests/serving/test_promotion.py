"""The promotion plan in an answer: what it does to the order, and that the terms still add up."""

import numpy as np
import pytest

from recommendations.models import BlendWeights, ModelVersion
from recommendations.serving.serve import serve
from recommendations.serving.types import Answer, Request
from recommendations.store.models.model import load_lifts, load_model, save_lifts
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import Cut, Lift
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
PLACES = 12


def answer() -> Answer:
    snapshot_holder.drop()
    return serve(Request(placement="home", user_id="u0", n=PLACES), now=NOW)


def promote(item: int, lift: float, *, exponent: float) -> None:
    version = ModelVersion.objects.live().get()
    model = load_model(version.pk, Cut.LIVE)
    values = np.ones(len(model.items), np.float32)
    values[model.items.rows(np.array([item]))] = lift
    save_lifts(version, Cut.LIVE, {Lift.PROMOTION: values})
    BlendWeights.objects.defaults().filter(blend__name="home").update(promotion=exponent)


def test_a_shop_without_a_plan_has_no_lift_and_no_term() -> None:
    version = ModelVersion.objects.live().get()
    assert Lift.PROMOTION not in load_lifts(version.pk, Cut.LIVE)
    BlendWeights.objects.defaults().update(promotion=1.0)
    assert all("promotion" not in shown.contributions for shown in answer().shown)


def test_a_promoted_item_comes_up_and_has_a_promotion_term() -> None:
    before = answer()
    second = before.shown[1]
    promote(second.item, 4.0, exponent=1.0)
    after = answer()
    first = after.shown[0]
    assert first.item == second.item
    assert first.contributions["promotion"] == pytest.approx(3 * second.score)  # score · (4 − 1)
    assert first.score == pytest.approx(4 * second.score)
    for shown in after.shown:
        assert sum(shown.contributions.values()) == pytest.approx(shown.score)
        assert ("promotion" in shown.contributions) is (shown.item == second.item)


def test_with_exponent_0_the_plan_does_not_count() -> None:
    before = answer()
    promote(before.shown[1].item, 4.0, exponent=0.0)
    assert [(shown.item, shown.score) for shown in answer().shown] == [(one.item, one.score) for one in before.shown]
