"""A made shop of articles, music or films, whose tastes, links and best answers are known because they were planted.

People have a taste that they follow most of the time and a second one; items of a taste share its words, and creators
have one each. People who follow one another have the same taste. The shop says which taste is whose, so that
lists can be judged by it.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommendations.domains.protocol import Domain, DomainName
from recommendations.event_types import EventName

PEOPLE, ITEMS, TASTES = 400, 600, 12
WEEKS, SESSIONS, PLAYS = 16, 18, 5
OWN, SECOND = 0.6, 0.25  # shares of the plays; the rest goes by what is popular
FOLLOWED = 4
EACH = 5  # items in a collection
SAVED = 0.1  # of what somebody likes

WORDS: dict[DomainName, tuple[Sequence[str], Sequence[str]]] = {
    DomainName.ARTICLES: (
        ("Politics", "Economy", "Science", "Health", "Sport", "Culture", "Travel", "Food", "Technology", "Law",
         "Climate", "Education"),
        ("What is next for", "A short history of", "The truth about", "Inside", "Five lessons from"),
    ),
    DomainName.MUSIC: (
        ("Jazz", "Blues", "Folk", "Soul", "Techno", "Opera", "Punk", "Reggae", "Metal", "Disco", "Gospel", "Ambient"),
        ("Song of", "Night of", "Road to", "Letters from", "Dance of"),
    ),
    DomainName.VIDEO: (
        ("Drama", "Comedy", "Western", "Crime", "Horror", "Romance", "Animation", "Documentary", "War", "Fantasy",
         "Thriller", "Musical"),
        ("Return to", "The last", "Children of", "A day in", "Secrets of"),
    ),
}  # fmt: skip
"""Tastes, and how titles begin."""


@dataclass(frozen=True, kw_only=True)
class SyntheticShop:
    """A made shop; rows are as files of items and events have them, oldest events first."""

    items: Sequence[dict[str, str]]
    events: Sequence[dict[str, str]]
    taste_of_item: NDArray[np.int64]
    taste_of_person: NDArray[np.int64]


def synthetic_shop(
    domain: Domain, *, now: datetime, people: int = PEOPLE, items: int = ITEMS, seed: int = 0
) -> SyntheticShop:
    """Make the shop; the newest event happened the day before ``now``."""
    town = _Town(domain=domain, now=now, n_people=people, n_items=items, draw=np.random.default_rng(seed))
    events = [*town.follows()]
    for person in range(people):
        events += town.acts_of(person)
    return SyntheticShop(
        items=[_item(domain, number, town.taste_of_item[number], now=now) for number in range(items)],
        events=sorted(events, key=lambda row: row["timestamp"]),
        taste_of_item=town.taste_of_item,
        taste_of_person=town.taste_of_person,
    )


class _Town:
    """The people of a made shop, and what they do."""

    def __init__(
        self, *, domain: Domain, now: datetime, n_people: int, n_items: int, draw: np.random.Generator
    ) -> None:
        self.domain, self.now, self.draw, self.n_items = domain, now, draw, n_items
        self.taste_of_item = np.arange(n_items) % TASTES
        self.taste_of_person = draw.integers(TASTES, size=n_people)
        self.popularity = draw.permutation(1 / np.arange(1, n_items + 1) ** 0.7)

    def follows(self) -> Iterator[dict[str, str]]:
        """Everybody follows a few of the same taste, and somebody who makes what is to it, from the first day on."""
        first = self.now - timedelta(weeks=WEEKS, days=2)
        for person, taste in enumerate(self.taste_of_person):
            alike = np.flatnonzero(self.taste_of_person == taste)
            for other in self.draw.permutation(alike[alike != person])[:FOLLOWED]:
                whom = {"target_type": "customer", "target_id": f"p{other}"}
                yield _row(person, "follow", first + timedelta(seconds=person), **whom)
            maker = _creator(WORDS[self.domain.name][0][taste], person)
            at = first + timedelta(hours=1, seconds=person)
            yield _row(person, "follow", at, target_type="creator", target_id=maker)

    def acts_of(self, person: int) -> Iterator[dict[str, str]]:
        """All that a person plays or reads: what is to their taste to the end, of the rest a part."""
        own = int(self.taste_of_person[person])
        chances = self._chances(own, second=int(self.draw.integers(TASTES)))
        for session in range(SESSIONS):
            days = timedelta(days=1 + int(self.draw.integers(7 * WEEKS)))
            begin = self.now - days + timedelta(minutes=int(self.draw.integers(20 * 60)))
            listed = self.draw.choice(self.n_items, size=PLAYS, replace=False, p=chances)
            for place, item in enumerate(listed):
                known = {"item_id": f"{self.domain.name}-{item}", "session_id": f"p{person}-{session}"}
                at, likes = begin + timedelta(minutes=6 * place), self.taste_of_item[item] == own
                yield self._played(person, at, likes=bool(likes), **known)
                if likes and self.draw.random() < SAVED:
                    yield _row(person, "save", at + timedelta(minutes=1), **known)

    def _chances(self, own: int, *, second: int) -> NDArray[np.float64]:
        """How likely each item is played next."""
        everything = np.ones(self.n_items, np.bool_)
        of = self.taste_of_item
        parts = ((OWN, of == own), (SECOND, of == second), (1 - OWN - SECOND, everything))
        each = [share * np.where(among, self.popularity, 0) / self.popularity[among].sum() for share, among in parts]
        return np.asarray(np.sum(each, axis=0) / np.sum(each))

    def _played(self, person: int, at: datetime, *, likes: bool, **known: str) -> dict[str, str]:
        share = 1.0 if likes else float(self.draw.uniform(0.05, 0.95))
        if likes and self.domain.unit == EventName.COMPLETE:
            return _row(person, EventName.COMPLETE, at, **known)
        return _row(person, EventName.PLAY, at, **known, progress=f"{share:.2f}")


def _item(domain: Domain, number: int, taste: int, *, now: datetime) -> dict[str, str]:
    tastes, beginnings = WORDS[domain.name]
    word, place = tastes[taste], number // TASTES
    collection = place // EACH
    return {
        "item_id": f"{domain.name}-{number}",
        "title": f"{beginnings[place % len(beginnings)]} {word.lower()} {place + 1}",
        "description": f"{word} by {word} House {collection % 5 + 1}.",
        "categories": word,
        "item_kind": domain.kinds[0],
        "creator": _creator(word, collection),
        "collection": f"{word} collection {collection + 1}",
        "collection_number": str(place % EACH + 1),
        "duration": str(180 + 7 * (number % 60)),
        "published_at": (now - timedelta(days=7 * WEEKS + 30 + number % 300)).isoformat(),
        "language": "en",
    }


def _creator(word: str, number: int) -> str:
    """One of the five who make what is to a taste."""
    return f"{word} House {number % 5 + 1}"


def _row(person: int, name: str, at: datetime, **known: str) -> dict[str, str]:
    return {"name": name, "timestamp": at.isoformat(), "user_id": f"p{person}", **known}


def write_rows(rows: Iterable[Mapping[str, str]], file: Path) -> Path:
    """Write rows as a file that an import reads, whatever columns each has; the file."""
    every = list(rows)
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, fieldnames=list({name: None for row in every for name in row}))
        writer.writeheader()
        writer.writerows(every)
    return file
