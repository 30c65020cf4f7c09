"""Money that lists brought: attributed revenue by day and placement, against turnover and the period before."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.core.cache import cache
from django.db.models import Count, DecimalField, ExpressionWrapper, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, NullIf, TruncDate

from analytics.charts.overview import DayRevenue
from analytics.queries.days import midnight
from analytics.queries.overview.outcomes import PlacementOutcome
from recommendations.event_types import EventName
from recommendations.models import AttributedLine, Event

REMEMBERED = 60  # seconds, of turnover: it reads every purchase of the period
NOTHING = Decimal(0)
NET = F("amount") - F("refunded")
ORDERS = Count("transaction_id", distinct=True, filter=Q(kept=True))
MONEY: "DecimalField[Decimal, Decimal]" = DecimalField(max_digits=30, decimal_places=6)


@dataclass(frozen=True, kw_only=True)
class Margin:
    """Margin of the attributed lines of which the cost is known; ``of``: their revenue."""

    value: Decimal
    of: Decimal


@dataclass(frozen=True, kw_only=True)
class PlacementEarnings:
    """Earnings of one placement; ``outcome`` counts its lists, None where none of them was counted."""

    placement: str
    replay: bool
    revenue: Decimal
    orders: int
    outcome: PlacementOutcome | None


@dataclass(frozen=True, kw_only=True)
class Earnings:
    """Attributed revenue of whole days, the last of them today; ``before``: of the period before, as long."""

    days: Sequence[DayRevenue]
    revenue: Decimal
    before: Decimal
    orders: int
    orders_before: int
    replayed: Decimal  # of the revenue
    turnover: Decimal  # all purchases that count
    margin: Margin | None  # None where no cost is known
    placements: Sequence[PlacementEarnings]  # the one that earns most first

    @property
    def share(self) -> float | None:
        """Share of turnover; None where nothing was bought."""
        return float(self.revenue / self.turnover) if self.turnover else None


def earnings(*, today: date, days: int, outcomes: Sequence[PlacementOutcome]) -> Earnings:
    first = today - timedelta(days=days - 1)
    by_day = _by_day(_lines(first - timedelta(days=days), today))
    revenue: dict[date, Decimal] = defaultdict(Decimal)
    for day, _replay, net, _orders in by_day:
        revenue[day] += net
    now = [row for row in by_day if row[0] >= first]
    then = [row for row in by_day if row[0] < first]
    placements, margin = _by_placement(_lines(first, today), outcomes)
    return Earnings(
        days=[
            DayRevenue(day=day, revenue=float(revenue[day]), before=float(revenue[day - timedelta(days=days)]))
            for day in (first + timedelta(days=number) for number in range(days))
        ],
        revenue=sum((net for _, _, net, _ in now), NOTHING),
        before=sum((net for _, _, net, _ in then), NOTHING),
        orders=sum(orders for *_, orders in now),
        orders_before=sum(orders for *_, orders in then),
        replayed=sum((net for _, replay, net, _ in now if replay), NOTHING),
        turnover=_turnover(first, today),
        margin=margin,
        placements=placements,
    )


def _lines(first: date, last: date) -> QuerySet[AttributedLine]:
    """Attributed purchases of whole days."""
    return AttributedLine.objects.filter(
        name=EventName.PURCHASE, occurred_at__gte=midnight(first), occurred_at__lt=midnight(last + timedelta(days=1))
    )


def _by_day(lines: QuerySet[AttributedLine]) -> list[tuple[date, bool, Decimal, int]]:
    """Day, whether it was replayed, revenue and orders; an order happens on one day."""
    rows = lines.annotate(day=TruncDate("occurred_at")).values("day", "replay").order_by("day")
    return [
        (row["day"], row["replay"], row["net"], row["orders"]) for row in rows.annotate(net=Sum(NET), orders=ORDERS)
    ]


def _by_placement(
    lines: QuerySet[AttributedLine], outcomes: Sequence[PlacementOutcome]
) -> tuple[list[PlacementEarnings], Margin | None]:
    kept = NET / NullIf(F("amount"), NOTHING)  # the part that was not taken back
    cost = ExpressionWrapper(F("item__cost") * Coalesce("quantity", Decimal(1)) * kept, output_field=MONEY)
    rows = list(
        lines.values("placement", "replay")
        .order_by()
        .annotate(net=Sum(NET), orders=ORDERS, known=Sum(NET, filter=Q(item__cost__isnull=False)), cost=Sum(cost))
    )
    earned = {(row["placement"], row["replay"]): (row["net"], row["orders"]) for row in rows}
    counted = {(each.placement, each.replay): each for each in outcomes}
    both = [
        PlacementEarnings(placement=key[0], replay=key[1], revenue=net, orders=orders, outcome=counted.get(key))
        for key in {**earned, **counted}
        for net, orders in [earned.get(key, (NOTHING, 0))]
    ]
    known = [(row["known"], row["cost"] or NOTHING) for row in rows if row["known"] is not None]
    of = sum((revenue for revenue, _ in known), NOTHING)
    margin = Margin(value=of - sum((cost for _, cost in known), NOTHING), of=of) if known else None
    return sorted(both, key=lambda each: (-each.revenue, each.placement, each.replay)), margin


def _turnover(first: date, last: date) -> Decimal:
    """Turnover of whole days, as it is or was a minute ago."""
    key = f"overview/turnover/{first}/{last}"
    known = cache.get(key)
    if isinstance(known, Decimal):
        return known
    bought = Event.objects.purchases().between(midnight(first), midnight(last + timedelta(days=1)))
    turnover: Decimal = bought.told_once().aggregate(all=Sum("amount"))["all"] or NOTHING
    cache.set(key, turnover, REMEMBERED)
    return turnover
