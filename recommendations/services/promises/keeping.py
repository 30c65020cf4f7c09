"""Promises are kept: showings are counted, promises given while there is room, and the budget follows what is open."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from django.db import transaction
from django.db.models import Q

from recommendations.engine.ranking.promise import Budget, admitted, budget
from recommendations.models import NewItem, NewItemBudget, NewItemPromise
from recommendations.promise_terms import NewItemState
from recommendations.services.promises.fits import fits_of
from recommendations.services.promises.publishing import rule_of
from recommendations.store.live import fetch
from recommendations.store.promises import arriving
from recommendations.store.promises.showings import answers_a_day, clicks_of, showings

LAG = timedelta(seconds=15)  # until an answer that was given is certain to be in the record
STILL_CLICKED = timedelta(days=2)  # after the end of a promise: then its clicks have come in
DAY = timedelta(days=1)


def keep_promises(*, now: datetime) -> int:
    """Bring every placement that promises anything up to date; how many there are."""
    live = NewItemPromise.objects.filter(is_default=True, placement__enabled=True).select_related("placement")
    done = [keep_promise(promise, now=now) for promise in live]
    if any(done):
        fetch.announce(fetch.Changed.PLACEMENTS)
    return len(done)


@transaction.atomic
def keep_promise(promise: NewItemPromise, *, now: datetime) -> bool:
    """Count, end, note, give and budget what a placement promises; whether its answers are to be made otherwise."""
    stored = NewItemBudget.objects.select_for_update().filter(placement=promise.placement_id).first()
    room = stored or NewItemBudget(placement=promise.placement, share=0, load=0, counted_until=now - LAG)
    before = _served(room)
    open_ = list(NewItem.objects.open().filter(placement=promise.placement_id).select_related("promise"))
    _count(open_, promise.placement.name, since=room.counted_until, until=now - LAG)
    _end(open_, now=now)
    rate = answers_a_day(promise.placement.name, now=now)
    left = [each for each in open_ if each.state == NewItemState.PROMISED]
    arriving.over(promise, now=now).update(state=NewItemState.MISSED, ended_at=now)
    if promise.gives:
        _note(promise, now=now)
        left += _give(promise, left, rate=rate, now=now)
    now_open = _budget(promise, left, rate=rate, now=now)
    room.share, room.load, room.requests_a_day = now_open.share, now_open.load, rate
    room.counted_until = max(room.counted_until, now - LAG)
    room.save()
    return _served(room) != before


def judge_new_items(*, now: datetime) -> int:
    """Count the clicks on what is promised, or was lately; how many items."""
    lately = Q(state=NewItemState.PROMISED) | Q(
        state__in=(NewItemState.KEPT, NewItemState.LATE), ended_at__gt=now - STILL_CLICKED
    )
    judged = 0
    for promise in NewItemPromise.objects.filter(is_default=True).select_related("placement"):
        new = list(NewItem.objects.filter(lately, placement=promise.placement_id))
        counted = clicks_of(new, placement=promise.placement.name, now=now)
        for each in new:
            if each.pk in counted:
                each.clicks, each.expected = counted[each.pk]
        judged += NewItem.objects.bulk_update(new, ["clicks", "expected"]) if new else 0
    return judged


def _served(room: NewItemBudget) -> tuple[object, ...]:
    """What answers depend on."""
    open_ = NewItem.objects.open().filter(placement=room.placement_id).order_by("pk").values_list("pk", flat=True)
    return room.share, room.load, *open_


def _count(open_: Sequence[NewItem], placement: str, *, since: datetime, until: datetime) -> None:
    counted = showings(placement, [each.item_id for each in open_], since=since, until=until) if since < until else {}
    for each in open_:
        each.shown += counted.get(each.item_id, 0)


def _end(open_: Sequence[NewItem], *, now: datetime) -> None:
    """Store what was counted, and end the promises that are kept, or late."""
    for each in open_:
        promise, begun = each.promise, each.promised_at
        if promise is None or begun is None:
            continue
        if each.shown >= promise.impressions:
            each.state, each.ended_at = NewItemState.KEPT, now
        elif begun + promise.days * DAY <= now:
            each.state, each.ended_at = NewItemState.LATE, now
    NewItem.objects.bulk_update(open_, ["shown", "state", "ended_at"])


def _note(promise: NewItemPromise, *, now: datetime) -> None:
    """Note items that are new and ready: they wait, unless the ranking has shown them often enough."""
    items = list(arriving.ready(promise, now=now).values_list("pk", flat=True))
    since = now - timedelta(days=promise.new_days)
    known = showings(promise.placement.name, items, since=since, until=now)
    fits = fits_of(items)
    rows = []
    for item in items:
        enough = known.get(item, 0) >= promise.impressions
        rows.append(
            NewItem(
                placement=promise.placement, item_id=item, fit=fits.get(item), noted_at=now,
                state=NewItemState.KNOWN if enough else NewItemState.WAITING, ended_at=now if enough else None,
            )
        )  # fmt: skip
    NewItem.objects.bulk_create(rows, ignore_conflicts=True)


def _give(promise: NewItemPromise, open_: Sequence[NewItem], *, rate: float, now: datetime) -> list[NewItem]:
    """Promise to as many of the waiting as there is room for."""
    line = arriving.waiting(promise, now=now)  # of a catalogue that was just imported: all of it
    count = admitted(line.count(), promised=float(_left(open_).sum()), rate=rate, promise=rule_of(promise))
    given = list(line[:count])
    for each in given:
        each.state, each.promise, each.promised_at = NewItemState.PROMISED, promise, now
    NewItem.objects.bulk_update(given, ["state", "promise", "promised_at"])
    return given


def _budget(promise: NewItemPromise, open_: Sequence[NewItem], *, rate: float, now: datetime) -> Budget:
    age = np.array([(now - each.promised_at) / DAY for each in open_ if each.promised_at])
    return budget(_left(open_), age, rate=rate, promise=rule_of(promise))


def _left(open_: Sequence[NewItem]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Impressions that each promise still lacks."""
    return np.array([max(each.promise.impressions - each.shown, 0) for each in open_ if each.promise], np.float64)
