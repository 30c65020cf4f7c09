"""The attribute builder: conditions as plain form fields with indexed names, changed by buttons of the same form.

Row n of the builder ``items`` is sent as ``items-n-attribute``, ``items-n-was`` (the attribute that its fields were
made for), ``items-n-operator``, ``items-n-values`` (one for each chosen) and ``items-n-typed`` (being typed).
A button ``edit=items:add`` changes the rows and shows them again; without JavaScript with the whole page around them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from django.http import QueryDict

from analytics.pages import parameters
from recommendations.services.rules.attributes import AttributeKind, kind_of

MOST_ROWS = 20
MOST_VALUES = 500
LONGEST = 500  # characters of a value
LARGEST = 10**15  # what is beyond is no number of anything


class Builder(StrEnum):
    """A builder of conditions: on the items that the rule acts on, or on an item in view."""

    CONTEXT = "context"
    ITEMS = "items"


PERCENT = frozenset({"discount", "margin"})
"""Attributes that are stored as shares and typed as percentages."""


@dataclass(frozen=True, kw_only=True)
class ConditionRow:
    """A condition as it stands in the form: everything is text."""

    attribute: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()
    typed: str = ""

    @property
    def chosen(self) -> tuple[str, ...]:
        """The values, with the one that was typed and not taken over yet."""
        typed = self.typed.strip()
        return self.values if not typed or typed in self.values else (*self.values, typed)

    @property
    def empty(self) -> bool:
        return not self.attribute and not self.chosen


def read_rows(data: QueryDict, builder: Builder) -> list[ConditionRow]:
    """Rows in the order of their numbers; one whose attribute was changed loses the values of the former one."""
    numbers = {
        int(match.group(1)) for name in data if (match := re.fullmatch(rf"{builder}-(\d{{1,4}})-attribute", name))
    }
    return [_row(data, f"{builder}-{number}") for number in sorted(numbers)[:MOST_ROWS]]


def edited(rows: Sequence[ConditionRow], command: str) -> list[ConditionRow]:
    """Rows after a button: ``add``, ``drop:n``, ``take:n`` (what was typed), ``pick:n:value``, ``out:n:place``."""
    what, _separator, rest = command.partition(":")
    if what == "add":
        return [*rows, ConditionRow()][:MOST_ROWS]
    number, _separator, argument = rest.partition(":")
    at = parameters.number(number)
    if at is None or at >= len(rows):
        return list(rows)
    if what == "drop":
        return [row for place, row in enumerate(rows) if place != at]
    return [_changed(row, what, argument) if place == at else row for place, row in enumerate(rows)]


def conditions(rows: Iterable[ConditionRow]) -> list[dict[str, Any]]:
    """Conditions as they are stored; a number that is none stays text, for the service to complain of."""
    return [
        {
            "attribute": row.attribute,
            "operator": row.operator,
            "values": [_stored(row.attribute, text) for text in row.chosen],
        }
        for row in rows
    ]


def rows_of(stored: Iterable[Mapping[str, Any]]) -> list[ConditionRow]:
    """Rows that show stored conditions."""
    return [
        ConditionRow(
            attribute=str(condition.get("attribute", "")),
            operator=str(condition.get("operator", "")),
            values=tuple(
                _as_typed(str(condition.get("attribute", "")), value) for value in condition.get("values", ())
            ),
        )
        for condition in stored
    ]


def _stored(attribute: str, text: str) -> str | float | int:
    if kind_of(attribute) is not AttributeKind.NUMBER:
        return text
    try:
        number = Decimal(text.replace("−", "-"))
    except InvalidOperation:
        return text
    if not number.is_finite() or number.copy_abs() > LARGEST:
        return text
    number = number / 100 if attribute in PERCENT else number
    return int(number) if number == int(number) else float(number)


def _as_typed(attribute: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if attribute not in PERCENT:
        return str(value)
    try:
        return f"{(Decimal(str(value)) * 100).normalize():f}"
    except InvalidOperation:
        return str(value)


def _row(data: QueryDict, prefix: str) -> ConditionRow:
    attribute = _clean(data.get(f"{prefix}-attribute", ""))
    if attribute != _clean(data.get(f"{prefix}-was", attribute)):
        return ConditionRow(attribute=attribute, typed="yes" if kind_of(attribute) is AttributeKind.YES_NO else "")
    values = [value for text in data.getlist(f"{prefix}-values") if (value := _clean(text))]
    return ConditionRow(
        attribute=attribute,
        operator=_clean(data.get(f"{prefix}-operator", "")),
        values=tuple(dict.fromkeys(values))[:MOST_VALUES],
        typed=_clean(data.get(f"{prefix}-typed", "")),
    )


def _changed(row: ConditionRow, what: str, argument: str) -> ConditionRow:
    if what == "take":
        return replace(row, values=row.chosen, typed="")
    if what == "pick" and argument:
        return replace(row, values=tuple(dict.fromkeys([*row.values, _clean(argument)])), typed="")
    if what == "out":
        out = parameters.number(argument)
        values = [value for place, value in enumerate(row.values) if place != out]
        return replace(row, values=tuple(values))
    return row


def _clean(text: str | None) -> str:
    """Cut and strip a text, and remove NUL, which PostgreSQL does not take."""
    return (text or "").replace("\x00", "").strip()[:LONGEST]
