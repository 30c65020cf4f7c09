"""Rules on a calendar: two weeks of days of the shop, when each is in force, and where several act at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from django.utils import timezone

from analytics.queries.days import midnight
from analytics.queries.rules.overview import SERVED, RuleRow, Rules
from recommendations.terms import RuleStatus

DAYS = 14
DRAWN = {*SERVED, RuleStatus.DRAFT}


class Stretch(NamedTuple):
    """A part of the calendar: where it begins and how long it is, in hundredths of a day from its left."""

    start: int
    length: int
    rules: int = 1  # in force at once


@dataclass(frozen=True, kw_only=True)
class CalendarBar:
    """A rule while it is in force; None of a time is for ever. One that is not served is drawn ``open``."""

    row: RuleRow
    starts_at: datetime | None
    ends_at: datetime | None
    stretch: Stretch

    @property
    def open(self) -> bool:
        return self.row.status not in SERVED


@dataclass(frozen=True, kw_only=True)
class CalendarGroup:
    """Bars of a placement ("": rules of every placement), and where served ones of it, or of all, act at once."""

    placement: str
    bars: Sequence[CalendarBar]
    together: Sequence[Stretch]

    @property
    def most(self) -> int:
        """The most rules that are in force at once; 0 where they never meet."""
        return max((stretch.rules for stretch in self.together), default=0)


class Turn(NamedTuple):
    """A rule that begins or ends on a day."""

    bar: CalendarBar
    at: datetime
    begins: bool


@dataclass(frozen=True, kw_only=True)
class RuleCalendar:
    """Two weeks from a Monday; ``now`` in hundredths of a day, None where it is not in them."""

    first: date
    groups: Sequence[CalendarGroup]
    now: int | None

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range(DAYS)]

    @property
    def before(self) -> date:
        return self.first - timedelta(days=7)

    @property
    def after(self) -> date:
        return self.first + timedelta(days=7)

    @property
    def bars(self) -> list[CalendarBar]:
        return [bar for group in self.groups for bar in group.bars]

    @property
    def throughout(self) -> list[CalendarBar]:
        """Rules that neither begin nor end in these weeks."""
        turning = {turn.bar.row.rule.pk for _day, turns in self.agenda for turn in turns}
        return [bar for bar in self.bars if bar.row.rule.pk not in turning]

    @property
    def agenda(self) -> list[tuple[date, list[Turn]]]:
        """Days on which something begins or ends, with that."""
        turns = sorted((turn for bar in self.bars for turn in _turns(bar)), key=lambda turn: turn.at)
        by_day: dict[date, list[Turn]] = {day: [] for day in self.days}
        for turn in turns:
            if (day := timezone.localdate(turn.at)) in by_day:
                by_day[day].append(turn)
        return [(day, turns) for day, turns in by_day.items() if turns]


def calendar(found: Rules, *, around: date, now: datetime) -> RuleCalendar:
    """The two weeks from the Monday of the week that a day is in, with the rules that are in force in them."""
    first = around - timedelta(days=around.weekday())
    bars = [bar for row in found.unarchived if row.status in DRAWN and (bar := _bar(row, found, first))]
    places = sorted({_placement(bar) for bar in bars})
    at = _hundredths(now, first)
    return RuleCalendar(
        first=first,
        groups=[_group(place, bars) for place in places],
        now=at if 0 <= at < 100 * DAYS else None,
    )


def _group(placement: str, bars: Sequence[CalendarBar]) -> CalendarGroup:
    own = [bar for bar in bars if _placement(bar) == placement]
    acting = [bar.stretch for bar in bars if not bar.open and _placement(bar) in {placement, ""}]
    return CalendarGroup(placement=placement, bars=own, together=_together(acting))


def _bar(row: RuleRow, found: Rules, first: date) -> CalendarBar | None:
    """The bar of a rule as it is served, else as it is written; None where it is not in force in these weeks."""
    served: Mapping[int, tuple[str | None, str | None]] = (
        {rule["id"]: (rule["starts_at"], rule["ends_at"]) for rule in found.book.rules} if found.book else {}
    )
    if row.rule.pk in served:
        starts_at, ends_at = (datetime.fromisoformat(text) if text else None for text in served[row.rule.pk])
    else:
        starts_at, ends_at = row.rule.starts_at, row.rule.ends_at
    start = 0 if starts_at is None else max(0, _hundredths(starts_at, first))
    end = 100 * DAYS if ends_at is None else min(100 * DAYS, _hundredths(ends_at, first))
    if start >= end:
        return None
    return CalendarBar(row=row, starts_at=starts_at, ends_at=ends_at, stretch=Stretch(start, end - start))


def _placement(bar: CalendarBar) -> str:
    return bar.row.rule.placement.name if bar.row.rule.placement else ""


def _hundredths(at: datetime, first: date) -> int:
    """Hundredths of a day from the first day to a moment, by the shop's clock: each day is as wide as every other."""
    day = timezone.localdate(at)
    begins, ends = midnight(day), midnight(day + timedelta(days=1))
    return 100 * (day - first).days + round(100 * ((at - begins) / (ends - begins)))


def _together(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Stretches in which two or more are in force, each as long as their number stays."""
    edges = sorted({edge for each in stretches for edge in (each.start, each.start + each.length)})
    counted = [
        Stretch(left, right - left, sum(each.start <= left < each.start + each.length for each in stretches))
        for left, right in pairwise(edges)
    ]
    return [each for each in counted if each.rules > 1]


def _turns(bar: CalendarBar) -> Iterator[Turn]:
    if bar.starts_at:
        yield Turn(bar, bar.starts_at, begins=True)
    if bar.ends_at:
        yield Turn(bar, bar.ends_at, begins=False)
