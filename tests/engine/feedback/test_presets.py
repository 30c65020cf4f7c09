import pytest

from recommendations.engine.feedback.presets import PRESETS, PROMOTION
from recommendations.engine.recommenders.registry import instances_of
from recommendations.terms import BlendName


@pytest.mark.parametrize("blend", BlendName)
def test_every_blend_has_a_preset_of_its_own_instances_that_adds_up_to_one(blend: BlendName) -> None:
    weights = PRESETS[blend]
    assert set(weights) <= {instance.name for instance in instances_of(blend)}
    assert sum(weights.values()) == pytest.approx(1, abs=1e-9)
    assert all(weight > 0 for weight in weights.values())


def test_every_blend_has_an_exponent_of_the_promotion_plan() -> None:
    assert set(PROMOTION) == set(BlendName)
    assert all(exponent >= 0 for exponent in PROMOTION.values())
