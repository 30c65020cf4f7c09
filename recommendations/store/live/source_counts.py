"""Counts of what each API key sends, hour by hour: added up in each process, on their way to the record in Valkey.

They are told as ``counters.py`` tells its own, at most once a second. Of people Valkey keeps an estimate of how many
they are (HyperLogLog), and no key of theirs.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from redis.client import Pipeline

from recommendations.store.live.counters import Counters, Name
from recommendations.store.live.valkey import valkey
from recommendations.store.process_held import ProcessHeld

HOUR = 3_600
KEPT = 72 * HOUR  # seconds for which the record may be behind
MOST = 100_000  # counts that wait in a process while Valkey is away; further people are not counted
_PREFIX = "sources:"
_BETWEEN = "|"


class Sent(StrEnum):
    """What is counted of a source; the names are those of the fields of ``SourceHour``."""

    LINES = "lines"
    PEOPLE = "people"
    NEW_PEOPLE = "new_people"
    PURCHASES = "purchases"
    NOT_KEPT = "not_kept"
    REFUSED = "refused"


class SourceCounters(Counters):
    """Counts by hour, key and ``Sent``; of people by the person, too."""

    def note(self, key: int, counts: Mapping[Sent, int], *, at: datetime, people: Iterable[int] = ()) -> None:
        """Count what came with a key at a moment; ``people`` are keys of customers."""
        where = (str(int(at.timestamp()) // HOUR * HOUR), str(key))
        names: dict[Name, int] = {(*where, sent): count for sent, count in counts.items() if count}
        if len(self._untold) < MOST:
            names |= {(*where, Sent.PEOPLE, str(person)): 1 for person in people}
        self.add(names)

    def _put(self, pipeline: Pipeline, due: Mapping[Name, int]) -> None:
        seen: dict[tuple[str, str], list[str]] = {}
        for (hour, key, sent, *person), count in due.items():
            if person:
                seen.setdefault((hour, key), []).extend(person)
            else:
                pipeline.hincrby(_PREFIX + hour, f"{key}{_BETWEEN}{sent}", count)
        for (hour, key), people in seen.items():
            pipeline.pfadd(f"{_PREFIX}{hour}:{key}", *people)
            pipeline.hincrby(_PREFIX + hour, f"{key}{_BETWEEN}{Sent.PEOPLE}", 0)  # the hash names all keys of the hour
            pipeline.expire(f"{_PREFIX}{hour}:{key}", KEPT)
        for hour in {name[0] for name in due}:
            pipeline.expire(_PREFIX + hour, KEPT)


source_counters = ProcessHeld(SourceCounters)


def sent_in(hours: Sequence[int]) -> dict[int, dict[int, dict[str, int]]]:
    """What was sent in the hours that began at these moments of Unix time, by hour and key; nothing without Valkey."""
    hashes = valkey().run(lambda pipeline: [pipeline.hgetall(f"{_PREFIX}{hour}") for hour in hours])
    sent: dict[int, dict[int, dict[str, int]]] = {}
    for hour, fields in zip(hours, hashes or (), strict=False):
        for field, count in fields.items():
            key, _, what = field.decode().partition(_BETWEEN)
            sent.setdefault(hour, {}).setdefault(int(key), {})[what] = int(count)
    places = [(hour, key) for hour, keys in sent.items() for key in keys]
    if not places:
        return {}
    people = valkey().run(lambda pipeline: [pipeline.pfcount(f"{_PREFIX}{hour}:{key}") for hour, key in places])
    for (hour, key), about in zip(places, people or (), strict=False):
        sent[hour][key][Sent.PEOPLE] = about
    return sent
