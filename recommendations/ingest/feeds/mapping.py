"""Rows of a feed, field by field under the file's own names, as rows of our columns."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from recommendations.ingest.feeds import values
from recommendations.ingest.feeds.synonyms import ATTRIBUTE, SALE_DATES, SALE_PRICE, Target, target_of
from recommendations.store.imports.csv_rows import FileRow, storable, text_fault
from recommendations.store.imports.item_rows import FORM
from recommendations.store.imports.table_files import Header, UnreadableFileError, named

MONEY = ("price", "original_price", "cost", SALE_PRICE)
PLACES: Mapping[str, int] = {name: place for place, name in enumerate(FORM.known)}

type Fields = Mapping[str, str]
"""The file's own name of a field → its text."""


class RawRow(NamedTuple):
    line: int
    fields: Fields


@dataclass(frozen=True, kw_only=True)
class ReadingPlan:
    """How a file is to be read: the columns that its names cannot tell, and the moment at which sales go on."""

    now: datetime
    maps: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, ours in self.maps.items():
            if ours not in FORM.known and not (ours.startswith(ATTRIBUTE) and len(ours) > len(ATTRIBUTE)):
                text = _("--map %(name)s=%(ours)s: there is no column %(ours)s. Those of an item are %(known)s.")
                known = ", ".join([*FORM.known, f"{ATTRIBUTE}…"])
                raise UnreadableFileError(text % {"name": name, "ours": ours, "known": known})


class Mapper:
    """Turns rows of a file into rows of ours, and remembers which names of the file it saw and what they meant."""

    def __init__(self, plan: ReadingPlan, *, also: Mapping[str, str] | None = None) -> None:
        self._plan = plan
        self._also = also or {}
        self._targets: dict[str, Target | None] = {}

    def learn(self, names: Iterable[str]) -> None:
        """Look names up before there is a row."""
        for name in names:
            self._target(name)

    @property
    def columns(self) -> set[str]:
        """Our columns that have been given, those that follow from others with them."""
        seen = {_column(target.name) for target in self._targets.values() if target}
        if "price" in seen and any(target and target.name == SALE_PRICE for target in self._targets.values()):
            seen.add("original_price")
        return seen - {""}

    @property
    def ignored(self) -> list[str]:
        return [name for name, target in self._targets.items() if target is None]

    @property
    def names(self) -> dict[str, list[str]]:
        """Our column → the file's names for it, the first of which counts."""
        met = sorted(
            (target.name != SALE_PRICE, target.rank, name, target) for name, target in self._targets.items() if target
        )
        columns: dict[str, list[str]] = {}
        for _follows, _rank, name, target in met:
            if column := _column(target.name):
                columns.setdefault(column, []).append(name)
        if "original_price" in self.columns:
            columns.setdefault("original_price", [name for _follows, _rank, name, each in met if each.name == "price"])
        return columns

    def meaning(self, name: str) -> str:
        """What a column of the file is, also where it only says how another one is to be understood; "" for nothing."""
        target = self._target(name)
        return target.name if target else ""

    def settle(self, header: Header, *, file: str) -> Header:
        """The header with those columns alone that the rows really had. Raises UnreadableFileError."""
        met = {*self._targets, *(name.removeprefix("g:") for name in self._targets)}
        if unknown := [name for name in self._plan.maps if name not in met]:
            text = _("%(file)s has no column %(names)s that --map could mean. It has %(present)s.")
            raise UnreadableFileError(
                text % {"file": file, "names": named(unknown), "present": named(list(self._targets))}
            )
        columns = self.columns
        check_needed(columns, present=list(self._targets), file=file)
        places = {name: place for name, place in header.places.items() if name in columns}
        own = {
            name: ", ".join(each.removeprefix(ATTRIBUTE) for each in theirs)
            for name, theirs in self.names.items()
            if theirs != [name]
        }
        if "currency" not in columns and "price" in columns:
            own["currency"] = own.get("price", "price")  # it stands beside the amount
        return Header(places=places, ignored=self.ignored, own=own)

    def row(self, line: int, fields: Fields) -> FileRow:
        """A row of ours; ``values`` are in the order of the form."""
        best: dict[str, tuple[int, str]] = {}
        for name, text in fields.items():
            target = self._targets[name] if name in self._targets else self._target(name)
            if target is None or not text:
                continue
            if target.name == "categories" and target.rank > 0 and text.isdigit():
                continue  # a number of Google's own taxonomy
            held = best.get(target.name)
            if held is None or target.rank < held[0]:
                best[target.name] = (target.rank, text)
        ours = {name: text for name, (_rank, text) in best.items()}
        if fault := next((flaw for name, text in ours.items() if (flaw := text_fault(name, text))), None):
            return FileRow(line, [], fault, storable(", ".join(f"{key}={value}" for key, value in ours.items())))
        if "url" in best and best["url"][0] != 0:  # an address under our own name is for us, with whatever it says
            ours["url"] = values.without_advertising(ours["url"])
        self._convert(ours)
        return FileRow(line, [ours.get(name) for name in FORM.known])

    def _target(self, name: str) -> Target | None:
        if name not in self._targets:
            maps = self._plan.maps
            explicit = maps.get(name) or maps.get(name.removeprefix("g:")) or self._also.get(name)
            self._targets[name] = Target(explicit, -1) if explicit else target_of(name)
        return self._targets[name]

    def _convert(self, ours: dict[str, str]) -> None:
        """Bring values into our spelling, and work out what follows from several of them."""
        codes = set()
        for name in MONEY:
            if name in ours:
                ours[name], code = values.money(ours[name])
                codes.add(code)
        codes.discard(None)
        if codes and "currency" in ours:
            codes.add(ours["currency"])
        if codes:
            ours["currency"] = "/".join(sorted(code for code in codes if code))
        sale, dates = ours.pop(SALE_PRICE, None), ours.pop(SALE_DATES, "")
        if sale and (not dates or values.sale_goes_on(dates, now=self._plan.now)):
            if "price" in ours:
                ours.setdefault("original_price", ours["price"])
            ours["price"] = sale
        if "availability" in ours:
            ours["availability"] = values.availability(ours["availability"])
        if attributes := [name for name in ours if name.startswith(ATTRIBUTE)]:
            _fold_attributes(ours, attributes)


def check_needed(columns: Iterable[str], *, present: Sequence[str], file: str) -> None:
    """Raise UnreadableFileError where a file lacks a column that every item needs."""
    if missing := [name for name in FORM.needed if name not in columns]:
        text = _(
            "%(file)s, line 1: the column %(names)s is missing. The file has %(present)s; it may have %(known)s. If "
            "it has another name, manage.py import_items takes it: --map NAME=%(first)s"
        )
        words = {"file": file, "names": named(missing), "present": named(present), "known": ", ".join(FORM.known)}
        raise UnreadableFileError(text % {**words, "first": missing[0]})


def _column(target: str) -> str:
    """The column of the form that a target fills; "" for one that only says how another is to be understood."""
    if target.startswith(ATTRIBUTE):
        return "attributes"
    return {SALE_PRICE: "price", SALE_DATES: ""}.get(target, target)


def _fold_attributes(ours: dict[str, str], names: Sequence[str]) -> None:
    """Put fields that are attributes into the item's object; one that is none stays, and is refused."""
    extra = {name.removeprefix(ATTRIBUTE): ours.pop(name) for name in names}
    try:
        held = json.loads(ours.get("attributes") or "{}")
    except (ValueError, RecursionError):
        return
    if isinstance(held, dict):
        ours["attributes"] = json.dumps({**extra, **held}, ensure_ascii=False)
