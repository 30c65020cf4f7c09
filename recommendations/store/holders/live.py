"""What Valkey has of a person: what they did lately, what they say, and what staff looked at of theirs.

A request that began before the erasure may still write what it has accepted. So erasing waits until every process has
looked at the marks of change since, from when on none writes for these keys; and whoever closes an erasure a minute
later erases once more.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from recommendations.event_types import EventName
from recommendations.models import Customer, Item
from recommendations.privacy_terms import HolderCode
from recommendations.store.holders.protocol import Erased, Holds, Sheet, Subject
from recommendations.store.live.array_cache import arrays_with, forget_arrays
from recommendations.store.live.arrivals import arrivals_of, forget_arrivals
from recommendations.store.live.change_watch import LOOK
from recommendations.store.live.fetch import fetch_raw_of_all, unpacked
from recommendations.store.live.state import Acts, LikingKind, LiveState
from recommendations.store.live.valkey import Command, ValkeyAwayError, valkey
from recommendations.store.valkey_keys import LIKED, LOOKS, OBJECTED, newcomer
from recommendations.wording import labels

SETTLED = timedelta(seconds=LOOK + 0.05)
"""How long after an erasure began the last process has heard of it."""

type Row = tuple[str, int, float, Any]
"""The words of an act, its item, when it was, and the slot or the share that was played."""


class LiveHolder:
    """Keys of Valkey by the customer's key, fields of hashes of all, lines of lists; all that ``valkey_keys`` says is
    of people, but for the answers on their way to the record, which their own holder drains.
    """

    def __init__(self) -> None:
        self.code = HolderCode.LIVE
        own = ("BOUGHT", "REFUNDED", "DISLIKED", "RECENT", "SHOWN", "BEGUN", "OBJECTED", "LIKED", "NEWCOMERS")
        self.holds = Holds(valkey=(*own, "ARRIVALS", "PEOPLE_ARRAYS", "LOOKS"))

    def export(self, subject: Subject) -> Iterator[Sheet]:
        """Tell what the next answer knows beside the model; raises ValkeyAwayError."""
        states = _states(subject)
        acts = [row for state in states for row in _acts(state)]
        names = dict(Item.objects.filter(pk__in={item for _act, item, *_rest in acts}).values_list("pk", "shop_id"))
        rows = [(act, names.get(item, ""), _moment(at), detail) for act, item, at, detail in acts]
        yield Sheet(_("recent acts"), [_("event"), _("item"), _("occurred"), _("position")], rows)
        liked = [each for state in states for each in state.liked]
        kinds = _words_of_kinds()
        said = [(kinds[each.kind], each.name, _moment(each.at), _("yes") if each.followed else "") for each in liked]
        yield Sheet(_("what the customer likes"), [_("kind"), _("name"), _("since"), _("followed")], said)

    def find(self, subject: Subject) -> int:
        """Count keys, fields and lines. Raises ValkeyAwayError."""
        commands = [*(("EXISTS", name) for name in _names(subject)), *_fields("HEXISTS", subject)]
        known = sum(valkey().answers(commands)) if commands else 0
        newcomers, arrived = len(_newcomers(subject)), len(arrivals_of(subject.keys))
        return int(known) + newcomers + arrived + len(arrays_with(subject.keys))

    def erase(self, subject: Subject, *, now: datetime) -> Erased:  # noqa: ARG002 - others keep the moment
        """Delete them, once every process has heard. Raises ValkeyAwayError."""
        _settle(subject)
        commands: list[Command] = [("UNLINK", name) for name in [*_names(subject), *_newcomers(subject)]]
        commands += _fields("HDEL", subject)
        deleted = sum(valkey().answers(commands)) if commands else 0
        return Erased(deleted=deleted + forget_arrivals(subject.keys) + forget_arrays(subject.keys))


LIVE = LiveHolder()


def _settle(subject: Subject) -> None:
    """Wait, a quarter of a second at most, until no process writes for these keys any more."""
    erased = Customer.objects.filter(pk__in=subject.key_list).aggregate(at=Max("erased_at"))["at"]
    if erased is not None:
        time.sleep(max(0.0, min(SETTLED, erased + SETTLED - timezone.now()).total_seconds()))


def _names(subject: Subject) -> list[str]:
    return [f"{begins}{key}" for key in subject.key_list for begins in (*Acts, LOOKS)]


def _fields(command: str, subject: Subject) -> list[Command]:
    return [(command, name, str(key)) for name in (OBJECTED, LIKED) for key in subject.key_list]


def _newcomers(subject: Subject) -> list[bytes]:
    """Names under which the pseudonyms lead to keys of the person; who came back since has another key."""
    names = list(map(newcomer, subject.pseudonyms))
    told = valkey().answers([("MGET", *names)])[0] if names else []
    return [name for name, key in zip(names, told, strict=True) if key is not None and int(key) in subject.keys]


def _states(subject: Subject) -> list[LiveState]:
    raw = fetch_raw_of_all(subject.key_list, showings=True)
    if any(each.changed is None for each in raw):
        raise ValkeyAwayError
    return [unpacked(each.customer) for each in raw]


def _acts(state: LiveState) -> Iterator[Row]:
    words = dict(labels.EVENT_NAMES)
    lasting = (
        (EventName.PURCHASE, state.bought), (EventName.REFUND, state.refunded),
        (EventName.DISLIKE_ITEM, state.disliked),
    )  # fmt: skip
    for name, times in lasting:
        yield from ((str(words[name]), item, at, "") for item, at in times.items())
    yield from ((str(words[act.name]), act.item, act.at, "") for act in state.recent)
    shown, played = str(words[EventName.VIEW_ITEM_LIST]), str(words[EventName.PLAY])
    yield from ((shown, each.item, each.at, each.slot) for each in state.shown)
    yield from ((played, each.item, each.at, f"{10 * each.tenths} %") for each in state.begun)


def _words_of_kinds() -> dict[LikingKind, str]:
    return {
        LikingKind.CATEGORY: _("category"), LikingKind.BRAND: _("brand"), LikingKind.ITEM: _("item"),
        LikingKind.TAG: _("tag"), LikingKind.CREATOR: _("creator"), LikingKind.COLLECTION: _("collection"),
    }  # fmt: skip


def _moment(at: float) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if at else None
