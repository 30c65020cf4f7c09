"""Stock of the shop, held by every serving process: a row per item, in the order of the primary keys."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from hashlib import blake2b
from typing import Any, NamedTuple, Self

import msgspec
import numpy as np
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, QuerySet
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, IntArray
from recommendations.engine.ids import IdMap
from recommendations.models import Item
from recommendations.store.serving.word_index import WordIndex
from recommendations.terms import Availability, ItemKind


class Product(NamedTuple):
    """What an answer shows of an item."""

    item: int
    shop_id: str
    title: str
    brand: str
    price: Decimal | None
    image_url: str
    url: str
    parent_id: str | None = None  # the shop's id of the item that it is a variant of

    @property
    def text(self) -> str:
        """What a search looks through."""
        return f"{self.title} {self.brand}"


class StockRow(NamedTuple):
    """An item as it is read: the fields of ``Product`` first."""

    pk: int
    shop_id: str
    title: str
    brand: str
    price: Decimal | None
    image_url: str
    url: str
    parent_id: str | None
    availability: str
    available_quantity: int | None
    available_at: datetime | None
    expires_at: datetime | None
    retired_at: datetime | None
    listed_at: datetime
    updated_at: datetime
    of_categories: list[int]
    kind: str = ItemKind.PRODUCT.value
    creator: str = ""
    collection: str = ""
    number: int | None = None

    @property
    def is_offered(self) -> bool:
        """Whether it may be shown in its time of sale: not retired, and not known to be out of stock."""
        if self.retired_at or self.availability == Availability.OUT_OF_STOCK:
            return False
        return self.availability != Availability.IN_STOCK or self.available_quantity != 0


PARENT = StockRow._fields.index("parent_id")
OF_WORKS = [*StockRow._field_defaults.values()]  # what is not said of goods
COLUMNS = tuple("parent__shop_id" if name == "parent_id" else name for name in StockRow._fields)
DEEPEST = 3  # rounds in which parents are followed, twice as far each time
EPOCH = datetime.fromtimestamp(0, UTC)
FACTS = np.dtype(
    [
        ("offered", np.bool_),
        ("in_stock", np.bool_),
        ("starts", np.float64),  # moments are seconds since 1970-01-01 UTC
        ("ends", np.float64),
        ("listed", np.float64),
        ("price", np.float64),  # NaN where unknown
        ("brand", np.int32),
        ("kind", np.int32),  # number of the set of categories
        ("parent", np.int32),  # row of the item that it is a variant of, −1: of none
        ("creator", np.int32),
        ("collection", np.int32),
        ("number", np.int64),  # its place in the collection, 0 where unknown
        ("episode", np.bool_),
    ]
)


@dataclass(kw_only=True, eq=False)
class Stock:
    """Items by row; never changed once it is made: ``updated`` gives the next one."""

    ids: IdMap
    products: list[Product]
    row_of: Mapping[str, int]  # the shop's id → row
    facts: NDArray[np.void]  # a record of ``FACTS`` per row
    brands: dict[Hashable, int]  # brand → its number
    kinds: dict[Hashable, int]  # categories (primary keys, ascending) → the number of the set
    creators: dict[Hashable, int]  # creator → its number
    collections: dict[Hashable, int]  # likewise
    words: WordIndex  # of title and brand
    edits: Mapping[int, datetime] = field(default_factory=dict)  # primary key → time of the last one that is here
    marks: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))  # hash of each row
    _sellable: tuple[float, float, BoolArray] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, rows: Sequence[StockRow]) -> Self:
        """Stock of ``rows``, which are in the order of their keys."""
        nothing = cls(
            ids=IdMap(ids=np.empty(0, np.int64)), products=[], row_of={}, facts=np.empty(0, FACTS), brands={}, kinds={},
            creators={}, collections={}, words=WordIndex.of([]),
        )  # fmt: skip
        return nothing.updated(rows)

    def __len__(self) -> int:
        return len(self.products)

    @cached_property
    def mark(self) -> int:
        """XOR of the hashes of all rows: stocks of one mark say the same of the same items."""
        return int(np.bitwise_xor.reduce(self.marks)) if len(self) else 0

    @cached_property
    def newest(self) -> IntArray:
        """All rows, the one that was listed last first."""
        return np.argsort(-self.column("listed"), kind="stable").astype(np.int32)

    @cached_property
    def parts(self) -> IntArray:
        """Rows of the items that have a number in a collection, ascending."""
        unnamed = self.collections.get("", -1)
        return np.flatnonzero((self.column("number") > 0) & (self.column("collection") != unnamed)).astype(np.int32)

    def has_collection(self, row: int) -> bool:
        return bool(self.column("collection")[row] != self.collections.get("", -1))

    @cached_property
    def families(self) -> IntArray | None:
        """The product of each row: the row that it is a variant of, else its own; None where nothing has variants."""
        own, parent = np.arange(len(self), dtype=np.int32), self.column("parent")
        families: IntArray = np.where((parent >= 0) & (parent < len(self)), parent, own)
        if np.array_equal(families, own):
            return None
        for _ in range(DEEPEST):  # a variant of a variant, whatever sense that makes, is one of the first
            families = families[families]
        return families

    def mark_at(self, key: int) -> int:
        """Hash of the row of an item by its key; 0 where there is none."""
        row = self.ids.row(key)
        return int(self.marks[row]) if row >= 0 else 0

    def rows_of(self, items: Sequence[int]) -> IntArray:
        """Rows of the items, by key, that there are."""
        rows = self.ids.rows(np.array(items, np.int64))
        return rows[rows >= 0]

    def column(self, name: str) -> NDArray[Any]:
        return np.asarray(self.facts[name])

    def sellable(self, at: datetime) -> BoolArray:
        """Mask by row of what may be shown at a moment; the same array until the next sale starts or ends."""
        now = at.timestamp()
        held = self._sellable
        if held is None or not held[0] <= now < held[1]:
            starts, ends = self.column("starts"), self.column("ends")
            borders = np.concatenate([starts, ends])
            since = float(borders[borders <= now].max(initial=-np.inf))
            until = float(borders[borders > now].min(initial=np.inf))
            held = since, until, self.column("offered") & (starts <= now) & (ends > now)
            self._sellable = held
        return held[2]

    def first(self, n: int) -> Self:
        """The stock of the first n rows, as it was before the others came."""
        keys = self.ids.ids[:n]
        return type(self)(
            ids=IdMap(ids=keys), products=self.products[:n],
            row_of={product.shop_id: row for row, product in enumerate(self.products[:n])}, facts=self.facts[:n],
            brands=self.brands, kinds=self.kinds, creators=self.creators, collections=self.collections,
            words=self.words.first(n), edits=self.edits, marks=self.marks[:n],
        )  # fmt: skip

    def updated(self, rows: Sequence[StockRow]) -> Self:
        """The stock with these rows for the old ones, and new ones at the end: their keys must be above all others."""
        groups = _Groups(*map(dict, (self.brands, self.kinds, self.creators, self.collections)))
        products, row_of = list(self.products), dict(self.row_of)
        keys = np.fromiter((row.pk for row in rows), np.int64, len(rows))
        at = self.ids.rows(keys)
        new = np.flatnonzero(at < 0)
        at[new] = len(self) + np.arange(len(new))
        facts = np.concatenate([self.facts, np.empty(len(new), FACTS)])
        facts[at] = np.array([_facts(row, groups) for row in rows], FACTS)
        edited = {}
        for place, row in zip(at.tolist(), rows, strict=True):
            product = Product._make(row[: len(Product._fields)])
            if place >= len(self) or self.products[place].text != product.text:
                edited[place] = product.text
            products[place : place + 1] = [product]
            row_of[row.shop_id] = place
        facts["parent"][at] = [row_of.get(row.parent_id or "", -1) for row in rows]
        ids = IdMap(ids=np.concatenate([self.ids.ids, keys[new]]))
        edits = {**self.edits, **{row.pk: row.updated_at for row in rows}}
        marks = np.concatenate([self.marks, np.empty(len(new), np.uint64)])
        marks[at] = [mark_of(row) for row in rows]
        words = self.words.updated(edited, texts=(product.text for product in products), n=len(products))
        return type(self)(
            ids=ids, products=products, row_of=row_of, facts=facts, **groups._asdict(), words=words, edits=edits,
            marks=marks,
        )  # fmt: skip


def mark_of(row: StockRow) -> int:
    """Hash what a row says of an item, when it was edited aside, to 64 bits (BLAKE2b).

    That of an item without a parent is what it was before there were variants, and that of goods what it was before
    there were works, so that past stocks keep their marks.
    """
    facts = list(row._replace(updated_at=EPOCH, of_categories=sorted(row.of_categories)))
    if facts[-len(OF_WORKS) :] == OF_WORKS:
        del facts[-len(OF_WORKS) :]
    if row.parent_id is None:
        del facts[PARENT]
    return int.from_bytes(blake2b(msgspec.msgpack.encode(facts), digest_size=8).digest(), "big")


def stock_rows(*, only: Sequence[int] | None = None) -> list[StockRow]:
    """The items as the record has them, or those of these keys, in the order of their keys."""
    return _rows(Item.objects.all() if only is None else Item.objects.filter(pk__in=only))


def load_stock() -> Stock:
    return Stock.of(stock_rows())


def with_changes(stock: Stock, *, since: datetime) -> Stock:
    """The stock with the items edited at this moment or later; the same one where there is no edit that it lacks."""
    rows = [row for row in _rows(Item.objects.changed_since(since)) if stock.edits.get(row.pk) != row.updated_at]
    new = [row.pk for row in rows if row.shop_id not in stock.row_of]
    if new and len(stock) and new[0] < stock.ids.ids[-1]:  # committed after an item with a higher key
        return load_stock()
    return stock.updated(rows) if rows else stock


def of_categories(stock: Stock, wanted: frozenset[int]) -> BoolArray:
    """Mask by row of the items in one of these categories."""
    numbers = np.fromiter((not wanted.isdisjoint(kind) for kind in stock.kinds), np.bool_)  # type: ignore[arg-type]
    return np.asarray(numbers[stock.column("kind")])


def of_brands(stock: Stock, wanted: Sequence[str]) -> BoolArray:
    return _of_named(stock, "brand", stock.brands, wanted)


def of_creators(stock: Stock, wanted: Sequence[str]) -> BoolArray:
    return _of_named(stock, "creator", stock.creators, wanted)


def of_collections(stock: Stock, wanted: Sequence[str]) -> BoolArray:
    return _of_named(stock, "collection", stock.collections, wanted)


def _of_named(stock: Stock, column: str, numbers: Mapping[Hashable, int], wanted: Sequence[str]) -> BoolArray:
    """Mask by row of the items with one of these names; "" is the name of none."""
    rows: IntArray = np.array([numbers.get(name, -1) for name in wanted if name], np.int32)
    return np.isin(stock.column(column), rows)


def _rows(items: QuerySet[Item]) -> list[StockRow]:
    categorised = Q(categories__isnull=False)
    annotated = items.annotate(of_categories=ArrayAgg("categories", filter=categorised, default=[])).order_by("pk")
    return [StockRow._make(row) for row in annotated.values_list(*COLUMNS)]


class _Groups(NamedTuple):
    """The numbers of the groups of a stock, to which new ones are added."""

    brands: dict[Hashable, int]
    kinds: dict[Hashable, int]
    creators: dict[Hashable, int]
    collections: dict[Hashable, int]


def _facts(row: StockRow, groups: _Groups) -> tuple[object, ...]:
    return (
        row.is_offered,
        row.is_offered and row.availability == Availability.IN_STOCK,
        row.available_at.timestamp() if row.available_at else -np.inf,
        row.expires_at.timestamp() if row.expires_at else np.inf,
        row.listed_at.timestamp(),
        np.nan if row.price is None else float(row.price),
        groups.brands.setdefault(row.brand, len(groups.brands)),
        groups.kinds.setdefault(tuple(sorted(row.of_categories)), len(groups.kinds)),
        -1,
        groups.creators.setdefault(row.creator, len(groups.creators)),
        groups.collections.setdefault(row.collection, len(groups.collections)),
        row.number or 0,
        row.kind == ItemKind.EPISODE,
    )
