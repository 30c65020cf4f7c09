"""Validation of a shop's item rows: the rules that they keep, and their values as the catalogue stores them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from django.conf import settings
from django.utils.translation import gettext as _
from msgspec import UNSET

from recommendations.fields import ADDRESSES, EARLIEST, LARGEST_AMOUNT, LONGEST_ID, LONGEST_TEXT
from recommendations.ingest.event_validation import foreign_text, rounded
from recommendations.ingest.refusal import Refusal
from recommendations.services.catalogue.item_schema import ItemChanges, RatingForm
from recommendations.store.imports.item_rows import OURS, category_path
from recommendations.store.imports.reasons import REASONS

LAST = datetime(3000, 1, 1, tzinfo=UTC)
_THEIRS = {ours: name for name, ours in OURS.items() if ours in {"available_at", "expires_at"}}
"""Fields of a row by columns that are called otherwise; what only files call otherwise is not among them."""
DEEPEST = 20  # levels of attributes
APART = "|"  # what separates categories and tags in files of the catalogue


class BrokenRuleError(ValueError):
    """The value breaks a rule of the catalogue; the pointer starts at the row."""

    def __init__(self, pointer: str, reason: object) -> None:
        super().__init__(str(reason))
        self.refusal = Refusal(pointer, str(reason))


def checked_id(shop_id: str, pointer: str) -> str:
    if not 0 < len(shop_id) <= LONGEST_ID:
        raise BrokenRuleError(pointer, _("An item's id has 1 to %(most)s characters.") % {"most": LONGEST_ID})
    return _without_nul(shop_id, pointer)


def fields_of(form: ItemChanges) -> dict[str, Any]:
    """Columns of ``item_upsert.COLUMNS`` that the row gives, the parent as its shop's id in ``parent``; None empties.

    Raises BrokenRuleError with the first rule that is broken.
    """
    fields: dict[str, Any] = {}
    for name, read in _READERS.items():
        value = getattr(form, name)
        if value is not UNSET:
            fields |= read(value, f"/{name}", name)
    check_times(fields)
    return fields


def checked_column(name: str, value: Any) -> Any:
    """The value of a column as the catalogue stores it. Raises BrokenRuleError as for a row that gives it."""
    return _READERS[_THEIRS.get(name, name)](value, f"/{name}", _THEIRS.get(name, name))[name]


def check_times(fields: Mapping[str, Any]) -> None:
    start, end = fields.get("available_at"), fields.get("expires_at")
    if start is not None and end is not None and start >= end:
        raise BrokenRuleError("/expire_time", REASONS["available_after_end"])


def _text(value: str | None, pointer: str, name: str) -> dict[str, Any]:
    return {name: value and _without_nul(value.strip(), pointer)}


def _title(value: str, pointer: str, name: str) -> dict[str, Any]:
    if not value.strip():
        raise BrokenRuleError(pointer, REASONS["missing"])
    return _text(value, pointer, name)


def _same(value: Any, _pointer: str, name: str) -> dict[str, Any]:
    return {name: value}


def _money(value: Decimal | None, pointer: str, name: str) -> dict[str, Any]:
    if value is None:
        return {name: None}
    if not value.is_finite():
        raise BrokenRuleError(pointer, REASONS["not_a_number"])
    if value < 0:
        raise BrokenRuleError(pointer, REASONS["negative_price"])
    if value > LARGEST_AMOUNT:
        raise BrokenRuleError(pointer, REASONS["too_large"])
    return {name: rounded(value)}


def _currency(value: str | None, pointer: str, _name: str) -> dict[str, Any]:
    if value is not None and value != settings.SHOP_CURRENCY:
        raise BrokenRuleError(pointer, foreign_text())
    return {}


def _moment(value: datetime | None, pointer: str, name: str) -> dict[str, Any]:
    if value is not None and not EARLIEST <= value < LAST:
        raise BrokenRuleError(pointer, _("A time must be between 1990 and 2999; omit it where there is none."))
    return {OURS.get(name, name): value and value.astimezone(UTC)}


def _address(value: str | None, pointer: str, name: str) -> dict[str, Any]:
    text = (value or "").strip()
    if text and not text.lower().startswith(ADDRESSES):
        raise BrokenRuleError(pointer, REASONS["not_a_url"])
    return _text(text, pointer, name)


def _categories(value: Sequence[str] | None, pointer: str, name: str) -> dict[str, Any]:
    paths = [_path(text, f"{pointer}/{place}") for place, text in enumerate(value or ())]
    return {name: sorted(set(paths))}


def _path(text: str, pointer: str) -> str:
    """Path of a category in our spelling. Raises BrokenRuleError."""
    path = category_path(_without_nul(text, pointer))
    if path is None:
        raise BrokenRuleError(pointer, REASONS["bad_category"])
    return _not_apart(path, pointer)


def _tags(value: Sequence[str] | None, pointer: str, name: str) -> dict[str, Any]:
    tags = []
    for place, text in enumerate(value or ()):
        tag = _not_apart(_without_nul(text.strip(), f"{pointer}/{place}"), f"{pointer}/{place}")
        if not tag:
            raise BrokenRuleError(f"{pointer}/{place}", REASONS["missing"])
        tags.append(tag)
    return {name: list(dict.fromkeys(tags))}


def _attributes(value: dict[str, Any] | None, pointer: str, name: str) -> dict[str, Any]:
    _check_depth(value, pointer)
    if len(msgspec.json.encode(value)) > LONGEST_TEXT:  # bytes
        raise BrokenRuleError(pointer, REASONS["too_long"])
    return {name: value}


def _check_depth(value: Any, pointer: str) -> None:
    """Check depth and texts, without recursion: a body may be nested more deeply than Python can call."""
    due = [(value, 0)]
    while due:
        part, depth = due.pop()
        if isinstance(part, str):
            _without_nul(part, pointer)
        elif isinstance(part, dict | list):
            if depth >= DEEPEST:
                raise BrokenRuleError(pointer, _("Attributes are nested at most %(most)s levels.") % {"most": DEEPEST})
            inner = [*part, *part.values()] if isinstance(part, dict) else part
            due += [(each, depth + 1) for each in inner]


def _rating(value: RatingForm | None, _pointer: str, _name: str) -> dict[str, Any]:
    given = value or RatingForm()
    return {"rating_average": given.average, "rating_count": given.count}


def _parent(value: str | None, pointer: str, _name: str) -> dict[str, Any]:
    return {"parent": value and checked_id(value, pointer)}


def _without_nul(text: str, pointer: str) -> str:
    if "\x00" in text:
        raise BrokenRuleError(pointer, REASONS["nul"])
    return text


def _not_apart(text: str, pointer: str) -> str:
    if APART in text:
        raise BrokenRuleError(pointer, _("Categories and tags cannot contain |, which separates them in files."))
    return text


_READERS: Mapping[str, Callable[[Any, str, str], dict[str, Any]]] = {
    "title": _title, "description": _text, "brand": _text, "categories": _categories, "price": _money,
    "original_price": _money, "cost": _money, "currency": _currency, "availability": _same, "available_quantity": _same,
    "available_time": _moment, "expire_time": _moment, "image_url": _address, "url": _address, "tags": _tags,
    "attributes": _attributes, "creator": _text, "collection": _text, "number": _same, "duration": _same,
    "published_at": _moment, "language": _text, "rating": _rating, "kind": _same, "parent_id": _parent,
}  # fmt: skip
