"""The choice of pack and picture for an item: by the words of its title, else by those of its categories."""

import csv
import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Appearance(NamedTuple):
    """Names of a pack and of an emblem, of which the other modules know the shapes."""

    pack: str
    emblem: str


class Row(NamedTuple):
    """A row of ``shelf.csv``: who has one of the words looks so. ``flavoured``: its taste or smell is shown."""

    words: re.Pattern[str]
    appearance: Appearance
    flavoured: bool


def appearance_of(title: str, *, path: str) -> Appearance | None:
    """Appearance of an item; None where neither its title nor its categories say what it is."""
    lowered = title.lower()
    row = _named(lowered.partition(",")[0]) or _named(lowered) or _named(path.lower())
    if row is None:
        return None
    if row.flavoured:
        return row.appearance._replace(emblem=_flavour(lowered) or row.appearance.emblem)
    return row.appearance


@cache
def emblems() -> dict[str, str]:
    """SVG of each emblem, on a field of 32 by 32."""
    shapes: dict[str, str] = json.loads((HERE / "emblems.json").read_text(encoding="utf-8"))
    return shapes


def names() -> set[str]:
    """Emblems that a look may have."""
    return {row.appearance.emblem for row in _shelf()} | {emblem for _words, emblem in _flavours()}


def _named(text: str) -> Row | None:
    """The row whose words end last: in "peanut butter cracker" the cracker names the thing. Of two the longer words."""
    ends = {(match.end(), match.end() - match.start()): row for row in _shelf() for match in row.words.finditer(text)}
    return ends[max(ends)] if ends else None


def _flavour(title: str) -> str | None:
    """Emblem of the flavour that a title names first."""
    starts = {match.start(): emblem for words, emblem in reversed(_flavours()) if (match := words.search(title))}
    return starts[min(starts)] if starts else None


@cache
def _shelf() -> Sequence[Row]:
    return tuple(
        Row(_pattern(row["words"]), Appearance(row["pack"], row["emblem"]), bool(row["flavoured"]))
        for row in _rows("shelf")
    )


@cache
def _flavours() -> Sequence[tuple[re.Pattern[str], str]]:
    return tuple((_pattern(row["words"]), row["emblem"]) for row in _rows("flavours"))


def _pattern(words: str) -> re.Pattern[str]:
    """Words and their plurals; a stem is a word that ends before its last letters."""
    return re.compile(rf"\b(?:{words})(?:s|es|y|ies)?\b")


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
