"""Change of lists with one planted cause each: it is named, with the whole change, and nothing else is."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from recommendations.models import Alarm, Item, ModelVersion, RuleBook, Run, StabilityReading
from recommendations.services.watches import after_run, churn
from recommendations.services.watches.after_run import _judge, _noise, _parted, read_stability
from recommendations.services.watches.churn import Basis, Churn, Comparison, distance
from recommendations.services.watches.refits import Refits, TooLongError
from recommendations.services.watches.shifts import Shift, shifts
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.store.serving.stock import load_stock
from recommendations.terms import TASKS, BlendName, VersionStatus
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


UNSETTLED = set(ChurnPart) - {ChurnPart.SETTINGS}
"""Parts where no settings changed."""

PLANTED: list[tuple[ChurnPart, Callable[[Basis], Basis]]] = [
    (ChurnPart.WEIGHTS, other_weights),
    (ChurnPart.RULES, other_rules),
    (ChurnPart.CATALOGUE, other_catalogue),
    (ChurnPart.MODEL, other_data),
]


def compared(before: Basis, now: Basis, **fields: Any) -> Churn:
    change = Comparison(before=before, now=now, moment=NOW).churn(seed=0, **fields)
    assert change
    return change


@pytest.mark.parametrize(("part", "plant"), PLANTED, ids=[part for part, _ in PLANTED])
def test_a_single_cause_is_named_with_the_whole_change(
    part: ChurnPart, plant: Callable[[Basis], Basis], live: Snapshot
) -> None:
    before = Basis.of(live)
    change = compared(before, plant(before), most=1.0)
    assert change.whole > 0.02
    assert change.parts == pytest.approx({each: change.whole if each is part else 0.0 for each in UNSETTLED})


def test_two_causes_share_the_change(live: Snapshot) -> None:
    before = Basis.of(live)
    change = compared(before, other_weights(other_rules(before)), most=1.0)
    assert change.parts[ChurnPart.WEIGHTS] > 0
    assert change.parts[ChurnPart.RULES] > 0
    assert sum(change.parts.values()) == pytest.approx(change.whole, abs=1e-12)


def test_nothing_changed_where_all_is_the_same_and_the_sample_is_the_same(live: Snapshot) -> None:
    before = Basis.of(live)
    assert compared(before, before).whole == 0
    one, again = (compared(before, other_weights(before), most=60.0) for _ in range(2))
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
        shift = Shift(psi, 0.1, noise)
        _judge(WatchedRate.INTERESTS, shift.psi if shift.is_notable else None, now=NOW)
        assert Alarm.objects.lasting().count() == rings
    alarm = Alarm.objects.get()
    assert (alarm.times, alarm.change, alarm.ended_at) == (2, 0.3, NOW)


def weighed(snapshot: Snapshot, **weights: float) -> Snapshot:
    """The snapshot with these weights for everybody in both blends of persons."""
    both = {
        key: replace(one, weights={f"{name}{'_discover' if key.blend is BlendName.DISCOVER else ''}": weight
                                   for name, weight in weights.items()})
        for key, one in snapshot.weights.items() if key.blend in TASKS.values()
    }  # fmt: skip
    return replace(snapshot, weights={**snapshot.weights, **both})


def test_another_seed_changes_what_draws_at_random_and_nothing_else(live: Snapshot) -> None:
    assert live.model
    users = live.model.users.ids.tolist()
    refits = Refits(learned=live.model, customers=users, run=Run.objects.get())
    own, other = refits.own, refits.reseeded()
    distances = [
        distance(replace(side, model=own), replace(side, model=other), users, now=NOW, most=60.0)
        for side in (weighed(live, als=1.0), weighed(live, item_knn=1.0))
    ]
    assert distances[0] is not None
    assert distances[0] > 0.01
    assert distances[1] == pytest.approx(0, abs=1e-12)
    assert distance(live, replace(live, model=own), users, now=NOW, most=60.0) == pytest.approx(0, abs=1e-12)


def test_noise_of_the_lists_is_what_another_seed_alone_would_change(live: Snapshot) -> None:
    assert live.model
    refits = Refits(learned=live.model, customers=live.model.users.ids.tolist(), run=Run.objects.get())
    assert _noise(live, refits) is not None


def test_noise_is_not_known_where_learning_twice_takes_too_long(
    live: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert live.model
    run = Run.objects.get()
    row = run.stages.get(stage="train", cut="live")
    row.counts["fit_seconds"]["als"] = 61.0
    row.save()
    refits = Refits(learned=live.model, customers=live.model.users.ids.tolist(), run=run)
    assert _noise(live, refits) is None
    with pytest.raises(TooLongError):
        refits.as_before({"als": {"factors": 3}})


def test_new_settings_are_parted_from_new_data(live: Snapshot) -> None:
    """The data did not change, so all of the change is the settings'; with other data, what is left of it."""
    assert live.model
    run, now = Run.objects.get(), Basis.of(weighed(live, item_knn=1.0))
    settings = dict(ModelVersion.objects.get().instances)
    refits = Refits(learned=live.model, customers=live.model.users.ids.tolist(), run=run)
    assert refits.as_before(settings) is None
    settings["item_knn"] = settings["item_knn"] | {"half_life": 1.0, "shrinkage": 0.0}
    unset = refits.as_before(settings)
    assert unset
    before = replace(now, model=replace(unset, version_id=-1))
    parted = _parted(Comparison(before=before, now=now, moment=NOW), refits, settings)
    change = parted.churn(seed=0, most=60.0)
    assert change
    assert change.whole > 0.02
    wanted = {part: change.whole if part is ChurnPart.SETTINGS else 0.0 for part in ChurnPart}
    assert change.parts == pytest.approx(wanted, abs=1e-12)
    third = refits.as_before(settings | {"item_knn": settings["item_knn"] | {"half_life": 5.0, "shrinkage": 900.0}})
    assert third
    before = replace(before, model=replace(third, version_id=-1))
    change = _parted(Comparison(before=before, now=now, moment=NOW), refits, settings).churn(seed=0, most=60.0)
    assert change
    sides = [replace(now.snapshot, model=each) for each in (third, unset, refits.own)]
    users = live.model.users.ids.tolist()
    data, whole = (distance(sides[0], each, users, now=NOW, most=60.0) for each in sides[1:])
    assert data is not None
    assert whole is not None
    assert change.parts[ChurnPart.MODEL] == pytest.approx(data, abs=1e-12)
    assert change.parts[ChurnPart.SETTINGS] == pytest.approx(whole - data, abs=1e-12)


def test_a_reading_has_the_noise(live: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version before is this one under another number: nothing changed, and chance is measured all the same."""
    run, version = Run.objects.get(), ModelVersion.objects.get()
    other = ModelVersion.objects.create(
        run=Run.objects.create(now=NOW), status=VersionStatus.READY, instances=version.instances
    )
    StabilityReading.objects.create(version=other, at=NOW, basis=Basis.of(live).described())
    stored = churn.load_model
    monkeypatch.setattr(churn, "load_model", lambda _key, cut: replace(stored(version.pk, cut), version_id=other.pk))
    monkeypatch.setattr(after_run, "_shifts", lambda *_versions, **_seed: {})
    reading = read_stability(run, now=NOW)
    assert reading
    assert (reading.before, reading.churn["customers"], reading.churn["settings"]) == (other, 60, False)
    assert reading.churn["whole"] == pytest.approx(0, abs=1e-12)
    assert ChurnPart.SETTINGS not in reading.churn["parts"]
    refits = Refits(learned=live.model, customers=live.model.users.ids.tolist(), run=run)  # type: ignore[arg-type,union-attr]
    assert reading.churn["noise"] == pytest.approx(_noise(live, refits), abs=1e-12)
