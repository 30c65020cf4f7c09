"""Answers of a placement that were given and seen lately, and what came of them: what estimates are made of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q

from recommendations.event_types import EventName
from recommendations.models import Event, Slate, SlateOutcome
from recommendations.store.temp_tables import rows
from recommendations.terms import Source

DAYS = 28
MOST = 20_000
"""Answers that are drawn at most, evenly."""

ENOUGH = 5_000
"""Answers of the last two models with as many older ones, which do without what is older still."""

FEWEST = 1_000
"""Answers of people below which the demo's replay is asked, where it has more: so few hardly ever tell anything."""

WEEK = 7

_OF_VISITS = Q(visit_weights__isnull=False) | Q(source=Source.SESSION)
_WHERE = """
  slate.placement = %(placement)s AND slate.served_at >= %(start)s AND slate.served_at < %(now)s
  AND (NOT %(visits)s OR slate.visit_weights IS NOT NULL OR slate.source = 'session')
"""
_KINDS = f"""
SELECT slate.model_version, slate.replay, coalesce(outcome.listed, false), count(*), max(slate.served_at),
       min(slate.served_at), sum(cardinality(coalesce(outcome.clicked, '{{}}'))),
       count(*) FILTER (WHERE slate.served_at >= %(lately)s)
FROM recommendations_slate slate LEFT JOIN recommendations_slateoutcome outcome USING (recommendation_id)
WHERE {_WHERE}
GROUP BY 1, 2, 3
"""  # noqa: S608 - a part of our own
_NEWEST = f"""
SELECT min(served_at) FROM (
  SELECT slate.served_at FROM recommendations_slate slate
  LEFT JOIN recommendations_slateoutcome outcome USING (recommendation_id)
  WHERE {_WHERE}
    AND slate.replay = %(replay)s AND (outcome.listed OR NOT %(listed)s)
  ORDER BY slate.served_at DESC LIMIT %(most)s
) AS newest
"""  # noqa: S608 - a part of our own
_DRAWN = f"""
SELECT recommendation_id FROM (
  SELECT slate.recommendation_id, slate.served_at FROM recommendations_slate slate
  LEFT JOIN recommendations_slateoutcome outcome USING (recommendation_id)
  WHERE {_WHERE}
    AND slate.replay = %(replay)s AND (outcome.listed OR NOT %(listed)s)
  ORDER BY hashtextextended(slate.recommendation_id, 0), slate.recommendation_id LIMIT %(most)s
) AS drawn ORDER BY served_at, recommendation_id
"""  # noqa: S608 - a part of our own


@dataclass(frozen=True, kw_only=True)
class LoggedSlate:
    """An answer and what came of it; positions count from 1. ``basket``: what it was bought with in a replay."""

    slate: Slate
    clicked: Sequence[int] = ()
    revenue: dict[int, float] = field(default_factory=dict)  # by position
    basket: Sequence[int] = ()


@dataclass(frozen=True, kw_only=True)
class AnswerLog:
    """Answers that an estimate is made of, before they are read. ``watermark`` is another where the log is another.

    With ``visits`` only those on which the visit of the customer has a say.
    """

    placement: str
    visits: bool
    start: datetime
    end: datetime
    replay: bool  # the demo's replay gave them: nobody saw them
    listed: bool  # seen by what the shop says; else all that were given
    answers: int
    a_day: float
    models: tuple[int, ...]  # the last two that answered, the newest first
    watermark: str

    @property
    def days(self) -> float:
        """How far back it goes."""
        return (self.end - self.start).total_seconds() / 86_400

    def ids(self) -> list[str]:
        """Ids of the answers that are drawn, the oldest first."""
        return [key for (key,) in rows(_DRAWN, **_window(self), most=MOST)]

    def slates(self, ids: Sequence[str]) -> Iterator[LoggedSlate]:
        """Read answers by their ids, with what came of them."""
        outcomes = SlateOutcome.objects.in_bulk(ids)
        baskets: dict[str, list[int]] = {}
        if self.replay:
            bought = Event.objects.to_measure().filter(recommendation_id__in=ids, name=EventName.PURCHASE)
            for key, item in bought.values_list("recommendation_id", "item_id"):
                baskets.setdefault(str(key), []).append(item)
        for slate in Slate.objects.filter(recommendation_id__in=ids):
            outcome = outcomes.get(slate.recommendation_id)
            if outcome is None:
                yield LoggedSlate(slate=slate)
                continue
            yield LoggedSlate(
                slate=slate,
                clicked=outcome.clicked,
                revenue=dict(zip(outcome.bought, map(float, outcome.revenues), strict=True)),
                basket=baskets.get(slate.recommendation_id, ()),
            )


def answer_log(placement: str, *, now: datetime, visits: bool = False) -> AnswerLog:
    """The log of a placement up to a moment: at most 28 days, replayed answers only where there are few others.

    Where the last two models made enough answers, it goes back no further than to as many of older ones.
    """
    window = {"placement": placement, "visits": visits, "start": now - timedelta(days=DAYS), "now": now}
    kinds = rows(_KINDS, **window, lately=now - timedelta(days=WEEK))
    replayed = sum(row[3] for row in kinds if row[1])
    others = sum(row[3] for row in kinds) - replayed
    replay = others < min(FEWEST, replayed)
    own = [row for row in kinds if row[1] == replay]
    listed = any(row[2] for row in own)
    own = [row for row in own if row[2] or not listed]
    models = sorted({row[0] for row in own if row[0] is not None}, reverse=True)[:2]
    answers, recent = sum(row[3] for row in own), sum(row[3] for row in own if row[0] in models)
    start = min((row[5] for row in own), default=now)
    if 2 * recent < answers and 2 * recent >= ENOUGH:
        answers = 2 * recent
        start = rows(_NEWEST, **window, replay=replay, listed=listed, most=answers)[0][0]
    last = max((row[4] for row in own), default=None)
    clicks = sum(row[6] for row in own)
    return AnswerLog(
        placement=placement, visits=visits, start=start, end=now, replay=replay, listed=listed,
        answers=answers, a_day=sum(row[7] for row in own) / WEEK, models=tuple(models),
        watermark=f"{answers}:{clicks}:{last.isoformat() if last else ''}",
    )  # fmt: skip


def busiest_placement(names: Sequence[str], *, now: datetime, visits: bool = False) -> str | None:
    """The placement of these that answered most (visits) in the last four weeks; None where none of them did."""
    since = Q(served_at__gte=now - timedelta(days=DAYS), served_at__lt=now)
    if visits:
        since &= _OF_VISITS
    counts = {name: Slate.objects.filter(since, placement=name).count() for name in names}
    most = max(counts, key=lambda name: counts[name], default=None)
    return most if most is not None and counts[most] else None


def _window(log: AnswerLog) -> dict[str, object]:
    return {
        "placement": log.placement, "visits": log.visits, "start": log.start, "now": log.end, "replay": log.replay,
        "listed": log.listed,
    }  # fmt: skip
