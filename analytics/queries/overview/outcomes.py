"""What came of the slates: how often they were clicked and bought from, by placement and position.

The unit is the slate, so that the items of one slate are not taken for independent tries: a slate that was clicked
counts once, however often. Of a position the try is that slate's item at it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from django.core.paginator import Page, Paginator
from django.db.models import Case, Sum, Value, When
from django.utils.translation import gettext as _

from analytics import filters as fields
from analytics.charts.outcomes import PositionRates
from analytics.queries.days import midnight
from analytics.queries.experiments.arm_words import stored_arms
from analytics.queries.overview.summary import PERIODS, Answers
from recommendations.engine.evaluation.intervals import NORMAL, Measure, wilson
from recommendations.event_types import EventName, Outcome
from recommendations.models import Arm, AttributedLine, Event, Item, PlacementDay, Slate, SlateOutcome
from recommendations.services.review.past_answers import find_slate
from recommendations.wording.labels import PLACEMENTS

PER_PAGE = 50
ATTRIBUTED = [name for name in reversed(EventName) if name.facts.outcome in {Outcome.BOUGHT, Outcome.CARTED}]
FEWEST = 30  # slates of a position that is drawn: an interval over fewer would be most of the picture
WHOLE = 0  # the position under which the slate as a whole is counted
SUMS = ("listed", "seen", "clicked", "carted", "bought", "purchases", "revenue", "squares")

type Sums = Mapping[str, int | Decimal]


class RateBasis(StrEnum):
    """What the rates are shares of: slates that the shop said were seen, or, where it never says, all it was given."""

    SEEN = "seen"
    SERVED = "served"


@dataclass(frozen=True, kw_only=True)
class OutcomeFigures:
    """Figures of a placement, or of one position of it. ``tries``: slates seen or served."""

    position: int
    tries: int
    clicked: int
    carted: int
    bought: int
    purchases: int
    revenue: Decimal
    click_rate: Measure
    conversion: Measure
    per_mille: Measure | None  # revenue of a thousand tries; None of fewer than two


@dataclass(frozen=True, kw_only=True)
class PlacementOutcome:
    """Outcome of a placement; ``before``: the period before, as long, None where nothing came of it.

    Nobody saw the lists of the demo's ``replay``: its conversion says how often the next basket held something of them.
    """

    placement: str
    replay: bool
    basis: RateBasis
    now: OutcomeFigures
    before: OutcomeFigures | None
    positions: Sequence[OutcomeFigures]

    @property
    def points(self) -> list[PositionRates]:
        """Rates of the positions that were tried often enough to be drawn; of all where none was."""
        often = [each for each in self.positions if each.tries >= FEWEST]
        return [
            PositionRates(position=each.position, clicks=each.click_rate, conversion=each.conversion)
            for each in often or self.positions
        ]

    @property
    def fewest(self) -> int | None:
        """The slates that a position needs to be drawn; None where all are drawn."""
        return FEWEST if len(self.points) < len(self.positions) else None


class LineFilters(fields.ListFilters):
    """Filters of lines that a slate brought: in the last so many days."""

    days: int = fields.choice(PERIODS, usual=28)
    placement: str = fields.choice(PLACEMENTS, usual="")
    position: int | None = fields.number(
        least=1, most=100, words=lambda position: _("Position %(position)d") % {"position": position}
    )
    name: str = fields.choice(ATTRIBUTED, usual=ATTRIBUTED[0])
    page: int = fields.page()


def outcomes(*, today: date, days: int, served: Answers) -> list[PlacementOutcome]:
    """Outcomes over whole days of the shop, today the last of them; the placement with the most tries first.

    The demo's replay is told apart from what people saw.
    """
    start, before = today - timedelta(days=days - 1), today - timedelta(days=2 * days - 1)
    grouped = (
        PlacementDay.objects.filter(day__gte=before, day__lte=today)
        .annotate(current=Case(When(day__gte=start, then=Value(1)), default=Value(0)))
        .values_list("placement", "replay", "current", "position")
        .annotate(*(Sum(name) for name in SUMS))
    )
    totals: dict[tuple[str, bool, int], dict[int, Sums]] = {}
    for placement, replay, current, position, *summed in grouped:
        totals.setdefault((placement, replay, current), {})[position] = dict(zip(SUMS, summed, strict=True))
    results = [
        _placement(
            placement, replay=replay, now=now, before=totals.get((placement, replay, 0), {}),
            served={} if replay else served.lengths.get(placement, {}),
        )
        for (placement, replay, current), now in totals.items()
        if current
    ]  # fmt: skip
    return sorted(results, key=lambda each: (-each.now.tries, each.placement))


def lines(filters: LineFilters, *, today: date) -> Page[AttributedLine]:
    """Attributed lines, the newest first."""
    since = midnight(today - timedelta(days=filters.days - 1))
    rows = AttributedLine.objects.filter(occurred_at__gte=since, name=filters.name)
    if filters.placement:
        rows = rows.filter(placement=filters.placement)
    if filters.position is not None:
        rows = rows.filter(position=filters.position)
    ordered = rows.select_related("item").order_by("-occurred_at", "event_id", "line")
    return Paginator(ordered, PER_PAGE).get_page(filters.page)


@dataclass(frozen=True, kw_only=True)
class SlateItem:
    """An item of a slate, and what came of it."""

    position: int
    item: Item | None
    score: float
    seen: bool
    clicked: bool
    carted: bool
    bought: bool
    revenue: Decimal | None
    promised: bool  # a new item that was promised the impression


@dataclass(frozen=True, kw_only=True)
class SlateStory:
    slate: Slate
    outcome: SlateOutcome | None
    places: Sequence[SlateItem]
    events: Sequence[Event]
    arms: Sequence[Arm]  # of the experiments that it was served under


def story(recommendation_id: str) -> SlateStory | None:
    """What became of an answer; of who does not want to be known by now it is nobody's."""
    slate = find_slate(recommendation_id)
    if slate is None:
        return None
    outcome = SlateOutcome.objects.filter(pk=recommendation_id).first()
    items = Item.objects.in_bulk(slate.items)
    revenue = dict(zip(outcome.bought, outcome.revenues, strict=True)) if outcome else {}
    seen, clicked, carted = (outcome.seen, outcome.clicked, outcome.carted) if outcome else ([], [], [])
    events = Event.objects.filter(recommendation_id=recommendation_id).select_related("item")
    return SlateStory(
        slate=slate,
        outcome=outcome,
        places=[
            SlateItem(
                position=place, item=items.get(key), score=score, seen=place in seen, clicked=place in clicked,
                carted=place in carted, bought=place in revenue, revenue=revenue.get(place),
                promised=slate.promised(place - 1),
            )
            for place, (key, score) in enumerate(zip(slate.items, slate.scores, strict=True), start=1)
        ],
        events=list(events.order_by("occurred_at", "event_id", "line")[:PER_PAGE]),
        arms=stored_arms(slate.arms),
    )  # fmt: skip


def _placement(
    placement: str, *, replay: bool, now: Mapping[int, Sums], before: Mapping[int, Sums], served: Mapping[int, int]
) -> PlacementOutcome:
    """Outcome of one placement; ``served``: slates by how many items they had."""
    basis = RateBasis.SEEN if now[WHOLE]["listed"] else RateBasis.SERVED

    def tries(position: int, sums: Sums) -> int:
        if basis is RateBasis.SEEN:
            return int(sums["seen"])
        return max(int(sums["seen"]), sum(count for length, count in served.items() if length >= position))

    return PlacementOutcome(
        placement=placement,
        replay=replay,
        basis=basis,
        now=_outcome(WHOLE, now[WHOLE], tries=tries(WHOLE, now[WHOLE])),
        before=_outcome(WHOLE, before[WHOLE], tries=int(before[WHOLE]["seen"]))
        if before and basis is RateBasis.SEEN
        else None,
        positions=[
            _outcome(position, sums, tries=tries(position, sums))
            for position, sums in sorted(now.items())
            if position != WHOLE and tries(position, sums)
        ],
    )


def _outcome(position: int, sums: Sums, *, tries: int) -> OutcomeFigures:
    clicked, bought = int(sums["clicked"]), int(sums["bought"])
    return OutcomeFigures(
        position=position,
        tries=tries,
        clicked=clicked,
        carted=int(sums["carted"]),
        bought=bought,
        purchases=int(sums["purchases"]),
        revenue=Decimal(sums["revenue"]),
        click_rate=wilson(clicked, tries),
        conversion=wilson(bought, tries),
        per_mille=per_mille(float(sums["revenue"]), float(sums["squares"]), tries),
    )


def per_mille(total: float, squares: float, tries: int) -> Measure | None:
    """Mean revenue of a thousand tries, with the normal interval of a mean over tries, cut off at 0."""
    if tries < 2:
        return None
    mean = total / tries
    variance = max(0.0, squares - tries * mean**2) / (tries - 1)
    half = NORMAL * math.sqrt(variance / tries)
    return Measure(1000 * mean, 1000 * max(0.0, mean - half), 1000 * (mean + half))
