"""Alarms in words: which rate is up or down, where, since when, and what was done shortly before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from analytics.templatetags.stability import alarm_sentence, cause_sentence
from recommendations.models import Alarm
from recommendations.services.watches.alarms import Cause, causes_of
from recommendations.watch_terms import WITH_RUNS, AlarmDirection, WatchedRate

LATELY = timedelta(weeks=8)
BAD_WAY = {
    WatchedRate.CLICKS: AlarmDirection.FALL, WatchedRate.PURCHASES: AlarmDirection.FALL,
    WatchedRate.REVENUE: AlarmDirection.FALL, WatchedRate.EVENTS: AlarmDirection.FALL,
    WatchedRate.FALLBACK: AlarmDirection.RISE, WatchedRate.SLOW: AlarmDirection.RISE,
}  # fmt: skip
"""The way in which a rate is bad news; the other one is only news."""


@dataclass(frozen=True, kw_only=True)
class AlarmLine:
    """An alarm with what may have caused it."""

    alarm: Alarm
    causes: Sequence[Cause]

    @property
    def is_bad(self) -> bool:
        return BAD_WAY.get(WatchedRate(self.alarm.rate)) in {None, self.alarm.direction}

    @property
    def is_of_run(self) -> bool:
        """Whether it was read with a run, and has no hours to look at."""
        return self.alarm.rate in WITH_RUNS

    @property
    def is_overfit(self) -> bool:
        return self.alarm.rate == WatchedRate.OVERFIT


def unseen_alarms() -> list[AlarmLine]:
    """Alarms that ring and that nobody has seen, the newest first."""
    return _lines(list(Alarm.objects.unseen()))


def late_alarms(*, now: datetime) -> list[AlarmLine]:
    """All alarms of the last eight weeks that ring no more, the newest first."""
    over = Alarm.objects.exclude(ended_at=None, seen_at=None).filter(onset__gte=now - LATELY)
    return _lines(list(over.select_related("seen_by")))


def alert_text(line: AlarmLine) -> str:
    """The sentence with what was done shortly before."""
    text = alarm_sentence(line.alarm)
    if not line.causes:
        return text
    causes = _("; ").join(cause_sentence(cause) for cause in line.causes)
    return _("%(alarm)s Shortly before: %(causes)s.") % {"alarm": text, "causes": causes}


def _lines(alarms: Sequence[Alarm]) -> list[AlarmLine]:
    causes = causes_of([alarm for alarm in alarms if alarm.rate not in WITH_RUNS])
    return [AlarmLine(alarm=alarm, causes=causes.get(alarm.pk, ())) for alarm in alarms]
