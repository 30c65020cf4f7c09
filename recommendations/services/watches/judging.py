"""Rates judged hour by hour: what departs from what is usual raises an alarm, and what is as usual again ends it.

A pass goes on where the one before it stopped, so that after an outage nothing is judged twice and nothing is left out.
"""

from datetime import datetime

from django.db import transaction

from recommendations.engine.evaluation.alarms import NO_EVIDENCE, Detection, RunningEvidence, watch
from recommendations.models import Alarm, RateWatch
from recommendations.services.watches.rates import RateSteps, rate_steps, watched_rates
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.attribution.settle import settle
from recommendations.store.serving import slates
from recommendations.store.watches import hours as store
from recommendations.watch_terms import AlarmDirection

LOCK = 7_264_108
WORSE = 1.5
"""Times that a change has to be larger than the one that was seen before somebody is told of it anew."""


def judge_rates(now: datetime) -> int:
    """Count the hours that are over and judge every rate up to them; how many alarms were raised or seen again.

    Of two processes one does nothing.
    """
    with advisory_lock(LOCK) as alone:
        if not alone:
            return 0
        slates.write_slates()
        while settle():
            pass
        until = store.whole_hours(now)
        store.count_hours(until)
        hours = store.load_hours(until=until)
        watches = {(row.rate, row.placement): row for row in RateWatch.objects.all()}
        alarms = 0
        for rate, placement in watched_rates(hours):
            known = watches.get((rate, placement))
            steps = rate_steps(rate, placement, hours[placement], was_by_day=known is not None and known.by_day)
            alarms += _judge(steps, known, until=until)
        return alarms


@transaction.atomic
def _judge(steps: RateSteps, known: RateWatch | None, *, until: datetime) -> int:
    """Judge the steps of a rate that have ended since the last pass."""
    row = known or RateWatch(rate=steps.rate, placement=steps.placement, by_day=steps.by_day, watched_until=until)
    rise, fall = RunningEvidence(row.rise, row.rise_steps), RunningEvidence(row.fall, row.fall_steps)
    if row.by_day != steps.by_day:
        rise = fall = NO_EVIDENCE
    since = steps.step(store.ordinal_hour(row.watched_until)) if known else steps.cadence.reference
    alarms = 0
    while True:
        seen = watch(
            steps.counts, steps.tries, squares=steps.squares, since=max(since, 0), rise=rise, fall=fall,
            cadence=steps.cadence, unlike=steps.unlike,
        )  # fmt: skip
        if seen.direction is None or seen.alarm is None:
            break
        raise_alarm(steps, seen)
        alarms, since, rise, fall = alarms + 1, seen.alarm + 1, NO_EVIDENCE, NO_EVIDENCE
    _end_alarm(steps, until=until)
    row.by_day, row.silent, row.watched_until = steps.by_day, seen.silent, steps.moment(len(steps))
    row.rise, row.rise_steps, row.fall, row.fall_steps = (
        seen.rise.log, seen.rise.steps, seen.fall.log, seen.fall.steps
    )  # fmt: skip
    row.save()
    return alarms


def raise_alarm(steps: RateSteps, seen: Detection) -> Alarm:
    """Raise an alarm, or see the one of its rate again that lasts.

    One that somebody has seen stays so unless the change has become half as large again.
    """
    if seen.direction is None or seen.alarm is None or seen.onset is None:
        raise ValueError("nothing was detected")
    at, change = steps.moment(seen.alarm + 1), seen.change or 0.0
    lasting = Alarm.objects.lasting().filter(rate=steps.rate, placement=steps.placement).first()
    if lasting is not None and _is_the_same(lasting, seen):
        lasting.last_at, lasting.times = at, lasting.times + 1
        if not lasting.seen_at:
            since = steps.step(store.ordinal_hour(lasting.onset))
            lasting.change = steps.change_since(since) or lasting.change
        lasting.save(update_fields=["last_at", "times", "change"])
        return lasting
    if lasting is not None:
        Alarm.objects.filter(pk=lasting.pk).update(ended_at=at)
    return Alarm.objects.create(
        rate=steps.rate, placement=steps.placement, direction=AlarmDirection(seen.direction), by_day=steps.by_day,
        onset=steps.moment(seen.onset), raised_at=at, last_at=at, change=change,
    )  # fmt: skip


def _is_the_same(lasting: Alarm, seen: Detection) -> bool:
    """Whether what is detected goes on with an alarm, so that nobody has to be told anew."""
    is_worse = lasting.seen_at is not None and abs(seen.change or 0.0) >= WORSE * abs(lasting.change)
    return lasting.direction == seen.direction and not is_worse


def _end_alarm(steps: RateSteps, *, until: datetime) -> None:
    """End the alarm of a rate that was as usual for a day, or for a week of days, since it was last seen."""
    for alarm in Alarm.objects.lasting().filter(rate=steps.rate, placement=steps.placement):
        since = steps.step(store.ordinal_hour(alarm.last_at))
        if steps.is_usual_again(since=since, change=alarm.change):
            alarm.ended_at = until
            alarm.save(update_fields=["ended_at"])
