"""A goal in an answer: it moves what is liked, has a line of its own, gives no reason, and the terms add up."""

import numpy as np
import pytest

from recommendations.models import BlendWeights, ModelVersion
from recommendations.services.review.waterfall import TermKind, waterfall
from recommendations.serving.serve import serve
from recommendations.serving.types import Answer, Request
from recommendations.store.models.model import load_model, save_lifts
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import Cut, Lift
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def answer() -> Answer:
    snapshot_holder.drop()
    return serve(Request(placement="home", user_id="u0", n=12), now=NOW)


def test_goals_have_lines_of_their_own_that_add_up() -> None:
    before = answer()
    second = before.shown[1]
    version = ModelVersion.objects.live().get()
    model = load_model(version.pk, Cut.LIVE)
    margin, clearance = (np.ones(len(model.items), np.float32) for _ in range(2))
    row = model.items.rows(np.array([second.item]))
    margin[row], clearance[row] = 2, 0.5
    save_lifts(version, Cut.LIVE, {Lift.MARGIN: margin, Lift.CLEARANCE: clearance})
    BlendWeights.objects.defaults().filter(blend__name="home").update(margin=2.0, clearance=1.0)
    first = answer().shown[0]
    assert first.item == second.item
    assert first.score == pytest.approx(2 * second.score)  # 2 ** 2 · ½
    assert first.contributions["margin"] == pytest.approx(3 * second.score)
    assert first.contributions["clearance"] == pytest.approx(-2 * second.score)
    assert [reason.code for reason in first.reasons] == [reason.code for reason in second.reasons]
    terms = waterfall(first, rules={})
    assert {term.name for term in terms if term.kind is TermKind.GOAL} == {"margin", "clearance"}
    assert sum(term.value or 0 for term in terms) == pytest.approx(first.final)
    BlendWeights.objects.defaults().filter(blend__name="home").update(margin=0.0, clearance=0.0)
    assert [(shown.item, shown.score) for shown in answer().shown] == [(one.item, one.score) for one in before.shown]
