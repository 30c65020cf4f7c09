"""The editor's form: what is typed of a rule, as text, and how the editor shows it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.pages.rules.builder import PERCENT, Builder, ConditionRow, conditions, edited, read_rows, rows_of
from analytics.queries.rules.values import described, yes_no
from analytics.templatetags.display import SYMBOLS
from analytics.templatetags.rules import Names
from recommendations.models import Rule
from recommendations.services.rules.attributes import AttributeKind, ConditionError, kind_of, operators_of, problems
from recommendations.services.rules.editing import Matched, matched
from recommendations.terms import CapPer, Operator, RuleAction
from recommendations.wording import labels
from recommendations.wording.rules import attribute_name, condition_problem

FIELDS = (
    "name", "placement", "segment", "customer", "starts_at", "ends_at", "action", "slot", "strength", "most", "per",
    "share",
)  # fmt: skip
USUAL: Mapping[str, str] = {
    "action": RuleAction.BOOST, "slot": "1", "strength": "50", "most": "2", "per": CapPer.BRAND, "share": "20",
}  # fmt: skip
"""What stands in the fields of a new rule."""

LONGEST_NAME = 120


@dataclass(frozen=True, kw_only=True)
class Typed:
    """Everything in the form; ``fields`` and the values of the rows are text."""

    fields: Mapping[str, str]
    rows: Mapping[Builder, Sequence[ConditionRow]] = field(default_factory=dict)

    @classmethod
    def sent(cls, data: QueryDict) -> "Typed":
        return cls(
            fields={name: data.get(name, "").replace("\x00", "") for name in FIELDS},
            rows={builder: read_rows(data, builder) for builder in Builder},
        )

    @classmethod
    def of(cls, rule: Rule) -> "Typed":
        fields = {name: "" if (value := _plain(rule, name)) is None else str(value) for name in FIELDS}
        return cls(
            fields={**USUAL, **{name: text for name, text in fields.items() if text or name not in USUAL}},
            rows={Builder.CONTEXT: rows_of(rule.context), Builder.ITEMS: rows_of(rule.items)},
        )

    @classmethod
    def asked_for(cls, query: QueryDict) -> "Typed":
        """The form that other pages begin, by an address such as ``?action=pin&item=1043&slot=1&placement=home``.

        ``context.item=1042`` asks that this item is in view.
        """
        given = {name: text.replace("\x00", "") for name in FIELDS if (text := query.get(name, ""))}
        fields = {**dict.fromkeys(FIELDS, ""), **USUAL, **given}
        rows = _asked_rows(query)
        typed = cls(
            fields=fields,
            rows={
                Builder.ITEMS: rows or [ConditionRow()],
                Builder.CONTEXT: _asked_rows(query, prefix=f"{Builder.CONTEXT}."),
            },
        )
        return replace(typed, fields=fields | {"name": fields["name"] or typed.suggested_name()}) if rows else typed

    def after(self, command: str) -> "Typed":
        """The form after a button of a builder: ``items:add``."""
        name, _separator, rest = command.partition(":")
        return replace(
            self, rows={each: edited(rows, rest) if each == name else rows for each, rows in self.rows.items()}
        )

    def values(self) -> dict[str, Any]:
        """Values in the shape of a frozen rule, numbers and times still as text."""
        share = self.fields["share"]
        return {
            **self.fields,
            "strength": self.fields["strength"].replace("−", "-"),
            "share": str(float(share) / 100) if _is_number(share) else share,
            **{str(builder): self.conditions(builder) for builder in Builder},
        }

    def conditions(self, builder: Builder) -> list[dict[str, Any]]:
        """Conditions of a builder, without the rows in which nothing was chosen."""
        return conditions(row for row in self.rows.get(builder, ()) if not row.empty)

    def suggested_name(self) -> str:
        facts = {"strength": 0, "most": 0, "per": CapPer.ALL, "share": 0.0, "slot": self.fields["slot"]}
        if self.fields["action"] == RuleAction.BOOST and _is_number(self.fields["strength"]):
            facts["strength"] = int(float(self.fields["strength"]))
        if self.fields["action"] not in {RuleAction.PIN, RuleAction.BOOST, RuleAction.EXCLUDE, RuleAction.INCLUDE_ONLY}:
            return ""
        rule = {**facts, "action": self.fields["action"], "items": self.conditions(Builder.ITEMS), "segment": None}
        return Names.of([rule]).effect(rule)[:LONGEST_NAME]


@dataclass(frozen=True, kw_only=True)
class ShownBuilder:
    """A builder as its template shows it."""

    name: str
    rows: Sequence[Mapping[str, Any]]
    attributes: Sequence[tuple[str, str]]
    matched: Matched | None
    currency: str
    error: str = ""

    @property
    def complaints(self) -> int:
        return bool(self.error) + sum(bool(row["errors"]) for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a builder is looked at: which attributes it offers, whether its rows are checked, and whether those that are
    not complete are complained of. ``focus``: row and field where one goes on, ``0:values``."""

    offered: Sequence[str]
    check: bool = True
    complain: bool = False
    focus: str = ""


def shown_builder(typed: Typed, builder: Builder, look: Look) -> ShownBuilder:
    rows = list(typed.rows.get(builder, ()))
    full = [place for place, row in enumerate(rows) if not row.empty]
    faults = problems(typed.conditions(builder)) if look.check else {}
    wrong = {full[at]: error for at, error in faults.items()}
    complaints = {place: error for place, error in wrong.items() if look.complain or error.code != "missing"}
    at, _separator, name = look.focus.partition(":")
    return ShownBuilder(
        name=builder,
        rows=[
            _shown_row(row, f"{builder}-{place}", complaints.get(place), focus=name if at == str(place) else "")
            for place, row in enumerate(rows)
        ],
        attributes=[(code, attribute_words(code)) for code in look.offered],
        matched=None if wrong or not rows else _matched(typed.conditions(builder)),
        currency=SYMBOLS.get(settings.SHOP_CURRENCY, settings.SHOP_CURRENCY).strip(),
    )


def attribute_words(attribute: str) -> str:
    name = attribute_name(attribute)
    return name[:1].upper() + name[1:]


def _shown_row(row: ConditionRow, prefix: str, problem: ConditionError | None, *, focus: str) -> dict[str, Any]:
    kind = kind_of(row.attribute) if row.attribute else None
    operators = operators_of(row.attribute)
    names = dict(labels.OPERATORS)
    errors = {problem.field: _problem_words(problem)} if problem else {}
    return {
        "prefix": prefix,
        "attribute": row.attribute,
        "words": attribute_words(row.attribute) if row.attribute else "",
        "unknown": bool(row.attribute) and kind is None,
        "kind": kind,
        "unit": "percent" if row.attribute in PERCENT else _UNITS.get(row.attribute, ""),
        "operators": [(code, names[code]) for code in operators] if len(operators) > 1 else [],
        "only_operator": operators[0] if len(operators) == 1 else "",
        "operator": row.operator if row.operator in operators else next(iter(operators), Operator.IS),
        "values": described(row.attribute, row.values) if kind is AttributeKind.CHOICE else [],
        "number": next(iter(row.chosen[-1:]), ""),
        "typed": row.typed,
        "hint": str(_hint(row.attribute)),
        "choices": yes_no(),
        "errors": errors,
        "focus": focus,
    }


_UNITS: Mapping[str, str] = {"price": "money", "listed_days": "days"}


def _hint(attribute: str) -> str:
    hints = {
        "category": _("Part of its name"),
        "item": _("Part of its title, or its id"),
        "brand": _("Part of its name"),
    }
    return hints.get(attribute, _("Part of it"))


def _problem_words(problem: ConditionError) -> str:
    return condition_problem(problem.position, problem.field, problem.code)


def _matched(wanted: Sequence[Mapping[str, Any]]) -> Matched | None:
    try:
        return matched(wanted)
    except ConditionError:
        return None


def _asked_rows(query: QueryDict, *, prefix: str = "") -> list[ConditionRow]:
    names = {name: name.removeprefix(prefix) for name in query if name.startswith(prefix)}
    return [
        ConditionRow(
            attribute=attribute,
            operator=next(iter(operators_of(attribute)), Operator.IS),
            values=tuple(value.replace("\x00", "") for value in query.getlist(name) if value),
        )
        for name, attribute in names.items()
        if kind_of(attribute) is not None
    ]


def _plain(rule: Rule, name: str) -> Any:
    value = getattr(rule, name)
    if name == "placement":
        return value.name if value else ""
    if name == "segment":
        return value.number if value else ""
    if name == "customer":
        return rule.customer_id
    if isinstance(value, datetime):
        return timezone.localtime(value, timezone.get_default_timezone()).strftime("%Y-%m-%dT%H:%M")
    return f"{round(100 * value, 4):g}" if name == "share" and value is not None else value


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False
