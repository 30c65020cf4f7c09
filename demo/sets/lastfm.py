"""HetRec 2011 Last.fm 2k as a shop of music: artists, how often 1,892 people played them, their tags and friends.

Licence of Last.fm: no commercial use; cite HetRec 2011. The set tells of no times of plays: they are drawn over half a
year, the same each time, so that the windows of an evaluation hold a part of them that nothing but chance chose.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from demo.sets.files import PublishedFile, PublishedSet, require, rows_of, whole

SOURCE = "HetRec 2011 Last.fm 2k (grouplens.org/datasets/hetrec-2011)"
ARTISTS = PublishedFile(name="artists.dat", rows=17_632, columns=("id", "name", "url", "pictureURL"))
PLAYS = PublishedFile(name="user_artists.dat", rows=92_834, columns=("userID", "artistID", "weight"))
FRIENDS = PublishedFile(name="user_friends.dat", rows=25_434, columns=("userID", "friendID"))
TAGS = PublishedFile(name="tags.dat", rows=11_946, columns=("tagID", "tagValue"))
TAGGED = PublishedFile(
    name="user_taggedartists.dat", rows=186_479, columns=("userID", "artistID", "tagID", "day", "month", "year")
)
FILES = (ARTISTS, PLAYS, FRIENDS)
BESIDE = (TAGS, TAGGED)
"""Without these artists have no tags and no categories."""

DAYS = 182
MOST_TAGS = 10
MOST_PLAYS = 1_000_000  # that one event may count


def items(folder: Path) -> Iterator[dict[str, str]]:
    """Rows of a file of items: an artist each, with the tags that most people gave; the first of them is the category.

    Raises WrongFileError.
    """
    require(folder, FILES, source=SOURCE)
    tags = _tags(folder) if all((folder / file.name).is_file() for file in BESIDE) else {}
    for _, (key, name, url, _picture) in rows_of(folder, ARTISTS):
        own = tags.get(key, [])
        yield {
            "item_id": key, "title": name[:300] or f"Artist {key}", "item_kind": "artist", "creator": name[:200],
            "url": url if url.startswith("http") else "", "tags": "|".join(own), "categories": own[0] if own else "",
        }  # fmt: skip


def events(folder: Path, *, now: datetime) -> Iterator[dict[str, str]]:
    """Rows of a file of events: who follows whom, then a play of each artist by each who played them, counted as often.

    Raises WrongFileError.
    """
    require(folder, FILES, source=SOURCE)
    first = now - timedelta(days=DAYS + 1)
    for place, (line, (person, friend)) in enumerate(rows_of(folder, FRIENDS)):
        for value in (person, friend):
            whole(value, file=FRIENDS, line=line)
        at = first + timedelta(seconds=place)
        yield _event(person, "follow", at) | {"target_type": "customer", "target_id": friend}
    draw = np.random.default_rng(2011)
    for line, (person, artist, plays) in rows_of(folder, PLAYS):
        count = min(max(whole(plays, file=PLAYS, line=line), 1), MOST_PLAYS)
        at = now - timedelta(seconds=1 + float(draw.integers(DAYS * 86_400)))
        yield _event(person, "play", at) | {"item_id": artist, "quantity": str(count)}


def _event(person: str, name: str, at: datetime) -> dict[str, str]:
    return {"name": name, "timestamp": at.isoformat(), "user_id": person}


def _tags(folder: Path) -> Mapping[str, list[str]]:
    """The tags of each artist, those that most people gave first."""
    names = {key: value.strip().replace("|", " ")[:100] for _, (key, value) in rows_of(folder, TAGS)}
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for _, (_person, artist, tag, *_day) in rows_of(folder, TAGGED):
        if names.get(tag):
            counts[artist][names[tag]] += 1
    return {artist: [tag for tag, _ in own.most_common(MOST_TAGS)] for artist, own in counts.items()}


LASTFM = PublishedSet(source=SOURCE, files=FILES, beside=BESIDE, items=items, events=events)
