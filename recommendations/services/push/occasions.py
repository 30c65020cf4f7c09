"""Occasions of a campaign with a trigger: whom it has in view now, and whose occasion still stands.

How often it is worth looking differs: ``PACES``. Of a few people it costs little at any time.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings

from recommendations.engine.frames import IdArray
from recommendations.engine.push.cases import PushCase
from recommendations.push_terms import Trigger
from recommendations.services.campaigns.form import Occasion
from recommendations.services.push_models.in_use import LearnedModels
from recommendations.simulation.message_lists import ListBlock, MessageLists, current_snapshot, items_of_many
from recommendations.store.push.absences import follow_stock
from recommendations.store.push.audience import people_in
from recommendations.store.push.triggers.carts import carts_left
from recommendations.store.push.triggers.due import due_within_a_week
from recommendations.store.push.triggers.look import STANDS, Happening, TriggerLook, persons
from recommendations.store.push.triggers.prices import price_drops
from recommendations.store.push.triggers.returns import back_in_stock
from recommendations.store.push.triggers.staples import running_low
from recommendations.store.push.triggers.told import told_by_the_shop
from recommendations.store.push.triggers.views import looked_at
from recommendations.store.push.triggers.visits import long_not_seen
from recommendations.store.serving.snapshot import Snapshot

NEW = timedelta(days=7)  # since the first moment that an item was for sale
DISCOVER, LISTED = "discover", 10  # the list in which a new item has to stand
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PACES: Mapping[Trigger, timedelta] = {
    Trigger.CART_LEFT: MINUTE, Trigger.VIEWED: MINUTE, Trigger.BACK_IN_STOCK: MINUTE, Trigger.PRICE_DROP: MINUTE,
    Trigger.SHOP: MINUTE, Trigger.DUE_AGAIN: HOUR, Trigger.NEW_FOR_YOU: DAY, Trigger.WIN_BACK: DAY,
}  # fmt: skip
"""How often to look at everybody: what comes up by the minute each minute, what reads everything once a day."""


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A look for a campaign; ``among``: whose lists may be asked for, None is everybody's."""

    campaign: int
    numbers: Occasion
    look: TriggerLook
    among: Collection[int] | None
    given: Snapshot | None

    @cached_property
    def snapshot(self) -> Snapshot:
        """The one that was given, else that of now; some triggers need none."""
        return self.given or current_snapshot()

    @property
    def sellable(self) -> IdArray:
        """Keys of the items that are for sale."""
        return self.snapshot.stock.ids.ids[self.snapshot.sellable(self.look.now)]


def occasions(
    trigger: Trigger,
    numbers: Occasion,
    *,
    campaign: int,
    now: datetime,
    people: Collection[int] | None = None,
    since: datetime | None = None,
    among: Collection[int] | None = None,
    snapshot: Snapshot | None = None,
) -> list[PushCase]:
    """Cases of a campaign (by key) that came up lately, or since a look before; of ``people`` all that still stand.

    A case of these people that is not there any more is undone; whoever of them was merged into somebody stands for
    that person, under the key that was asked for. ``wanted_at`` of a case is when it came up. Whether somebody is in
    the audience is not asked: ``among`` is for the trigger that needs a list of each. Raises UnknownPlacementError and,
    without a snapshot, NotLoadedError.
    """
    if people is not None and not people:
        return []
    look = TriggerLook(now=now, people=people, since=since)
    happened = _LOOKS[trigger](_Asked(campaign=campaign, numbers=numbers, look=look, among=among, given=snapshot))
    if people is None:
        return [PushCase(campaign, each.customer, each.key, each.at, each.item) for each in happened]
    person_of, theirs = persons(people), defaultdict[int, list[Happening]](list)
    for each in happened:
        theirs[each.customer].append(each)
    return [
        PushCase(campaign, key, each.key, each.at, each.item)
        for key in sorted(set(people) & person_of.keys())
        for each in theirs[person_of[key]]
    ]


def follow_returns(snapshot: Snapshot, *, now: datetime) -> tuple[int, int]:
    """Write down which items went away and came back since the last look; how many of each."""
    return follow_stock(snapshot.stock.ids.ids, sellable=snapshot.sellable(now), now=now)


def _cart_left(asked: _Asked) -> Iterable[Happening]:
    return carts_left(asked.look, hours=asked.numbers.hours)


def _viewed(asked: _Asked) -> Iterable[Happening]:
    numbers = asked.numbers
    return looked_at(asked.look, views=numbers.views, hours=numbers.hours, sellable=_keys(asked))


def _back_in_stock(asked: _Asked) -> Iterable[Happening]:
    return back_in_stock(asked.look, sellable=_keys(asked))


def _price_drop(asked: _Asked) -> Iterable[Happening]:
    return price_drops(asked.look, percent=asked.numbers.percent, campaign=asked.campaign, sellable=_keys(asked))


def _due_again(asked: _Asked) -> Iterable[Happening]:
    """What is due as was learned, where that is in use, else by the usual gap; nothing before the first run."""
    model, logistic = asked.snapshot.model, LearnedModels.in_use().due
    if model is None:
        return []
    if logistic is None:
        return running_low(asked.look, model=model, sellable=asked.sellable)
    chance = asked.numbers.due_percent / 100
    return due_within_a_week(asked.look, model=model, logistic=logistic, chance=chance, sellable=asked.sellable)


def _new_for_you(asked: _Asked) -> Iterator[Happening]:
    """Items of the last days by the lists in which they stand; of a few people the weeks in which that still counts."""
    look = asked.look
    if look.people is not None:
        weeks = range(0, STANDS.days + 7, 7)
        for person in sorted(set(persons(look.people).values())):
            yield from (_of_week(person, look.now - timedelta(days=days)) for days in weeks)
        return
    stock, now = asked.snapshot.stock, look.now
    first = np.maximum(stock.column("listed"), stock.column("starts"))  # moments of sale
    new = asked.snapshot.sellable(now) & (first > (now - NEW).timestamp()) & (first <= now.timestamp())
    since = dict(zip(stock.ids.ids[new].tolist(), first[new].tolist(), strict=True))
    if not since:
        return
    people = people_in(any_of=()) if asked.among is None else sorted(set(asked.among))
    lists = [MessageLists(customer=person, blocks=(ListBlock(DISCOVER, LISTED),)) for person in people]
    for person, listed in zip(people, items_of_many(lists, snapshot=asked.snapshot, now=now), strict=True):
        item = next((item for item in listed.items if item in since), None)
        if item is not None:
            begun = _of_week(person, now)
            yield begun._replace(item=item, at=max(begun.at, datetime.fromtimestamp(since[item], UTC)))


def _of_week(person: int, moment: datetime) -> Happening:
    """The occasion of a week, from its Monday on."""
    day = moment.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).date()
    year, week, weekday = day.isocalendar()
    monday = datetime.combine(day - timedelta(days=weekday - 1), time(), ZoneInfo(settings.SHOP_TIME_ZONE))
    return Happening(person, f"{year}-W{week:02}", None, monday)


def _win_back(asked: _Asked) -> Iterable[Happening]:
    return long_not_seen(asked.look, days=asked.numbers.days)


def _shop(asked: _Asked) -> Iterable[Happening]:
    return told_by_the_shop(asked.look, campaign=asked.campaign)


def _keys(asked: _Asked) -> frozenset[int]:
    return frozenset(asked.sellable.tolist())


_LOOKS: Mapping[Trigger, Callable[[_Asked], Iterable[Happening]]] = {
    Trigger.CART_LEFT: _cart_left,
    Trigger.VIEWED: _viewed,
    Trigger.BACK_IN_STOCK: _back_in_stock,
    Trigger.PRICE_DROP: _price_drop,
    Trigger.DUE_AGAIN: _due_again,
    Trigger.NEW_FOR_YOU: _new_for_you,
    Trigger.WIN_BACK: _win_back,
    Trigger.SHOP: _shop,
}
