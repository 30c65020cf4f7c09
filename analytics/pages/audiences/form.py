"""The editor's form: rows of conditions as text. What a condition may be, ``save_audience`` knows.

Row n is sent as ``row-n-side`` (all or none), ``row-n-kind`` and the fields of the kind, ``row-n-days`` …; what was
bought or viewed as the rows of a rule's builder ``row-n-items``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.http import QueryDict

from analytics.pages.rules.builder import ConditionFormSet
from analytics.parameters import number, typed
from recommendations.models import Audience
from recommendations.services.audiences.form import FORMS, LONGEST_NAME
from recommendations.terms import AudienceKind, Operator

SIDES = ("all", "none")
MOST_ROWS = 20
LONGEST = 500  # characters of a field
USUAL: Mapping[str, str] = {
    "days": "30", "times": "1", "operator": Operator.AT_LEAST, "amount": "", "from_days": "0", "to_days": "30",
    "category": "", "percent": "5", "property": "", "values": "",
}  # fmt: skip
"""What stands in the fields of a new row."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A condition as it stands in the form; ``problems`` by field, after an attempt to save."""

    number: int
    side: str
    kind: str
    texts: Mapping[str, str]
    segments: tuple[str, ...]
    items: ConditionFormSet
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        return f"row-{self.number}"

    @property
    def did(self) -> bool:
        """Whether it asks for acts on items."""
        return self.kind in {AudienceKind.BOUGHT, AudienceKind.VIEWED}

    @property
    def condition(self) -> dict[str, Any]:
        """The condition, its fields still text."""
        given = {**self.texts, "items": self.items.conditions, "segments": list(self.segments)}
        names = FORMS[AudienceKind(self.kind)].base_fields if self.kind in set(AudienceKind) else ()
        return {"kind": self.kind, **{name: given.get(name, "") for name in names}}


class AudienceEditor:
    """Everything in the form."""

    def __init__(self, name: str, rows: list[Row], errors: Mapping[str, str] | None = None) -> None:
        self.name, self.rows, self.errors = name, rows, errors or {}

    @classmethod
    def sent(cls, data: QueryDict) -> Self:
        numbers = {int(match.group(1)) for name in data if (match := re.fullmatch(r"row-(\d{1,3})-side", name))}
        rows = [_sent(data, each) for each in sorted(numbers)[:MOST_ROWS]]
        return cls(typed(data.get("name"), longest=2 * LONGEST_NAME), rows)

    @classmethod
    def of(cls, audience: Audience) -> Self:
        stored = [(side, one) for side in SIDES for one in audience.conditions.get(side, ())]
        return cls(audience.name, [_stored(place, side, one) for place, (side, one) in enumerate(stored)])

    @classmethod
    def blank(cls) -> Self:
        return cls("", [_new(0, "all")])

    @property
    def sides(self) -> Iterator[tuple[str, list[Row]]]:
        for side in SIDES:
            yield side, [row for row in self.rows if row.side == side]

    @property
    def conditions(self) -> dict[str, list[dict[str, Any]]]:
        return {side: [row.condition for row in rows] for side, rows in self.sides}

    @property
    def complaints(self) -> int:
        return len(self.errors) + sum(len(row.problems) + row.items.complaints for row in self.rows)

    def after(self, command: str) -> "AudienceEditor":
        """The form after a button: ``add:all``, ``drop:3``, or one of a builder, ``row-3-items:add``."""
        what, _separator, argument = command.partition(":")
        if what == "add" and argument in SIDES:
            return AudienceEditor(self.name, [*self.rows, _new(self._next, argument)])
        if what == "drop":
            return AudienceEditor(self.name, [row for row in self.rows if row.number != number(argument)])
        return AudienceEditor(self.name, [replace(row, items=row.items.after(command)) for row in self.rows])

    def complain(self, error: ValidationError) -> None:
        """Put each complaint of the service at its field."""
        texts = {name: " ".join(words) for name, words in error.message_dict.items()}
        rows = []
        for side, of_side in self.sides:
            for position, row in enumerate(of_side):
                place = f"{side}-{position}-"
                own = {name.removeprefix(place): texts.pop(name) for name in list(texts) if name.startswith(place)}
                row.items.check(own.pop("items", ""))
                rows.append(replace(row, problems=own))
        self.rows, self.errors = sorted(rows, key=lambda row: row.number), texts

    @property
    def _next(self) -> int:
        return max((row.number for row in self.rows), default=-1) + 1


def _sent(data: QueryDict, at: int) -> Row:
    prefix = f"row-{at}-"
    texts = {
        name.removeprefix(prefix): typed(data.get(name), longest=LONGEST) for name in data if name.startswith(prefix)
    }
    side, kind = texts.pop("side"), texts.pop("kind", "")
    return Row(
        number=at,
        side=side if side in SIDES else SIDES[0],
        kind=kind,
        texts={**USUAL, **texts},
        segments=tuple(data.getlist(f"{prefix}segments")),
        items=ConditionFormSet.sent(data, f"{prefix}items"),
    )


def _stored(at: int, side: str, condition: Mapping[str, Any]) -> Row:
    texts = {name: _as_typed(value) for name, value in condition.items() if name not in {"kind", "items", "segments"}}
    return Row(
        number=at,
        side=side,
        kind=condition["kind"],
        texts={**USUAL, **texts},
        segments=tuple(map(str, condition.get("segments", ()))),
        items=ConditionFormSet.stored(condition.get("items", ()), f"row-{at}-items"),
    )


def _new(at: int, side: str) -> Row:
    items = ConditionFormSet.of([], f"row-{at}-items")
    return Row(number=at, side=side, kind=AudienceKind.BOUGHT, texts=USUAL, segments=(), items=items)


def _as_typed(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) and value.is_integer() and value < 1e15 else str(value)
