"""Accepted lines of events as the live state takes them: what the next answers know of."""

from collections.abc import Iterable

from recommendations.ingest.facts import REPLAY
from recommendations.store.events.insert import EventLine
from recommendations.store.live.likings import FOLLOWED
from recommendations.store.live.showings import whole_answers
from recommendations.store.live.state import LISTS, LiveEvent, live_event
from recommendations.store.live.writes import Liked, liked_now
from recommendations.store.serving.snapshot_holder import snapshot_holder


def live_events(lines: Iterable[tuple[EventLine, int]]) -> list[LiveEvent]:
    """A live event of each line, which is that of a customer; of lists only where an answer may depend on them.

    A showing is at the position that the shop names, else at its place in the event. What the demo's replay showed
    nobody saw.
    """
    events: list[LiveEvent] = []
    whole: list[LiveEvent] = []
    held = snapshot_holder().snapshot
    used = held is None or held.remembers_showings
    for line, customer in lines:
        event = live_event(customer, line.name, line.item_id, line.occurred_at, line.progress)
        if line.name not in LISTS:
            events.append(event)
        elif used and line.recommendation_id is not None and line.source != REPLAY:
            slot = line.line + 1 if line.position is None else max(line.position, 1)
            seen = event._replace(slot=slot, answer=line.recommendation_id)
            (whole if line.item_id is None else events).append(seen)
    return events + whole_answers(whole)


def likings_after(lines: Iterable[tuple[EventLine, int]], *, joined: Iterable[int]) -> list[Liked]:
    """What each customer says they like now of whose lines one follows something, or ceases to, and each
    whom a visitor ``joined``, who may follow some.
    """
    spoken = {customer for line, customer in lines if line.target_type in FOLLOWED} | {*joined}
    return liked_now(sorted(spoken)) if spoken else []
