"""How JSON of another system becomes events of ours: fields by a table, with the place that each stood at."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from recommendations.ingest.refusal import escaped
from recommendations.store.events.pseudonyms import first_pseudonym

type Json = Mapping[str, Any]
type Table = Mapping[str, tuple[str, ...]]
"""Our field → where it may stand with them, the best first; dots lead into objects."""


@dataclass
class Call:
    """A row of a foreign body as an event of ours, in JSON that is not decoded yet.

    ``places``: our pointers and theirs, from the row. ``is_person``: it says who somebody is, and of no act.
    ``unused``: what a call is called that nothing is learned from; ``is_strange``: the row is none of the system's.
    """

    pointer: str
    event: Any
    places: dict[str, str] = field(default_factory=dict)
    unused: str = ""
    is_person: bool = False
    is_strange: bool = False
    properties: dict[str, Any] = field(default_factory=dict)

    def place(self, pointer: str) -> str:
        """Their pointer of one of ours, from the body; of what they have no field for, that of the row."""
        rest = pointer
        while rest:
            if rest in self.places:
                return f"{self.pointer}{self.places[rest]}{pointer[len(rest) :]}"
            rest = rest.rpartition("/")[0]
        return self.pointer


class Options(NamedTuple):
    """What the address of a call says: which of a product's ids the catalogue has, and what kind of call it is."""

    item_id: str = ""
    kind: str = ""
    topic: str = ""


type Reader = Callable[[Any, datetime, Options], Iterable[Call]]
"""Reads a decoded body, at a moment."""


def at(row: Any, path: str) -> Any:
    """What stands at a path; None where there is nothing, or something empty."""
    value = _inside(row, path)
    return None if value in ("", [], {}) else value


def first(row: Any, paths: Iterable[str]) -> Any:
    """What stands at the first of the paths at which there is anything."""
    return next((value for path in paths if (value := at(row, path)) is not None), None)


def lacks(row: Any, names: Iterable[str]) -> bool:
    """Whether a row is an object without any of these fields."""
    return isinstance(row, Mapping) and row.keys().isdisjoint(names)


def gathered(row: Any, table: Table) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields of a table that a row has, and where they stood; of the others where they might have stood."""
    fields: dict[str, Any] = {}
    places: dict[str, str] = {}
    for name, paths in table.items():
        place = next((path for path in paths if at(row, path) is not None), None)
        places[f"/{name}"] = _pointer(place or paths[0])
        if place is not None:
            fields[name] = at(row, place)
    return fields, places


def lines(products: Any, table: Table, *, pointer: str) -> tuple[list[Any], dict[str, str]]:
    """The items of a list of products, and where their fields stood; what is no list stays, and is refused."""
    if not isinstance(products, list):
        return ([] if products is None else products), {"/items": pointer}
    items, places = [], {"/items": pointer}
    for number, product in enumerate(products):
        if isinstance(product, Mapping):
            item, stood = gathered(product, table)
            places |= {f"/items/{number}{name}": f"{pointer}/{number}{place}" for name, place in stood.items()}
        else:
            item = product
        places[f"/items/{number}"] = f"{pointer}/{number}"
        items.append(item)
    return items, places


def beside(items: Any, products: Any) -> Iterable[tuple[Any, Any]]:
    """Items with the products that they were made of; nothing where those are no list."""
    return zip(items, products, strict=True) if isinstance(products, list) else ()


def item_ids(table: Table, wanted: str) -> Table:
    """A table of products whose id is only taken from the field that the address names."""
    return {**table, "item_id": (wanted,)} if wanted else table


def made_key(source: str, row: Any, *, now: datetime | None = None) -> str:
    """An id for an event that has none: by what it says and, where it does not say when, by the moment of arrival."""
    said = msgspec.json.encode([source, _sized(row), now], order="deterministic")
    return f"{source}:{sha256(said).hexdigest()[:40]}"


def hidden(*parts: object) -> str:
    """A name for a transaction that has none, which does not tell the ids that it is made of.

    The first key makes it, so that it is the same in every generation.
    """
    return first_pseudonym("\x1f".join(map(str, parts))).hex()[:32]


def rows_of(body: Any, *names: str) -> Sequence[tuple[str, Any]]:
    """The rows of a list under one of the names, each with its pointer; the body itself where there is none."""
    for name in names:
        rows = _inside(body, name)
        if isinstance(rows, list):
            return [(f"{_pointer(name)}/{number}", row) for number, row in enumerate(rows)]
    return [("", body)]


def _inside(row: Any, path: str) -> Any:
    for name in path.split("."):
        row = row.get(name) if isinstance(row, Mapping) else None
    return row


def _pointer(path: str) -> str:
    return "".join(f"/{escaped(name)}" for name in path.split("."))


def _sized(value: Any) -> Any:
    """A value whose numbers fit into 64 bits: larger ones are texts."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    if isinstance(value, Mapping):
        return {name: _sized(inner) for name, inner in value.items()}
    return [_sized(inner) for inner in value] if isinstance(value, list) else value


def as_json(event: Any) -> bytes:
    return msgspec.json.encode(_sized(event))
