"""citeulike-a as a shop of articles: what 5,551 people put into their libraries, with titles, abstracts and tags.

Collected by Wang, Chen and Li (IJCAI 2013) from CiteULike. The set tells of no times: they are drawn over twelve weeks,
the same each time, so that the windows of an evaluation hold a part that nothing but chance chose.
"""

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from demo.sets.files import AGAIN, PublishedFile, PublishedSet, WrongFileError, require, rows_of, whole

SOURCE = "citeulike-a (github.com/js05212/citeulike-a)"
LIBRARIES = PublishedFile(
    name="users.dat", rows=5_551, sha256="53211d82c14ff261e595634d285ed9fbf8049cf81dcb751d924d695b9612a02c"
)
TEXTS = PublishedFile(name="raw-data.csv", rows=16_980, blob="2d366a8142639249324d800c17bce39d59032744")
TAGS = PublishedFile(
    name="tags.dat", rows=46_391, sha256="c02b3e5ee1a57f88f3a598b2040018bb198f54cd0c11116fa7a0db905b6f60e3"
)
TAGGED = PublishedFile(
    name="item-tag.dat", rows=16_980, sha256="0f7b432796a5038ed2631c02b99d70e636123673afc11bf9e051de5b49467890"
)
FILES = (LIBRARIES, TEXTS)
BESIDE = (TAGS, TAGGED)
"""Without these articles have no tags."""

COLUMNS = ("doc.id", "raw.title", "raw.abstract")  # that are read of the texts
DAYS = 84

MOST_TAGS = 100
"""As many as an item may have."""


def items(folder: Path) -> Iterator[dict[str, str]]:
    """Rows of a file of items: an article each. Raises WrongFileError."""
    require(folder, FILES, source=SOURCE)
    tags = article_tags(folder) if all((folder / file.name).is_file() for file in BESIDE) else {}
    with (folder / TEXTS.name).open(encoding="utf-8", errors="replace", newline="") as lines:
        table = csv.DictReader(lines)
        lacking = [name for name in COLUMNS if name not in (table.fieldnames or ())]
        if lacking:
            raise WrongFileError(f"{TEXTS.name}, line 1: the columns {', '.join(lacking)} are missing: {AGAIN}.")
        for row in table:
            key, title, abstract = (" ".join((row[name] or "").split()) for name in COLUMNS)
            number = whole(key, file=TEXTS, line=table.line_num)
            yield {
                "item_id": key, "title": title[:300] or f"Article {key}", "item_kind": "article",
                "description": abstract, "tags": "|".join(tags.get(number, ())),
            }  # fmt: skip


def events(folder: Path, *, now: datetime) -> Iterator[dict[str, str]]:
    """Rows of a file of events: an article in somebody's library was read to the end. Raises WrongFileError."""
    require(folder, FILES, source=SOURCE)
    draw = np.random.default_rng(2013)
    for line, row in rows_of(folder, LIBRARIES):
        count, *articles = (whole(value, file=LIBRARIES, line=line) for value in row or ["0"])
        if count != len(articles):
            raise WrongFileError(
                f"{LIBRARIES.name}, line {line}: it announces {count} articles and has {len(articles)}: {AGAIN}."
            )
        for article in articles:
            at = now - timedelta(seconds=1 + float(draw.integers(DAYS * 86_400)))
            yield {
                "name": "complete", "timestamp": at.isoformat(), "user_id": str(line), "item_id": str(article + 1),
            }  # fmt: skip


def article_tags(folder: Path) -> Mapping[int, list[str]]:
    """The first tags of each article, by its number in the texts, which begin with 1."""
    names = [" ".join(row).replace("|", " ")[:100] for _, row in rows_of(folder, TAGS)]
    of_articles = {}
    for line, row in rows_of(folder, TAGGED):
        numbers = [whole(value, file=TAGGED, line=line) for value in row[1:]]
        if numbers and max(numbers) >= len(names):
            raise WrongFileError(f"{TAGGED.name}, line {line}: {TAGS.name} has no tag {max(numbers)}: {AGAIN}.")
        of_articles[line] = [names[number] for number in numbers[:MOST_TAGS] if names[number]]
    return of_articles


CITEULIKE = PublishedSet(source=SOURCE, files=FILES, beside=BESIDE, items=items, events=events)
