"""What is worked out of a model is worked out once, and goes with it: a process holds no model that nobody needs."""

import gc
import weakref

import pytest

from recommendations.models import ModelVersion
from recommendations.services.weights.what_if import what_if
from recommendations.serving.candidates import candidate_source
from recommendations.serving.interest_profile import interest_profile
from recommendations.serving.serve import serve
from recommendations.serving.types import Request
from recommendations.serving.visit import visits_of
from recommendations.store.models.held_by_model import held_by_model
from recommendations.store.models.model import Model, load_model
from recommendations.store.process_held import drop_all
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import BlendName, Cut
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def loaded() -> Model:
    return load_model(ModelVersion.objects.get().pk, Cut.LIVE)


def test_worked_out_once_for_each_model_and_value() -> None:
    asked: list[tuple[int, int]] = []

    @held_by_model
    def doubled(model: Model, number: int) -> int:
        asked.append((id(model), number))
        return 2 * number

    one, other = loaded(), loaded()
    assert [doubled(one, 3), doubled(one, 3), doubled(one, 4), doubled(other, 3)] == [6, 6, 8, 6]
    assert asked == [(id(one), 3), (id(one), 4), (id(other), 3)]


def test_candidates_and_visits_go_with_their_model() -> None:
    model = loaded()
    assert candidate_source(model) is candidate_source(model)
    assert visits_of(model).pools is candidate_source(model)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_a_process_that_served_and_tried_weights_out_holds_no_former_model() -> None:
    serve(Request(placement="home", user_id="u3", diversity=0.5), now=NOW)
    interest_profile("u3", most=5, now=NOW)
    what_if(blend=BlendName.HOME, weights={"popularity_home": 1})
    model = snapshot_holder().any().model
    assert model is not None
    gone = weakref.ref(model)
    del model
    drop_all()
    gc.collect()
    assert gone() is None
