"""Rows of an event file of which the columns show that they keep every rule, typed as the record has them.

What is not shown here goes the way of ``event_rows``, whose rules are the only law: a row may be left to them for
whatever reason, and none may be taken here that they would refuse or read otherwise.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recommendations import fields
from recommendations.event_types import NAMES, EventName, ItemNeed
from recommendations.store.imports.columnar.file_people import FilePeople
from recommendations.store.imports.columnar.line_numbers import Orders, number_lines
from recommendations.store.imports.columnar.texts import (
    NOTHING,
    Ids,
    Ints,
    Marks,
    column,
    decimal_column,
    decimals,
    event_ids,
    moments,
    short,
    whole_numbers,
)
from recommendations.store.imports.event_rows import RuleValues

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MONEY, QUANTITY = pa.decimal128(12, 2), pa.decimal128(10, 3)
ONE = 1000  # a quantity has three places
LARGEST_CENTS = int(fields.LARGEST_AMOUNT * 100)
SURE_PRODUCT = 4e18  # of cents and a quantity: it is a number of 64 bits
SURE_CENTS, SURE_QUANTITY = 10**10, 1000 * ONE  # PostgreSQL's quotient of these has places enough to be rounded once
LONGEST: Mapping[str, int] = {
    "event_id": fields.LONGEST_ID, "session_id": fields.LONGEST_ID, "transaction_id": fields.LONGEST_ID,
    "recommendation_id": 64, "search_term": 512,
}  # fmt: skip
RATED = pa.float64()
RATING_DIGITS, RATING_PLACES = 7, 6


@dataclass(frozen=True)
class Items:
    """The catalogue: ids of the shop, keys of ours, and their places in PostgreSQL's order of the ids."""

    shop_ids: pa.Array
    keys: NDArray[np.int64]
    orders: NDArray[np.int64]


@dataclass(frozen=True)
class ProvedRows:
    """Lines that were shown to keep every rule; ``rest``: rows that were not; ``numbers``: of the ids of all rows."""

    lines: pa.Table
    rest: Marks
    numbers: NDArray[np.uint64]


class EventColumns:
    """The proof of blocks of rows: their columns by name, text."""

    def __init__(
        self, values: RuleValues, items: Items, people: FilePeople, *, name_order: Callable[[str], int]
    ) -> None:
        self._values, self._items, self._people = values, items, people
        self._names = [str(name) for name in EventName]
        self._called = pa.array(list(NAMES), pa.string())
        codes = {name: code for code, name in enumerate(self._names)}
        self._codes = np.array([codes[NAMES[written]] for written in NAMES], np.int64)
        self._name_orders = np.array([name_order(name) for name in self._names], np.int64)

    def prove(self, text: Mapping[str, pa.Array]) -> ProvedRows:
        """Prove what can be proved of a block."""
        block = _Block(text)
        names = self._name(block)
        at = self._at(block)
        items = self._item(block, names)
        who = self._people.of(block.column("user_id"), block.column("anonymous_id"))
        block.good &= who.known
        ids = event_ids(block.column("event_id"))
        block.good &= ids.known
        self._texts(block, names)
        quantity, price, amount = _worth(block)
        ratings = _ratings(block, names)
        position = block.whole("position", most=fields.LAST_POSITION)
        told = (self._name_orders[names], _placed(self._items.orders, items), quantity, *block.given, position)
        orders = Orders(at, ids.bytes, *told, who.orders)
        line, repeated = number_lines(orders, ids, block.whole("line", most=fields.LAST_POSITION), block.good)
        keys = self._people.keys(who, block.good)
        rows = {
            "occurred_at": pa.array(at).cast(pa.timestamp("us", "UTC")), "event_id": _binary(ids),
            "line": column(line, pa.int16()), "name": pa.array(self._names).take(pa.array(names)),
            "customer_id": pa.array(keys.customers), "item_id": column(_placed(self._items.keys, items), pa.int64()),
            "quantity": decimal_column(quantity, QUANTITY), "price": decimal_column(price, MONEY),
            "amount": decimal_column(amount, MONEY), **ratings, "position": column(position, pa.int16()),
            **{name: block.column(name) for name in LONGEST if name != "event_id"},
        }  # fmt: skip
        table = pa.table(rows).filter(pa.array(block.good & ~repeated))
        self._people.note_pairs(keys, at, block.good)
        return ProvedRows(table, ~block.good, ids.numbers[ids.there])

    def _name(self, block: "_Block") -> Ints:
        """Codes of the rows' types; where there is none, 0, and the row is not good."""
        places = pc.index_in(block.column("name"), self._called)
        block.good &= pc.is_valid(places).to_numpy(zero_copy_only=False)
        codes: Ints = self._codes[pc.fill_null(places, 0).to_numpy(zero_copy_only=False)]
        return codes

    def _at(self, block: "_Block") -> Ints:
        at = moments(block.column("timestamp"))
        values = self._values
        bounds = max(values["earliest"], values["kept_from"], values["after_closed"]), values["latest"]
        first, last = ((each - EPOCH) // timedelta(microseconds=1) for each in bounds)
        block.good &= at.known & (at.values >= first) & (at.values <= last)
        return at.values

    def _item(self, block: "_Block", names: Ints) -> Ints:
        """Places of the rows' items in the catalogue."""
        text = block.column("item_id")
        places = pc.fill_null(pc.index_in(text, self._items.shop_ids), NOTHING).to_numpy(zero_copy_only=False)
        needed = self._of_types(lambda name: name.facts.item is ItemNeed.REQUIRED)
        empty = pc.is_null(text).to_numpy(zero_copy_only=False)
        block.good &= np.where(empty, ~needed[names], places != NOTHING)
        placed: Ints = places.astype(np.int64)
        return placed

    def _texts(self, block: "_Block", names: Ints) -> None:
        for name, most in LONGEST.items():
            block.good &= short(block.column(name), most=most)
        for name in ("transaction_id", "search_term"):
            needed = self._of_types(partial(_needs, name))[names]
            if needed.any():
                block.good &= ~needed | pc.is_valid(block.column(name)).to_numpy(zero_copy_only=False)
        block.good &= ~self._of_types(partial(_needs, "target_id"))[names]
        for name in ("target_type", "target_id"):
            block.good &= pc.is_null(block.column(name)).to_numpy(zero_copy_only=False)
        currency = block.column("currency")
        if currency.null_count < len(currency):
            same = pc.fill_null(pc.equal(currency, self._values["currency"]), fill_value=True)
            block.good &= same.to_numpy(zero_copy_only=False)

    def _of_types(self, holds: Callable[[EventName], bool]) -> Marks:
        """Whether something holds of a type, by the types' codes."""
        return np.array([holds(name) for name in EventName])


class _Block:
    """Columns of a block by name, and which of its rows are good so far; ``given``: its prices and amounts."""

    def __init__(self, text: Mapping[str, pa.Array]) -> None:
        self._text = text
        self.count = len(next(iter(text.values())))
        self.good = np.ones(self.count, bool)
        self.given: tuple[Ints, Ints]
        self._nothing = pa.nulls(self.count, pa.string())

    def column(self, name: str) -> pa.Array:
        return self._text.get(name, self._nothing)

    def whole(self, name: str, *, most: int) -> Ints:
        read = whole_numbers(self.column(name), most=most)
        self.good &= read.known
        return read.values

    def decimal(self, name: str, *, whole: int, places: int) -> Ints:
        read = decimals(self.column(name), whole=whole, places=places)
        self.good &= read.known
        return read.values


def _needs(field: str, name: EventName) -> bool:
    return field in name.facts.fields


def _worth(block: _Block) -> tuple[Ints, Ints, Ints]:
    """Quantities in thousandths, prices and amounts in cents; what follows from the two others is filled in."""
    quantity = block.decimal("quantity", whole=7, places=3)
    block.good &= (quantity == NOTHING) | ((quantity >= 1) & (quantity <= 1_000_000 * ONE))
    price, amount = (block.decimal(name, whole=10, places=2) for name in ("price", "amount"))
    block.given = price, amount
    if (price == NOTHING).all() and (amount == NOTHING).all():
        return quantity, price, amount
    times = np.where(quantity == NOTHING, ONE, quantity)
    priced, told = price != NOTHING, amount != NOTHING
    block.good &= ~priced | (price.astype(np.float64) * times < SURE_PRODUCT)
    product = (price * times * 2 + ONE) // (2 * ONE)
    block.good &= ~priced | (product <= LARGEST_CENTS)
    only_told = told & ~priced & (times != ONE)
    block.good &= ~only_told | ((amount < SURE_CENTS) & (times <= SURE_QUANTITY) & (times % ONE == 0))
    units = np.maximum(times // ONE, 1)
    quotient = (amount * 2 + units) // (2 * units)
    filled_price = np.where(priced, price, np.where(told, np.where(times == ONE, amount, quotient), NOTHING))
    filled_amount = np.where(told, amount, np.where(priced, product, NOTHING))
    return quantity, filled_price, filled_amount


def _ratings(block: _Block, names: Ints) -> dict[str, pa.Array]:
    """Ratings with their scales and shares that were played, as doubles."""
    form = {"whole": RATING_DIGITS, "places": RATING_PLACES}
    rating, scale = block.decimal("rating", **form), block.decimal("rating_scale", **form)
    unit, most = 10**RATING_PLACES, 1_000_000 * 10**RATING_PLACES
    needed = np.array(["rating" in name.facts.fields for name in EventName])[names]
    both = (rating != NOTHING) & (scale != NOTHING)
    block.good &= (rating <= most) & (scale <= most) & (~needed | both) & (scale != 0) & (~both | (rating <= scale))
    progress = block.decimal("progress", whole=1, places=RATING_PLACES)
    block.good &= progress <= unit
    texts = {"rating": rating, "rating_scale": scale, "progress": progress}
    good = pa.array(block.good)
    return {
        name: pa.nulls(block.count, RATED)
        if (values == NOTHING).all()
        else pc.if_else(good, block.column(name), pa.scalar(None, pa.string())).cast(RATED)
        for name, values in texts.items()
    }


def _placed(values: NDArray[np.int64], places: Ints) -> Ints:
    """Values at places, ``NOTHING`` where there is no place."""
    if not len(values):
        return np.full(len(places), NOTHING, np.int64)
    return np.where(places == NOTHING, NOTHING, values[places])


def _binary(ids: Ids) -> pa.Array:
    return pa.Array.from_buffers(pa.binary(16), len(ids.bytes), [None, pa.py_buffer(np.ascontiguousarray(ids.bytes))])
