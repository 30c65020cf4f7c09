"""Titles of the demo's items as on a shelf: brand, variety, what it is, size. The same source gives the same titles.

The source tells thousands of items of one type, maker and size from each other by a number only. A shopper would see
another flavour, scent, cut or colour; such words are invented here, in an order that depends on the item alone.
"""

import csv
import re
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from demo.complete_journey.names import department_name, tidied, type_title

VARIETIES = Path(__file__).with_name("varieties.csv")
SMALL = frozenset({"and", "for", "in", "of", "on", "or", "the", "to", "with"})
CASE = re.compile(r"(1[1-9]|[2-9]\d|\d{3,})(\.\d+)? (lb|ct)")  # of fruit and vegetables: what the shop buys, no shopper


class Variety(NamedTuple):
    """Words for items of a part of the source: ``first`` stand before what the item is, ``last`` after it."""

    source: re.Pattern[str]
    first: tuple[str, ...]
    last: tuple[str, ...]


def titles(products: pd.DataFrame) -> list[str]:
    """Titles, each another; ``products`` with department, category, type, size and ``brand_name``."""
    given: set[str] = set()
    waiting: dict[tuple[str, str, str], Iterator[str]] = {}
    columns = ["department", "product_category", "product_type", "size", "brand_name"]
    written = []
    for department, category, kind, size, brand in products[columns].fillna("").itertuples(index=False, name=None):
        base = base_title(department, category, kind)
        key = (brand, base, size)
        if key not in waiting:
            waiting[key] = _possible(brand, base, size, source=f"{department}/{category}/{kind}")
        written.append(next(title for title in waiting[key] if title not in given))
        given.add(written[-1])
    return written


@cache
def base_title(department: str, category: str, kind: str) -> str:
    """What items of a type are called, without brand and size; the category or department where no type is given."""
    if kind:
        return type_title(kind, category=category)
    return tidied(category) if category else department_name(department)


def _possible(brand: str, base: str, size: str, *, source: str) -> Iterator[str]:
    """Titles that an item may have, the plainest first."""
    head, _comma, rest = base.partition(", ")
    variety = _variety(source)
    own = set(_words(base))
    firsts = [first for first in variety.first if not own & set(_words(first))] or [""]
    # Where every item has a first word, brands do not all begin with the same one.
    turn = zlib.crc32(f"{brand}/{base}".encode()) % len(firsts) if firsts[0] else 0
    shown = "" if source.startswith("PRODUCE") and CASE.fullmatch(size) else size
    for last in variety.last:
        for first in firsts[turn:] + firsts[:turn]:
            name = " ".join(part for part in (brand, first, capitalized(head)) if part)
            yield ", ".join(part for part in (name, rest, last, shown) if part)


def capitalized(name: str) -> str:
    """A name with capitals, but for its small words."""
    words = name.split(" ")
    return " ".join(word if word in SMALL else word[:1].upper() + word[1:] for word in words)


def _words(text: str) -> list[str]:
    """Words in lower case, without the s of a plural."""
    return [word.rstrip("s") for word in re.findall(r"\w+", text.lower())]


@cache
def _variety(source: str) -> Variety:
    return next(variety for variety in _varieties() if variety.source.search(source))


@cache
def _varieties() -> tuple[Variety, ...]:
    with VARIETIES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(
        Variety(re.compile(row["source"]), tuple(row["first"].split("|")), tuple(row["last"].split("|")))
        for row in rows
    )
