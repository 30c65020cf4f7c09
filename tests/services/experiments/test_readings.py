"""Readings of experiments and verdicts on them: what is read twice is read once, what harms is stopped once."""

import json
import math
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from recommendations import tasks
from recommendations.engine.experiments.decision import VerdictCode
from recommendations.engine.experiments.mismatch import log_evidence
from recommendations.engine.experiments.sequences import mixture_scale
from recommendations.models import Arm, AuditEntry, Experiment, ExperimentNote, Reading, RetentionDrop, Unit
from recommendations.services.experiments.readings import (
    due,
    judge,
    lost_its_beginning,
    plain,
    read_experiment,
    read_experiments,
)
from recommendations.services.experiments.standings import days_between, standing
from recommendations.store.events.partitions import month_of, partition_of
from recommendations.store.experiments.units import settle_units
from recommendations.store.live import fetch
from recommendations.store.retention.months import EVENT
from recommendations.terms import ExperimentKind, ExperimentStatus, Metric
from tests.experiment_records import DAY, HOUR, NOW, START, answer, arms_of, experiment, furnish, unit_of
from tests.store.experiments.test_totals import buy

pytestmark = pytest.mark.django_db
SCALES = {Metric.REVENUE: mixture_scale(0.2, 0.05), Metric.FALLBACK: mixture_scale(0.005, 0.1)}


@pytest.fixture(autouse=True)
def _shop() -> None:
    furnish()


def reading(arm: Arm, metric: Metric, *, n: int, mean: float, sd: float, at: datetime, some: int, x: float = 0) -> None:
    """A reading of so many people with a mean and a standard deviation; of a ratio, x is the sum below the line."""
    y = n * mean
    products = {"y": y, "yy": n * mean**2 + (n - 1) * sd**2, "x": x, "xx": x * x / n, "xy": x * y / n}
    Reading.objects.create(arm=arm, metric=metric, at=at, n=n, facts={"successes": some}, **products)


def two_arms(means: tuple[float, float] = (10, 10), *, at: datetime | None = None, **fields: Any) -> Experiment:
    """An experiment of ten days with readings of 10,000 people an arm, of whom 500 bought."""
    own = experiment(**{"scales": SCALES, "started_at": NOW - 10 * DAY} | fields)
    for arm, mean in zip(arms_of(own), means, strict=True):
        reading(arm, Metric.REVENUE, n=10_000, mean=mean, sd=20, at=at or NOW, some=900)
        reading(arm, Metric.CONVERTED, n=10_000, mean=0.05, sd=0.2, at=at or NOW, some=500)
    return own


def fallbacks(own: Experiment, shares: tuple[float, float]) -> None:
    """Answers that did not come from the model, of 10,000 people with one answer each."""
    for arm, share in zip(arms_of(own), shares, strict=True):
        spread = math.sqrt(share * (1 - share))
        reading(arm, Metric.FALLBACK, n=10_000, mean=share, sd=spread, at=NOW, some=int(share * 10_000), x=10_000)


def code(own: Experiment) -> VerdictCode | None:
    verdict = judge(own, now=NOW)
    return verdict.code if verdict else None


def test_what_began_with_what_is_kept_no_longer_stays_as_it_was_read() -> None:
    """A month that went ended 70 to 39 days ago; what people did four weeks before the start counts, too."""
    before, after = (experiment(started_at=NOW - days * DAY) for days in (60, 10))
    drop = RetentionDrop.objects.create(kind="events", partition=partition_of(EVENT, month_of(NOW - 70 * DAY)), rows=0)
    assert due(NOW) == [before, after]  # nothing was in it
    RetentionDrop.objects.filter(pk=drop.pk).update(rows=1)
    assert due(NOW) == [after]
    assert [lost_its_beginning(each) for each in (before, after)] == [True, False]


def test_a_reading_has_the_sums_of_everybody_and_what_is_true_of_the_whole() -> None:
    own = experiment(caps={Metric.REVENUE: 15.0})
    arms = arms_of(own)
    for number in range(6):
        answer(unit_of(f"u{number}"), arms[number % 2])
    buy("u0", 20, at=START + HOUR)
    settle_units(NOW)
    read_experiment(own, now=NOW)
    row = Reading.objects.get(arm=arms[0], metric=Metric.REVENUE, segment=None)
    assert (row.n, row.y, row.yy, row.facts["successes"]) == (3, pytest.approx(15), pytest.approx(225), 1)
    assert (row.facts["cap"], row.facts["uncapped"], row.facts["above_cap"]) == (15, pytest.approx(20), 1)
    assert row.facts["mixed"] == 0
    checks = {(check["kind"], check["name"]): check for check in row.facts["splits"]}
    assert checks["all", ""]["counts"] == checks["placement", "home"]["counts"] == [3, 3]
    assert checks["all", ""]["log_evidence"] == pytest.approx(log_evidence([3, 3], [0.5, 0.5]))
    assert not checks["all", ""]["broken"]
    assert Reading.objects.get(arm=arms[0], metric=Metric.CTR).facts["of_served"]
    coverage = Reading.objects.get(arm=arms[0], metric=Metric.COVERAGE)
    assert (coverage.y, coverage.x, coverage.facts) == (4, 1, {"lists": 3})


def test_reading_twice_is_reading_once() -> None:
    own = experiment()
    for number in range(6):
        answer(unit_of(f"u{number}"), arms_of(own)[number % 2])
    settle_units(NOW)
    fields = ("arm", "segment", "metric", "at", "n", "y", "yy", "x", "xx", "xy", "facts")
    number = read_experiment(own, now=NOW)
    before = list(Reading.objects.order_by("arm", "metric").values(*fields))
    assert read_experiment(own, now=NOW) == number == len(before)
    assert list(Reading.objects.order_by("arm", "metric").values(*fields)) == before


def test_a_reading_that_fails_leaves_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    own = experiment()
    answer(unit_of("u1"), arms_of(own)[0])
    settle_units(NOW)
    number = read_experiment(own, now=NOW)

    def fail(*_given: Any, **_options: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("recommendations.services.experiments.readings._settle_scales", fail)
    with pytest.raises(RuntimeError):
        read_experiment(own, now=NOW)
    assert Reading.objects.count() == number


def test_readings_are_hourly_for_two_days_then_daily() -> None:
    own = experiment(started_at=NOW - 47 * HOUR)
    assert due(NOW) == [own]
    Reading.objects.create(arm=arms_of(own)[0], metric="revenue", at=NOW, n=0, y=0, yy=0, x=0, xx=0, xy=0)
    assert due(NOW + timedelta(minutes=40)) == []
    assert due(NOW + timedelta(minutes=55)) == [own]
    noon = (NOW + 2 * DAY).replace(hour=10)
    Reading.objects.update(at=noon)
    assert due(noon + 2 * HOUR) == []
    assert due(noon + DAY) == [own]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": ExperimentStatus.PAUSED}, True),
        ({"status": ExperimentStatus.STOPPED, "ended_at": NOW - 27 * DAY}, True),  # late purchases still come in
        ({"status": ExperimentStatus.STOPPED, "ended_at": NOW - 29 * DAY}, False),
        ({"kind": ExperimentKind.BANDIT}, False), ({"simulated": True}, False),
        ({"status": ExperimentStatus.DRAFT, "started_at": None}, False),
    ],
)  # fmt: skip
def test_what_is_read(fields: dict[str, Any], expected: bool) -> None:
    experiment(**fields)
    assert bool(due(NOW)) is expected


def test_nothing_is_judged_before_the_first_reading() -> None:
    assert code(experiment()) is None
    assert not ExperimentNote.objects.exists()


def test_a_winner_is_to_be_shipped_and_goes_on_running() -> None:
    own = two_arms((10, 12))  # the standard error is .28
    assert code(own) is VerdictCode.SHIP
    own.refresh_from_db()
    assert own.status == ExperimentStatus.RUNNING
    assert own.decision["code"] == "ship"
    assert own.decision["facts"]["value"] == pytest.approx(0.2)
    assert 0 < own.decision["facts"]["low"] < 0.2 < own.decision["facts"]["high"]
    assert (own.decision["facts"]["arm"], own.decision["at"]) == (1, NOW.isoformat())


def test_a_loser_is_not_to_be_shipped() -> None:
    assert code(two_arms((12, 10))) is VerdictCode.KEEP


def test_the_first_week_is_too_early() -> None:
    own = two_arms((10, 12), started_at=NOW - 7 * DAY + HOUR)
    assert code(own) is VerdictCode.TOO_EARLY
    own.refresh_from_db()
    assert own.decision["facts"] == {"day": 6, "days": 7, "successes": 500, "needed": 100}


def test_few_buyers_are_too_early_whatever_they_spent() -> None:
    own = two_arms((10, 12))
    Reading.objects.filter(metric=Metric.CONVERTED).update(facts={"successes": 99})
    assert code(own) is VerdictCode.TOO_EARLY


def test_an_uneven_split_is_not_trusted() -> None:
    own = two_arms((10, 12))
    Reading.objects.filter(arm=arms_of(own)[1]).update(n=9_000)
    assert code(own) is VerdictCode.BROKEN_SPLIT


def test_a_log_line_is_written_where_the_verdict_changes_only() -> None:
    own = two_arms((10, 12))
    for _ in range(2):
        judge(own, now=NOW)
    assert list(ExperimentNote.objects.values_list("code", "by")) == [("ship", None)]
    Reading.objects.filter(arm=arms_of(own)[1], metric=Metric.REVENUE).update(y=80_000, yy=80_000 * 8 + 20**2 * 9_999)
    judge(own, now=NOW)
    assert [note.code for note in ExperimentNote.objects.order_by("pk")] == ["ship", "keep"]


def test_what_harms_is_stopped_once(django_capture_on_commit_callbacks: Any) -> None:
    own = two_arms((10, 12), guardrails={Metric.FALLBACK: 0.1})
    fallbacks(own, (0.05, 0.1))
    marks = fetch.state_of(None, since=None).changed or {}
    with django_capture_on_commit_callbacks(execute=True):
        assert code(own) is VerdictCode.HARM
    after = fetch.state_of(None, since=None).changed or {}
    assert marks.get("experiments") != after.get("experiments")
    own.refresh_from_db()
    assert (own.status, own.ended_at, own.ended_by) == (ExperimentStatus.STOPPED, NOW, None)
    assert (own.decision["code"], own.decision["facts"]["metric"]) == ("harm", "fallback")
    assert own.decision["facts"]["difference"] == pytest.approx(0.05)
    assert not Experiment.objects.running().exists()
    assert judge(own, now=NOW + HOUR) is None
    assert ExperimentNote.objects.get().by is None
    assert AuditEntry.objects.get(verb="stop").staff is None
    stale = Experiment.objects.get(pk=own.pk)
    stale.status = ExperimentStatus.RUNNING  # as another process read it a moment ago
    judge(stale, now=NOW + HOUR)
    own.refresh_from_db()
    assert (own.ended_at, ExperimentNote.objects.count()) == (NOW, 1)


def test_what_is_within_the_tolerance_is_no_harm() -> None:
    own = two_arms((10, 12), guardrails={Metric.FALLBACK: 1.5})
    fallbacks(own, (0.05, 0.1))
    assert code(own) is VerdictCode.SHIP


def test_without_a_scale_nothing_is_concluded() -> None:
    own = two_arms((10, 12), scales={}, guardrails={Metric.FALLBACK: 0.1})
    fallbacks(own, (0.05, 0.1))
    assert code(own) is VerdictCode.NOT_YET


def test_the_scale_of_an_interval_is_that_of_the_start() -> None:
    own = two_arms((10, 12), guardrails={Metric.FALLBACK: 0.1})
    fallbacks(own, (0.05, 0.1))
    current = standing(own, now=NOW)
    assert current is not None
    assert current.contrasts[0].tau2 == pytest.approx(SCALES[Metric.REVENUE])
    assert current.guardrails[0].tau2 == pytest.approx(SCALES[Metric.FALLBACK])


def test_past_spending_is_taken_out_of_revenue() -> None:
    """y = 2x + b in both arms, b = 0 or 1 by turns: CUPED with θ = 2 leaves the scatter of b alone."""
    own = experiment(scales=SCALES)
    for place, arm in enumerate(arms_of(own)):
        x = [float(number % 50) for number in range(1_000)]
        y = [2 * past + (number // 50) % 2 + place for number, past in enumerate(x)]
        sums = {
            "y": sum(y), "yy": sum(each * each for each in y), "x": sum(x), "xx": sum(each * each for each in x),
            "xy": sum(one * other for one, other in zip(x, y, strict=True)),
        }  # fmt: skip
        Reading.objects.create(arm=arm, metric="revenue", at=NOW, n=1_000, facts={"successes": 900}, **sums)
    current = standing(own, now=NOW)
    assert current is not None
    (contrast,) = current.contrasts
    assert contrast.effect.value == pytest.approx(1)
    assert contrast.effect.se == pytest.approx(math.sqrt(2 * 0.25 / 999), rel=1e-6)


def test_the_week_before_is_that_of_its_reading() -> None:
    own = two_arms()
    for arm in arms_of(own):
        reading(arm, Metric.REVENUE, n=2_500, mean=10, sd=20, at=NOW - 7 * DAY, some=300)
    current = standing(own, now=NOW)
    assert current is not None
    assert current.contrasts[0].effect.se == pytest.approx(20 * math.sqrt(2 / 10_000), rel=1e-3)
    assert current.contrasts[0].week_before == pytest.approx(20 * math.sqrt(2 / 2_500), rel=1e-3)
    assert current.counts == [10_000, 10_000]


def test_a_metric_without_a_past_gets_its_scale_once() -> None:
    own = experiment(planned_days=20)
    arms = arms_of(own)
    Unit.objects.bulk_create(
        Unit(experiment=own, unit=unit_of(f"u{number}"), arm=arms[number // 100], first_at=START)
        for number in range(200)
    )
    for number in (0, 1, 100):
        buy(f"u{number}", 10, at=START + HOUR)
    now = START + 10 * DAY
    read_experiment(own, now=now)
    own.refresh_from_db()
    share = 3 / 200
    sigma = math.sqrt(share * (1 - share) * 200 / 199)
    supporting = len(Metric) - 2  # neither the primary metric nor coverage
    assert own.scales[Metric.CONVERTED] == pytest.approx(
        mixture_scale(sigma * math.sqrt(2 / 200), 0.05 / supporting)  # 200 each in twenty days
    )
    before = own.scales
    buy("u2", 10, at=START + HOUR)
    read_experiment(own, now=now + DAY)
    own.refresh_from_db()
    assert own.scales == before


def test_days_are_those_of_the_shop() -> None:
    assert days_between(START, START + 7 * DAY - timedelta(seconds=1)) == 6
    assert days_between(START, START + 7 * DAY) == 7
    assert days_between(START, START - HOUR) == 0


def test_facts_are_json() -> None:
    facts = plain({"low": float("nan"), "high": math.inf, "arms": (1, 2.5), "code": "x", "none": None})
    assert json.loads(json.dumps(facts, allow_nan=False)) == {
        "low": None, "high": None, "arms": [1, 2.5], "code": "x", "none": None,
    }  # fmt: skip


def test_the_schedule_settles_reads_and_judges() -> None:
    own = experiment(started_at=timezone.now() - 10 * DAY)
    for number in range(4):
        answer(unit_of(f"u{number}"), arms_of(own)[number % 2], at=timezone.now() - DAY)
    assert tasks.settle_units() == 4
    assert tasks.read_experiments() == 1
    own.refresh_from_db()
    assert own.decision["code"] == "too_early"
    assert read_experiments(timezone.now()) == 0
