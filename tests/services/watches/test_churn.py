"""Change of lists with one planted cause each: it is named, with the whole change, and nothing else is."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from recommendations.models import Alarm, Item, ModelVersion, RuleBook, Run, StabilityReading
from recommendations.services.watches.after_run import _judge, read_stability
from recommendations.services.watches.churn import Basis, Churn, Comparison
from recommendations.services.watches.shifts import Shift, shifts
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.store.serving.stock import load_stock
from recommendations.terms import BlendName, VersionStatus
from recommendations.watch_terms import ChurnPart, WatchedRate
from tests.rule_sets import EXCLUDE, Draw, item
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture
def live() -> Snapshot:
    return current_snapshot()


def other_weights(then: Basis) -> Basis:
    weights = {
        key: replace(one, weights={"popularity_home" if key.blend is BlendName.HOME else "ease_discover": 1.0})
        for key, one in then.weights.items()
    }
    return replace(then, weights=weights)


def other_rules(then: Basis) -> Basis:
    rule = Draw(0, segments=[1, 2], customers=[1]).rule(EXCLUDE, item("tea-0", "tea-1", "soap-1"), placement=None)
    RuleBook.objects.create(number=99, rules=[rule], note="a test")
    return replace(then, rules=99)


def other_catalogue(then: Basis) -> Basis:
    Item.objects.filter(shop_id__startswith="tea").update(availability="out_of_stock", updated_at=timezone.now())
    return replace(then, stock=load_stock())


def other_data(then: Basis) -> Basis:
    assert then.model
    candidates = {blend: replace(one, z=one.z[:, :, ::-1]) for blend, one in then.model.candidates.items()}
    return replace(then, model=replace(then.model, version_id=-1, candidates=candidates))


PLANTED: list[tuple[ChurnPart, Callable[[Basis], Basis]]] = [
    (ChurnPart.WEIGHTS, other_weights),
    (ChurnPart.RULES, other_rules),
    (ChurnPart.CATALOGUE, other_catalogue),
    (ChurnPart.MODEL, other_data),
]


def compared(before: Basis, now: Basis, **fields: Any) -> Churn:
    churn = Comparison(before=before, now=now, moment=NOW).churn(seed=0, **fields)
    assert churn
    return churn


@pytest.mark.parametrize(("part", "plant"), PLANTED, ids=[part for part, _ in PLANTED])
def test_a_single_cause_is_named_with_the_whole_change(
    part: ChurnPart, plant: Callable[[Basis], Basis], live: Snapshot
) -> None:
    before = Basis.of(live)
    churn = compared(before, plant(before), most=1.0)
    assert churn.whole > 0.02
    assert churn.parts == pytest.approx({each: churn.whole if each is part else 0.0 for each in ChurnPart})


def test_two_causes_share_the_change(live: Snapshot) -> None:
    before = Basis.of(live)
    churn = compared(before, other_weights(other_rules(before)), most=1.0)
    assert churn.parts[ChurnPart.WEIGHTS] > 0
    assert churn.parts[ChurnPart.RULES] > 0
    assert sum(churn.parts.values()) == pytest.approx(churn.whole, abs=1e-12)


def test_nothing_changed_where_all_is_the_same_and_the_sample_is_the_same(live: Snapshot) -> None:
    before = Basis.of(live)
    assert compared(before, before).whole == 0
    one, again = (compared(before, other_weights(before)) for _ in range(2))
    assert one == again
    assert live.model
    assert one.customers == min(len(live.model.users), 500)


def test_the_first_reading_has_a_basis_and_the_next_of_its_run_none(live: Snapshot) -> None:
    run = Run.objects.get()
    reading = read_stability(run, now=NOW)
    assert reading
    assert (reading.before, reading.churn, reading.shifts) == (None, {}, {})
    assert read_stability(run, now=NOW) is None
    assert reading.basis == Basis.of(live).described()
    then = Basis.then(reading, now=live)
    assert then
    assert Comparison(before=then, now=Basis.of(live), moment=NOW).changed == ()
    assert then.weights == {key: one for key, one in live.weights.items() if one.key is not None}


def test_a_version_whose_files_are_gone_is_compared_with_nothing() -> None:
    run = Run.objects.get()
    old = ModelVersion.objects.create(run=Run.objects.create(now=NOW), status=VersionStatus.READY)
    basis = {"weights": [], "rules": 0, "mark": "0"}
    StabilityReading.objects.create(version=old, at=NOW, basis=basis)
    reading = read_stability(run, now=NOW)
    assert reading
    assert (reading.before, reading.churn, reading.shifts) == (old, {}, {})


def test_a_version_has_not_shifted_from_itself() -> None:
    version = ModelVersion.objects.get()
    measured = shifts(version, version, seed=0)
    assert set(measured) == {WatchedRate.INTERESTS, WatchedRate.POPULARITY}
    for shift in measured.values():
        assert (shift.psi, shift.js) == (pytest.approx(0, abs=1e-12), pytest.approx(0, abs=1e-12))
        assert shift.noise > 0
        assert np.isfinite(shift.noise)


def test_a_shift_above_a_tenth_and_three_times_its_noise_is_an_alarm_until_it_is_not() -> None:
    for psi, noise, rings in ((0.09, 0.0, 0), (0.2, 0.07, 0), (0.2, 0.06, 1), (0.3, 0.05, 1), (0.05, 0.05, 0)):
        _judge(WatchedRate.INTERESTS, Shift(psi, 0.1, noise), now=NOW)
        assert Alarm.objects.lasting().count() == rings
    alarm = Alarm.objects.get()
    assert (alarm.times, alarm.change, alarm.ended_at) == (2, 0.3, NOW)
