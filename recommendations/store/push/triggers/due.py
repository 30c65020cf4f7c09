"""Running low, as it was learned: what a customer buys again within seven days with at least the campaign's chance."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from recommendations.engine.frames import IdArray, Interactions
from recommendations.engine.push.due import BuyingDays, DuePairs, ItemHabits, buying_days, item_habits, pairs_at
from recommendations.engine.push.logistic import Logistic
from recommendations.store.models.held_by_model import held_by_model
from recommendations.store.models.model import Model
from recommendations.store.push.triggers.look import Happening, TriggerLook, persons
from recommendations.store.push.triggers.staples import ARRIVES, bought_since

EPOCH = date(1970, 1, 1).toordinal()
DAY = 86_400.0


def due_within_a_week(
    look: TriggerLook, *, model: Model, logistic: Logistic, chance: float, sellable: IdArray
) -> list[Happening]:
    """Who buys an item again with a chance, one item a person, the likeliest; of a few people all that they may be due.

    What counts is known at the start of the shop's day: history by the live model, what was bought since by the events.
    An occasion stands until the item is bought.
    """
    zone = ZoneInfo(settings.SHOP_TIME_ZONE)
    today = look.now.astimezone(zone).date().toordinal() - EPOCH
    pairs, chances = _chances(model, logistic, at=today)
    keep = np.isin(model.items.ids[pairs.item], sellable)
    if not look.standing:
        keep &= chances >= chance
    keys = model.users.ids[pairs.user]
    person_of = persons(look.people if look.people is not None else np.unique(keys[keep]).tolist())
    keep &= np.isin(keys, np.fromiter(person_of, np.int64))
    places = np.flatnonzero(keep)
    people = np.array([person_of[key] for key in keys[places].tolist()], np.int64)
    items, last = model.items.ids[pairs.item[places]], pairs.last[places]
    since = bought_since(look, since=model.as_of - ARRIVES)
    wanting = [
        since_day(since.get((who, item)), zone) <= day
        for who, item, day in zip(people.tolist(), items.tolist(), last.tolist(), strict=True)
    ]
    some = np.flatnonzero(np.array(wanting, np.bool_))
    if not look.standing:
        order = some[np.lexsort((items[some], -chances[places][some], people[some]))]
        _, first = np.unique(people[order], return_index=True)
        some = order[first]
    return [
        Happening(int(people[row]), _key(int(items[row]), int(last[row])), int(items[row]), look.now)
        for row in some.tolist()
    ]


def since_day(seconds: float | None, zone: ZoneInfo) -> int:
    """The shop's day of a purchase since the model learned; −1 where there was none."""
    return -1 if seconds is None else datetime.fromtimestamp(seconds, zone).date().toordinal() - EPOCH


def _key(item: int, day: int) -> str:
    """The item, and the day of its last purchase: the same at every look."""
    return f"{item}:{date.fromordinal(EPOCH + day).isoformat()}"


def _chances(model: Model, logistic: Logistic, *, at: int) -> tuple[DuePairs, NDArray[np.float64]]:
    """Pairs of everybody with their chances at the start of a day; the last day that was asked for is remembered."""
    held = _of_days(model)
    if at not in held:
        days = _days(model)
        habits = _habits(model)
        pairs = [pairs_at(part, habits, at=at) for part in days.parts()] or [pairs_at(days, habits, at=at)]
        whole = DuePairs(
            user=np.concatenate([each.user for each in pairs]), item=np.concatenate([each.item for each in pairs]),
            last=np.concatenate([each.last for each in pairs]),
            columns=np.concatenate([each.columns for each in pairs]),
        )  # fmt: skip
        held.clear()
        held[at] = whole
    return held[at], logistic.chances(held[at].columns)


@held_by_model
def _of_days(_model: Model) -> dict[int, DuePairs]:
    return {}


@held_by_model
def _habits(model: Model) -> ItemHabits:
    own = _days(model)
    return item_habits(own.sample(), at=int(own.day.max(initial=-1)) + 1)


@held_by_model
def _days(model: Model) -> BuyingDays:
    """Days on which users of the model bought items, by the shop's calendar."""
    return days_of(model.training.interactions, as_of=model.as_of)


def days_of(acts: Interactions, *, as_of: datetime) -> BuyingDays:
    """Days of the shop on which purchases were made; ``as_of`` is the moment that ages count back from."""
    ahead = as_of.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).utcoffset()
    offset = ahead.total_seconds() / DAY if ahead else 0.0
    return buying_days(acts, until=as_of.timestamp() / DAY, offset=offset)
