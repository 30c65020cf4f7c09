"""The replay: which purchases are held back for it, its baskets in the order of time, and how far it is."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid5

import pandas as pd

from demo.complete_journey import wheel
from demo.models import Replay
from recommendations.event_types import EventName
from recommendations.models import Event


@dataclass(frozen=True, kw_only=True)
class Purchase:
    product: int
    quantity: int
    amount: Decimal  # of the line

    @property
    def price(self) -> Decimal:
        """Price of one, so exact that quantity times price is the amount to the cent."""
        return (self.amount / self.quantity).quantize(Decimal("0.0000000001"))


@dataclass(frozen=True, kw_only=True)
class Basket:
    number: int
    household: int
    at: datetime
    lines: tuple[Purchase, ...]

    def purchase_id(self, product: int) -> UUID:
        """Event id of the import, so that a purchase is one event whichever way it comes."""
        return wheel.purchase_id(self.number, product)

    def act_id(self, name: EventName, product: int | None = None) -> UUID:
        return uuid5(wheel.PURCHASES, f"{self.number}/{product}/{name}")


def plan(purchases: pd.DataFrame, *, days: int, weeks: int, households: int | None) -> None:
    """Hold the last full days back; whoever loads the data again holds back the same."""
    since = wheel.start_of_last(days)
    held = purchases[purchases["transaction_timestamp"] >= since]
    Replay.objects.create(
        starts_at=_moved(since, weeks), shift_weeks=weeks, households=households, baskets=held["basket_id"].nunique()
    )


def held_from() -> pd.Timestamp | None:
    """Moment from which on purchases are held back, on the clock of the source; None where none are."""
    replay = Replay.objects.first()
    if replay is None:
        return None
    return pd.Timestamp(replay.starts_at).tz_localize(None) - pd.Timedelta(weeks=replay.shift_weeks)


def baskets(replay: Replay) -> list[Basket]:
    """Baskets that were held back, in the order of time."""
    since = held_from()
    if since is None:
        raise ValueError("no replay is planned")
    lines = wheel.read_purchases(since=since, households=replay.households)
    return [_basket(rows, weeks=replay.shift_weeks) for _, rows in lines.groupby("basket_id", sort=False)]


def _basket(rows: pd.DataFrame, *, weeks: int) -> Basket:
    first = rows.iloc[0]
    lines = rows[["product_id", "quantity", "sales_value"]].itertuples(index=False, name=None)
    return Basket(
        number=int(first["basket_id"]),
        household=int(first["household_id"]),
        at=_moved(first["transaction_timestamp"], weeks),
        lines=tuple(
            Purchase(product=int(product), quantity=int(quantity), amount=Decimal(f"{paid:.2f}"))
            for product, quantity, paid in lines
        ),
    )


def sent(replay: Replay) -> set[str]:
    """The transactions that have come in already; a basket comes in one statement, or not at all."""
    came = Event.objects.purchases().filter(source="replay", occurred_at__gte=replay.starts_at)
    return {str(key) for key in came.values_list("transaction_id", flat=True).distinct()}


def _moved(at: pd.Timestamp, weeks: int) -> datetime:
    moved: datetime = (at + pd.Timedelta(weeks=weeks)).tz_localize("UTC").to_pydatetime()
    return moved
