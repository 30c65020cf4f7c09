"""Over-fitting: a gap that grows beyond its interval from one version to the next rings, and nothing else does."""

from collections.abc import Mapping

import pytest

from recommendations.models import Alarm, Evaluation, ModelVersion, Run, StabilityReading
from recommendations.services.watches.after_run import read_stability
from recommendations.services.watches.overfitting import overfits
from recommendations.terms import Cut, Task, VersionStatus
from recommendations.watch_terms import WatchedRate
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def gaps(**values: float) -> dict[str, dict[str, Mapping[str, float]]]:
    return {
        name: {"gap": {"value": value, "low": value - 0.01, "high": value + 0.01}} for name, value in values.items()
    }


def version_with(gaps_of_home: Mapping[str, object]) -> ModelVersion:
    made = ModelVersion.objects.create(run=Run.objects.create(now=NOW), status=VersionStatus.READY)
    own = Evaluation.objects.get(task=Task.HOME, version__is_live=True)
    Evaluation.objects.create(
        version=made, cut=Cut.TEST, task=Task.HOME, window_start=own.window_start, window_end=own.window_end, users=20,
        seed=0, generalisation=gaps_of_home,
    )  # fmt: skip
    return made


def test_those_that_grew_come_with_the_largest_first() -> None:
    before = version_with(gaps(ease_home=0.1, als=0.1, content=0.3, user_knn=0.1))
    now = version_with(gaps(ease_home=0.15, als=0.21, content=0.1, user_knn=0.105, item_knn=0.9))
    assert [(one.name, pytest.approx(one.growth)) for one in overfits(now, before)] == [
        ("als", 0.11), ("ease_home", 0.05),
    ]  # fmt: skip


def test_a_version_that_measured_nothing_of_it_is_compared_with_nothing() -> None:
    assert overfits(version_with(gaps(als=0.5)), version_with({})) == []


@pytest.mark.parametrize(("gap", "rings"), [(0.4, 1), (0.101, 0)])
def test_a_run_whose_gap_grew_rings_and_the_next_ends_it(gap: float, rings: int) -> None:
    """The run of the shop is read after a version with narrower gaps, whose files are gone."""
    own = Evaluation.objects.get(task=Task.HOME, version__is_live=True)
    Evaluation.objects.filter(pk=own.pk).update(generalisation=gaps(als=gap))
    old = version_with(gaps(als=0.1))
    StabilityReading.objects.create(version=old, at=NOW, basis={"weights": [], "rules": 0, "mark": "0"})
    reading = read_stability(own.version.run, now=NOW)
    assert reading
    assert Alarm.objects.lasting().filter(rate=WatchedRate.OVERFIT).count() == rings
    if rings:
        assert Alarm.objects.get().change == pytest.approx(0.3)
        reading.delete()
        Evaluation.objects.filter(pk=own.pk).update(generalisation=gaps(als=0.1))
        read_stability(own.version.run, now=NOW)
        assert Alarm.objects.get().ended_at == NOW
