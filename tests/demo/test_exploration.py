"""The demo explores: a version of each blend's weights, once, and what staff set later stays."""

import pytest
from django.utils import timezone

from demo.exploration import publish_exploration
from demo.fatigue import set_fatigue
from recommendations.models import BlendWeights, Placement
from recommendations.services.operations.placements import set_placement
from recommendations.store.models.weight_versions import Made, append_weights, default_weights
from recommendations.terms import BlendName

pytestmark = pytest.mark.django_db


def publish(**more: float) -> None:
    made = Made(weights={"als": 0.6, "buy_again": 0.4}, diversity=0.2, reason="test", **more)
    append_weights(blend=BlendName.HOME, made=made, author=None, now=timezone.now(), publish=True)


def test_each_blend_explores_once() -> None:
    publish()
    assert publish_exploration(now=timezone.now()) == 1
    served = default_weights(BlendName.HOME)
    assert served
    assert (served.number, served.exploration, served.cards, served.diversity) == (2, 0.10, 0.05, 0.2)
    assert served.weights == {"als": 0.6, "buy_again": 0.4}
    publish(exploration=0.0, cards=0.0)
    assert publish_exploration(now=timezone.now()) == 0
    again = default_weights(BlendName.HOME)
    assert again
    assert (again.number, again.exploration) == (3, 0)
    assert BlendWeights.objects.count() == 3


def test_ignored_items_go_down_on_home_unless_somebody_has_set_it() -> None:
    assert set_fatigue() is True
    home = Placement.objects.get(name="home")
    assert home.fatigue == 0.25
    assert set_fatigue() is False
    set_placement(placement=home, changes={"fatigue": 0.0}, by=None)
    assert set_fatigue() is False
    assert Placement.objects.get(name="home").fatigue == 0
