"""Luck: what has a seed is fitted again under two others, what has none comes out the same, once for a version."""

import pytest

from recommendations.engine.recommenders.registry import SEEDED
from recommendations.models import Evaluation, ModelVersion
from recommendations.services.watches import luck
from recommendations.store.domain import shop_instances
from recommendations.terms import TASKS, Task

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def test_the_live_version_is_measured_under_two_other_seeds_once() -> None:
    assert luck.measure_luck() == len(Task)
    for run in Evaluation.objects.all():
        seed = run.version.run.seed
        assert run.luck["seeds"] == [seed, seed + 1, seed + 2]
        seeded = {one.name for one in shop_instances(TASKS[Task(run.task)]) if one.kind in SEEDED}
        measured = {row.name: row for row in run.rows.all()}
        assert set(run.luck["ndcg"]) == {"hybrid"} | (seeded & set(measured))
        for name, values in run.luck["ndcg"].items():
            assert len(values) == 3
            assert values[0] == pytest.approx(measured[name].metrics["ndcg@10"]["value"], abs=2e-6)
    assert luck.measure_luck() == 0


def test_what_has_no_seed_comes_out_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were nothing fitted anew, every seed would give the figures of the run: the rest of the path adds nothing."""
    monkeypatch.setattr(luck, "SEEDED", frozenset())
    assert luck.measure_luck() == len(Task)
    for run in Evaluation.objects.all():
        [values] = run.luck["ndcg"].values()
        assert values == [values[0]] * 3


def test_without_a_live_version_there_is_nothing_to_measure() -> None:
    ModelVersion.objects.update(is_live=False)
    assert luck.measure_luck() == 0
