"""Accuracy across versions, each tested on weeks of its own."""

import numpy as np
import pytest
from numpy.typing import NDArray

from recommendations.loop import gate, guard
from recommendations.loop.guard import Advantage, lead
from recommendations.models import BlendWeights, ModelVersion
from recommendations.store.models import measurements, weight_versions
from recommendations.terms import TASKS
from recommendations.watch_terms import GuardCheck

BASELINE = np.random.default_rng(0).uniform(0.2, 0.6, 2000).astype(np.float32)
OURS = BASELINE + np.random.default_rng(1).normal(0.035, 0.1, 2000).astype(np.float32)


def test_weeks_that_are_harder_for_every_list_are_no_loss() -> None:
    before, now = lead(OURS, BASELINE), lead(OURS * np.float32(0.93), BASELINE * np.float32(0.93))
    assert not now.is_below(before)
    assert now.value == np.float32(before.value)


def test_a_lead_that_shrank_beyond_chance_is_a_loss() -> None:
    assert lead(BASELINE + np.float32(0.005), BASELINE).is_below(lead(OURS, BASELINE))


def test_a_lead_is_a_share_of_the_baseline_with_the_interval_of_a_mean() -> None:
    # differences .1 and .3: mean .2, deviation .1; the baseline's mean is .5; 1.96 · .1 / √2 / .5 = .27719
    value, reach = lead(np.array([0.5, 0.9], np.float32), np.array([0.4, 0.6], np.float32))
    assert (round(value, 5), round(reach, 5)) == (0.4, 0.27719)
    assert not Advantage(0.1, 0.05).is_below(Advantage(0.15, 0.0))  # they touch


@pytest.mark.parametrize(("ours", "alarms"), [(OURS * np.float32(0.93), 0), (BASELINE * np.float32(0.94), len(TASKS))])
def test_the_guard_compares_leads_and_not_what_was_reached(
    ours: NDArray[np.float32], alarms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two versions the newer has harder weeks, in which the best simple list reaches 7 % less."""
    reached = {1: OURS, 2: ours}
    simple = {1: BASELINE, 2: BASELINE * np.float32(0.93)}
    weights = BlendWeights(weights={"ease_home": 1.0})
    monkeypatch.setattr(weight_versions, "default_weights", lambda _blend: weights)
    monkeypatch.setattr(measurements, "load_per_user", lambda pk, _task: {"personal_frequency": simple[pk]})
    monkeypatch.setattr(gate, "figures_of", lambda pk, *_asked: gate.Reached(reached[pk], gate.NOBODY))
    found = list(guard._of_accuracy(ModelVersion(pk=2), ModelVersion(pk=1)))
    assert [each.check for each in found] == [GuardCheck.ACCURACY] * alarms
