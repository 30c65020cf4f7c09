"""The form of a draft: arms and fields as text. What a draft may be, ``save_draft`` knows.

Arm n is sent as ``arm-n-lever`` and the fields of all levers, ``arm-n-weights`` …; only those of its lever count, and
none is lost.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.http import QueryDict

from analytics.parameters import number, typed
from recommendations.services.experiments.checks import GUARDING_BANDITS, GUARDRAILS, OF_BANDITS
from recommendations.services.experiments.forms import ArmForm, ExperimentForm
from recommendations.services.experiments.levers import all_levers, levers_of
from recommendations.terms import ExperimentKind, Metric

PLACEMENT_FIELDS = ("n", "diversity", "fatigue", "repeat")
LONGEST_NAME, LONGEST_TEXT, LONGEST = 120, 2_000, 200  # characters
MOST_ROWS = 5
USUAL_GUARDRAILS: Mapping[str, str] = {Metric.REFUNDS: "10", Metric.LATENCY: "20"}
"""Per cent that a new draft tolerates."""
SIGNED_IN: Mapping[str, bool | None] = {"": None, "yes": True, "no": False}

type Pages = Mapping[str, Sequence[str]]
"""The placements of each page, in order."""


@dataclass(frozen=True, kw_only=True)
class ArmRow:
    """An arm as it stands in the form; ``place`` is its number among the arms, the control being 0."""

    number: int
    place: int
    texts: Mapping[str, str]
    problem: str = ""

    @property
    def prefix(self) -> str:
        return f"arm-{self.number}"

    @property
    def letter(self) -> str:
        return chr(ord("A") + self.place)

    def orders(self, pages: Pages) -> list[tuple[str, list[tuple[str, str]]]]:
        """Pages, each with its placements and the positions that were typed for them."""
        return [
            (page, [(name, self.texts.get(f"order-{page}-{name}") or str(at)) for at, name in enumerate(names, 1)])
            for page, names in pages.items()
        ]

    def changes(self, pages: Pages) -> dict[str, Any]:
        """What the arm changes, as ``Arm.changes`` has it; what cannot be read is left to ``save_draft`` to refuse."""
        lever = self.texts.get("lever")
        if lever == "weights":
            blend, _separator, key = self.texts.get("weights", "").partition(":")
            return {"weights": {blend: number(key) or 0}}
        if lever == "rules":
            return {"rules": number(self.texts.get("rules")) or 0}
        if lever == "placement":
            return {"placements": {self.texts.get("placement", ""): self._settings()}}
        if lever == "page":
            page = self.texts.get("page", "")
            typed_places = dict(dict(self.orders(pages)).get(page, ()))
            return {
                "pages": {page: sorted(typed_places, key=lambda name: decimal(typed_places[name], unknown=math.inf))}
            }
        return {}

    def as_form(self, pages: Pages) -> ArmForm:
        share = self.texts.get("share", "")
        part = decimal(share, unknown=-1) / 100 if share else None
        return ArmForm(changes=self.changes(pages), name=self.texts.get("name", "")[:LONGEST_NAME], share=part)

    def _settings(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if text := self.texts.get("n"):
            values["n"] = number(text) or 0
        for name in ("diversity", "fatigue"):
            if text := self.texts.get(name):
                values[name] = decimal(text, unknown=-1)
        if text := self.texts.get("repeat"):
            values["repeat"] = text
        return values


@dataclass(frozen=True, kw_only=True)
class ExperimentEditor:
    """Everything in the form; ``errors`` by field, after an attempt to save."""

    arms: Sequence[ArmRow]
    name: str = ""
    hypothesis: str = ""
    kind: str = ExperimentKind.AB
    traffic: str = "100"
    segments: Sequence[int] = ()
    signed_in: str = ""
    primary: str = Metric.REVENUE
    smallest_lift: str = "2"
    guardrails: Mapping[str, str] = field(default_factory=lambda: dict(USUAL_GUARDRAILS))
    planned_days: str = "28"
    placement: str = ""
    half_life: str = "14"
    steady: bool = False  # the shop does not change, so that no day fades
    by_segment: bool = False
    where: str = ""  # of an A/A: the lever of which both get what is live
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def blank(cls, name: str = "", **texts: str) -> Self:
        """A new draft; ``texts`` are fields of its only arm."""
        return cls(name=name, arms=[ArmRow(number=1, place=1, texts={"lever": "weights", **texts})])

    @classmethod
    def sent(cls, data: QueryDict) -> Self:
        numbers = sorted({int(match[1]) for name in data if (match := re.fullmatch(r"arm-(\d{1,3})-lever", name))})
        kind = data.get("kind", "")
        return cls(
            arms=[_sent(data, each, place) for place, each in enumerate(numbers[:MOST_ROWS], 1)],
            name=typed(data.get("name"), longest=2 * LONGEST_NAME),
            hypothesis=typed(data.get("hypothesis"), longest=LONGEST_TEXT),
            kind=kind if kind in set(ExperimentKind) else ExperimentKind.AB,
            traffic=typed(data.get("traffic"), longest=LONGEST),
            segments=[key for text in data.getlist("segment") if (key := number(text)) is not None],
            signed_in=data.get("signed_in", ""),
            primary=typed(data.get("primary"), longest=LONGEST),
            smallest_lift=typed(data.get("smallest_lift"), longest=LONGEST),
            guardrails={
                name: text for name in sorted(GUARDRAILS) if (text := typed(data.get(f"guard-{name}"), longest=LONGEST))
            },
            planned_days=typed(data.get("planned_days"), longest=LONGEST),
            placement=typed(data.get("placement"), longest=LONGEST),
            half_life=typed(data.get("half_life"), longest=LONGEST),
            steady="steady" in data,
            by_segment="by_segment" in data,
            where=typed(data.get("where"), longest=LONGEST),
        )

    @classmethod
    def of(cls, form: ExperimentForm) -> Self:
        """A draft that is stored, or that another experiment would be as."""
        shares = [arm.share for arm in form.arms]
        even = all(share is None or math.isclose(share, 1 / (len(shares) + 1)) for share in shares)
        return cls(
            arms=[_stored(place, arm, even=even) for place, arm in enumerate(form.arms, 1)],
            name=form.name,
            hypothesis=form.hypothesis,
            kind=form.kind,
            traffic=in_percent(form.traffic),
            segments=form.segments,
            signed_in=next(text for text, value in SIGNED_IN.items() if value is form.signed_in),
            primary=form.primary,
            smallest_lift=in_percent(form.smallest_lift),
            guardrails={name: in_percent(tolerance) for name, tolerance in form.guardrails.items()},
            planned_days=str(form.planned_days),
            placement=form.placement,
            half_life=f"{form.half_life or 14:g}",
            steady=form.half_life is None,
            by_segment=form.by_segment,
            where=next(iter(sorted(all_levers(arm.changes for arm in form.arms))), ""),
        )

    @property
    def is_bandit(self) -> bool:
        return self.kind == ExperimentKind.BANDIT

    @property
    def _where(self) -> dict[str, Any]:
        """The lever of an A/A as changes of an arm, which ``save_draft`` fills with what is live."""
        lever, _separator, name = self.where.partition(":")
        if lever == "weights":
            return {"weights": {name: 0}}
        return {"placements": {name: {}}} if lever == "placement" else {}

    @property
    def complaints(self) -> int:
        return len(self.errors) + sum(bool(arm.problem) for arm in self.arms)

    @property
    def weights(self) -> list[str]:
        """Versions of weights that are chosen in any arm; ``books`` are those of the rules."""
        return [arm.texts.get("weights", "") for arm in self.arms]

    @property
    def books(self) -> list[str]:
        return [arm.texts.get("rules", "") for arm in self.arms]

    def as_form(self, pages: Pages) -> ExperimentForm:
        """The draft as the service takes it."""
        form = ExperimentForm(
            name=self.name,
            arms=[ArmForm(changes=self._where)]
            if self.kind == ExperimentKind.AA
            else [arm.as_form(pages) for arm in self.arms],
            kind=ExperimentKind(self.kind),
            hypothesis=self.hypothesis,
            segments=self.segments,
            signed_in=SIGNED_IN.get(self.signed_in),
            traffic=decimal(self.traffic) / 100,
            primary=self.primary,
            guardrails={name: decimal(text) / 100 for name, text in self.guardrails.items()},
            smallest_lift=decimal(self.smallest_lift) / 100,
            planned_days=number(self.planned_days) or 0,
        )
        return self._as_bandit(form) if self.is_bandit else form

    def _as_bandit(self, form: ExperimentForm) -> ExperimentForm:
        """The draft with what a bandit has beside it, and without what it does not ask for."""
        usual = ExperimentForm(name="", arms=[])
        return replace(
            form, arms=[replace(arm, share=None) for arm in form.arms], smallest_lift=usual.smallest_lift,
            planned_days=usual.planned_days, placement=self.placement, by_segment=self.by_segment,
            half_life=None if self.steady else decimal(self.half_life, unknown=0),
        )  # fmt: skip

    @property
    def blends(self) -> set[str]:
        """Blends whose versions are chosen."""
        return {blend for text in self.weights if (blend := text.partition(":")[0])}

    def placed(self, serving: Sequence[str]) -> "ExperimentEditor":
        """A bandit without a placement at the first of those that its blend serves; every other form as it is."""
        if not self.is_bandit or self.placement or not serving:
            return self
        return replace(self, placement=serving[0])

    def after(self, command: str) -> "ExperimentEditor":
        """The form after a button: ``add``, ``drop:2``, or ``kind:bandit``."""
        what, _separator, argument = command.partition(":")
        if what == "kind" and argument in set(ExperimentKind):
            return self._as_kind(argument)
        rows = list(self.arms)
        if what == "add" and len(rows) < MOST_ROWS:
            last = rows[-1].texts if rows else {}
            new = max((row.number for row in rows), default=0) + 1
            rows.append(ArmRow(number=new, place=0, texts={"lever": last.get("lever", "weights")}))
        elif what == "drop":
            rows = [row for row in rows if row.number != number(argument)]
        return self._with(rows)

    def _as_kind(self, kind: str) -> "ExperimentEditor":
        """The form of another kind: what cannot be there stays out of it, what is usual there comes in."""
        values: dict[str, Any] = {"kind": kind, "half_life": self.half_life or "14"}
        if kind == ExperimentKind.BANDIT:
            values["primary"] = self.primary if self.primary in OF_BANDITS else Metric.CTR
            values["guardrails"] = {name: text for name, text in self.guardrails.items() if name in GUARDING_BANDITS}
        elif self.is_bandit:
            values |= {"smallest_lift": self.smallest_lift or "2", "planned_days": self.planned_days or "28"}
        if kind == ExperimentKind.AA and not self.where and self.arms:  # that of B is a first guess
            values["where"] = next(iter(levers_of(self.arms[0].changes({}))), "")
        rows = [replace(row, texts={**row.texts, "lever": "weights"}) for row in self.arms]
        return self._with(rows if kind == ExperimentKind.BANDIT else self.arms, **values)

    def complaining(self, error: ValidationError) -> "ExperimentEditor":
        """The form with each complaint of the service at its field."""
        texts = {name: " ".join(words) for name, words in error.message_dict.items()}
        rows = [replace(row, problem=texts.pop(f"arm-{row.place}", "")) for row in self.arms]
        return self._with(rows, errors=texts)

    def _with(self, rows: Sequence[ArmRow], **values: Any) -> "ExperimentEditor":
        placed = [replace(row, place=place) for place, row in enumerate(rows, 1)]
        return replace(self, arms=placed, **values)


def decimal(text: str, *, unknown: float = math.nan) -> float:
    """A number as people type it, a comma for a point too; ``unknown`` for what is none."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return unknown
    return value if math.isfinite(value) else unknown


def in_percent(part: float) -> str:
    """A share as it is typed: 0.025 as 2.5."""
    return f"{round(100 * part, 4):g}"


def _sent(data: QueryDict, at: int, place: int) -> ArmRow:
    prefix = f"arm-{at}-"
    texts = {
        name.removeprefix(prefix): typed(data.get(name), longest=LONGEST) for name in data if name.startswith(prefix)
    }
    return ArmRow(number=at, place=place, texts=texts)


def _stored(place: int, arm: ArmForm, *, even: bool) -> ArmRow:
    texts = {"name": arm.name, "share": "" if even or arm.share is None else in_percent(arm.share)}
    return ArmRow(number=place, place=place, texts=texts | dict(_lever_texts(arm.changes)))


def _lever_texts(changes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields of the first lever that the changes take hold of; an arm of the form has one."""
    for blend, key in changes.get("weights", {}).items():
        yield from (("lever", "weights"), ("weights", f"{blend}:{key}"))
        return
    if changes.get("rules") is not None:
        yield from (("lever", "rules"), ("rules", str(changes["rules"])))
        return
    for name, values in changes.get("placements", {}).items():
        yield from (("lever", "placement"), ("placement", name))
        yield from ((each, f"{values[each]}") for each in PLACEMENT_FIELDS if values.get(each) is not None)
        return
    for page, order in changes.get("pages", {}).items():
        yield from (("lever", "page"), ("page", page))
        yield from ((f"order-{page}-{name}", str(at)) for at, name in enumerate(order, 1))
        return
