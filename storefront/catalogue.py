"""The shop's own catalogue: what it sells, in which categories, and a search that knows words and nothing more."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

LEVEL = " > "
WORD = re.compile(r"\w+")
MOST_FOUND = 200


class CatalogueProduct(NamedTuple):
    item_id: str
    title: str
    brand: str
    price: str
    category: str  # path, such as "PRODUCE > TROPICAL FRUIT"; empty where it has none
    quantity: int | None = None  # in stock; None where nobody counts it


@dataclass(frozen=True, kw_only=True)
class Category:
    path: str
    example: str  # an item whose picture stands for it
    size: int
    children: list[str] = field(default_factory=list)  # paths

    @property
    def name(self) -> str:
        return self.path.rpartition(LEVEL)[2].capitalize()


class Catalogue:
    def __init__(self, products: Iterable[CatalogueProduct]) -> None:
        self._products = {product.item_id: product for product in products}
        self._having: Mapping[str, Sequence[str]] = _by_word(self._products.values())
        self.categories = _categories(self._products.values())

    @classmethod
    def load(cls, file: Path) -> "Catalogue":
        """The items that have a price, or all where none has, of a file as ``manage.py import_items`` takes it."""
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        return cls(
            CatalogueProduct(
                row["item_id"], _plain(row["title"]), _plain(row["brand"] or row.get("creator") or ""), row["price"],
                _plain(row["categories"]).partition("|")[0], int(row.get("available_quantity") or 0) or None,
            )
            for row in [row for row in rows if row["price"]] or rows
        )  # fmt: skip

    @property
    def stock(self) -> dict[str, int]:
        """How many there are of the items that are counted."""
        return {each.item_id: each.quantity for each in self._products.values() if each.quantity is not None}

    def find(self, item_id: str) -> CatalogueProduct | None:
        return self._products.get(item_id)

    def departments(self, most: int) -> list[Category]:
        """The largest categories of the first level."""
        first = [category for category in self.categories.values() if LEVEL not in category.path]
        return sorted(first, key=lambda category: -category.size)[:most]

    def of_category(self, path: str) -> list[CatalogueProduct]:
        """The first products of a category and of those within it."""
        products = (each for each in self._products.values() if f"{each.category}{LEVEL}".startswith(f"{path}{LEVEL}"))
        return list(islice(products, MOST_FOUND))

    def search(self, text: str) -> list[str]:
        """Ids of the items that have every word of the text in title or brand; the last one may be unfinished."""
        words = WORD.findall(text.lower())
        if not words:
            return []
        matches = [set(self._having.get(word, ())) for word in words[:-1]]
        ends = (ids for word, ids in self._having.items() if word.startswith(words[-1]))
        matches.append({item_id for ids in ends for item_id in ids})
        return sorted(set.intersection(*matches))[:MOST_FOUND]


def _plain(text: str) -> str:
    """A text without the apostrophe that keeps spreadsheets from taking it for a formula."""
    return text[1:] if text[:1] == "'" and text[1:2] in {"=", "+", "-", "@"} else text


def _by_word(products: Iterable[CatalogueProduct]) -> dict[str, list[str]]:
    having = defaultdict(list)
    for product in products:
        for word in set(WORD.findall(f"{product.title} {product.brand}".lower())):
            having[word].append(product.item_id)
    return having


def _categories(products: Iterable[CatalogueProduct]) -> dict[str, Category]:
    sizes: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for product in products:
        levels = product.category.split(LEVEL) if product.category else []
        for depth in range(1, len(levels) + 1):
            path = LEVEL.join(levels[:depth])
            sizes[path] += 1
            examples.setdefault(path, product.item_id)
    categories = {path: Category(path=path, example=examples[path], size=size) for path, size in sizes.items()}
    for path in sorted(categories):
        parent = path.rpartition(LEVEL)[0]
        if parent:
            categories[parent].children.append(path)
    return categories
