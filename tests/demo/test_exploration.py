"""The demo explores: a version of each blend's weights, once, and what staff set later stays."""

import pytest
from django.utils import timezone

from demo.exploration import publish_exploration
from recommendations.models import BlendWeights
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
