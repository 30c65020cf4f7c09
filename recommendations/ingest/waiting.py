"""Events about items that the catalogue does not have: how many may wait, and how they are joined when it has them."""

from collections import defaultdict
from collections.abc import Collection

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from recommendations.event_types import NAMES, EventName, Outcome
from recommendations.ingest.facts import Sender
from recommendations.ingest.live_events import live_events
from recommendations.store.events import insert, waiting
from recommendations.store.events.partitions import months_gone, prepare_partitions
from recommendations.store.events.waiting import Arrived
from recommendations.store.live import writes
from recommendations.store.live.source_counts import SourceCount, source_counters
from recommendations.terms import Side

PAGE_SHARE = 100  # a key in a page may let so many times fewer lines wait: anybody can invent items with it


def may_wait(name: str) -> bool:
    """Whether an event of this name is worth waiting for: what was merely shown is not."""
    return NAMES[name].facts.outcome is not Outcome.SHOWN


def room_of(sender: Sender) -> int:
    """How many lines more of a sender may wait."""
    most = settings.WAITING_LINES // (PAGE_SHARE if sender.side is Side.PAGE else 1)
    return most - waiting.count_waiting(sender.key, most=most)


def join_waiting(shop_ids: Collection[str] | None = None) -> int:
    """Make events of the lines that waited for these items, or for any that came; how many.

    Each keeps its id, time, trust and key, and reaches the live state as a late event does.
    """
    count = 0
    while True:
        arrived = _join(shop_ids)
        count += len(arrived)
        if len(arrived) < waiting.BATCH:
            return count


def _join(shop_ids: Collection[str] | None) -> list[Arrived]:
    with transaction.atomic():
        arrived = waiting.take_arrived(shop_ids)
        if not arrived:
            return []
        times = [each.line.occurred_at for each in arrived]
        prepare_partitions(min(times), max(times), tables=("recommendations_event",))
        gone = months_gone(times)  # dropped while they waited
        of_key: dict[int | None, list[Arrived]] = defaultdict(list)
        for each in arrived:
            if each.line.occurred_at not in gone:
                of_key[each.key].append(each)
        new = {key: insert.insert([each.line for each in lines], key=key).new for key, lines in of_key.items()}
        waiting.date_back(arrived)
    for key, numbers in new.items():
        lines = [of_key[key][number].line for number in numbers]
        whose = [
            (line, customer) for line, customer in zip(lines, numbers.values(), strict=True) if customer is not None
        ]
        writes.remember(live_events(whose))
        if key is not None:
            bought = [line.name for line in lines].count(EventName.PURCHASE)
            counts = {SourceCount.LINES: len(lines), SourceCount.PURCHASES: bought}
            source_counters().note(key, counts, at=timezone.now(), people={customer for _line, customer in whose})
    return arrived
