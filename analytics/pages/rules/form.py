"""The editor's form: what is typed of a rule, as text. What a rule may be, ``save_rule`` knows, and its complaints are
shown here."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.pages.rules.builder import Builder, ConditionFormSet, Row
from analytics.pages.rules.periods import CUSTOM, Period, periods
from analytics.queries.rules.editor import Choices
from analytics.queries.segments.choices import missing
from analytics.templatetags.rules import Names
from recommendations.customer_codes import customer_code
from recommendations.models import Rule
from recommendations.services.rules.attributes import frozen, kind_of, operators_of
from recommendations.services.rules.form import LONGEST_NAME
from recommendations.terms import CapPer, Operator, RuleAction
from recommendations.wording import labels

USUAL: Mapping[str, str] = {
    "action": RuleAction.BOOST, "slot": "1", "strength": "50", "most": "2", "per": CapPer.BRAND, "share": "20",
}  # fmt: skip
"""What stands in the fields of a new rule."""

EVERY: Mapping[str, Promise] = {
    "placement": _("Every placement"),
    "segment": _("Every segment"),
    "audience": _("Every audience"),
    "customer": _("Every customer"),
}
"""What an empty field means."""


class TypedField(BoundField):
    """A field whose complaint stands behind it, and says so."""

    @property
    def aria_describedby(self) -> str | None:
        return f"{self.html_name}-error" if self.errors else None


def _typed(label: Any = "", css: str = "", **attrs: Any) -> forms.CharField:
    widget = forms.TextInput({"class": f"form-control {css}".strip(), **attrs})
    return forms.CharField(label=label, required=False, strip=False, widget=widget)


def _number(label: Any, css: str = "num", inputmode: str = "numeric", **attrs: Any) -> forms.CharField:
    return _typed(label, css, inputmode=inputmode, autocomplete="off", **attrs)


def _chosen(label: Any, choices: Any = ()) -> forms.CharField:
    widget = forms.Select({"class": "form-select"}, choices=choices)
    return forms.CharField(label=label, required=False, strip=False, widget=widget)


class EditorForm(forms.Form):
    """Everything in the form; the fields are text, of which none is wrong before the service said so."""

    name = _typed(_("Name"), maxlength=LONGEST_NAME, autocomplete="off", placeholder=_("e.g. Ice-cream week"))
    placement = _chosen(_("Placement"))
    segment = _chosen(_("Segment"))
    audience = _chosen(_("Audience"))
    customer = _typed(_("Customer"), maxlength=128, autocomplete="off", placeholder=EVERY["customer"])
    starts_at = _typed(_("From"), type="datetime-local")
    ends_at = _typed(_("Until"), type="datetime-local")
    period = _typed()
    action = _typed()
    slot = _number(_("Slot"), maxlength=5)
    strength = _typed(_("Strength, −100 to 100"), "num", type="number", min=-100, max=100, step=1)
    most = _number(_("At most"), maxlength=5)
    per = _chosen(_("of each"), labels.CAPS_PER)
    share = _number(_("At least this share of the list"), inputmode="decimal", maxlength=6)

    bound_field_class = TypedField

    def __init__(self, texts: Mapping[str, Any], rows: Mapping[Builder, ConditionFormSet]) -> None:
        self.texts = {name: str(texts.get(name, "")).replace("\x00", "") for name in self.base_fields}
        self.builders = rows
        self.periods = periods(timezone.localdate())
        self._take_period()
        super().__init__(self.texts, auto_id="%s")

    @classmethod
    def sent(cls, data: QueryDict) -> Self:
        return cls(data, {builder: ConditionFormSet.sent(data, builder) for builder in Builder})

    @classmethod
    def of(cls, rule: Rule) -> Self:
        stored: dict[str, Any] = dict(frozen(rule))
        for name in ("starts_at", "ends_at"):
            if stored[name]:
                moment = timezone.localtime(datetime.fromisoformat(stored[name]), timezone.get_default_timezone())
                stored[name] = moment.strftime("%Y-%m-%dT%H:%M")
        if stored["share"] is not None:
            stored["share"] = f"{round(100 * stored['share'], 4):g}"
        if stored["customer"] is not None:
            stored["customer"] = customer_code(stored["customer"])
        texts = {name: value for name, value in stored.items() if value not in (None, "")}
        return cls(
            {**USUAL, **texts}, {builder: ConditionFormSet.stored(stored[builder], builder) for builder in Builder}
        )

    @classmethod
    def asked_for(cls, query: QueryDict) -> Self:
        """The form that other pages begin, by an address such as ``?action=pin&item=1043&slot=1&placement=home``.

        ``context.item=1042`` asks that this item is in view.
        """
        texts = {**USUAL, **{name: text for name in cls.base_fields if (text := query.get(name))}}
        items, context = _asked_rows(query), _asked_rows(query, prefix=f"{Builder.CONTEXT}.")
        rows = {
            Builder.ITEMS: ConditionFormSet.of(items or [{}], Builder.ITEMS),
            Builder.CONTEXT: ConditionFormSet.of(context, Builder.CONTEXT),
        }
        form = cls(texts, rows)
        if items and not form.texts["name"]:
            form.texts["name"] = form.suggested_name()
        return form

    def after(self, command: str) -> "EditorForm":
        """The form after a button of a builder: ``items:add``."""
        return EditorForm(self.texts, {name: rows.after(command) for name, rows in self.builders.items()})

    def clean_strength(self) -> str:
        return str(self.cleaned_data["strength"]).replace("−", "-")

    def clean_share(self) -> str:
        share: str = self.cleaned_data["share"]
        return str(float(share) / 100) if _is_number(share) else share

    def values(self) -> dict[str, Any]:
        """Values in the shape of a frozen rule, numbers and times still as text."""
        self.full_clean()
        values = {name: value for name, value in self.cleaned_data.items() if name != "period"}
        return {**values, **{name: rows.conditions for name, rows in self.builders.items()}}

    def offer(self, choices: Choices) -> None:
        """Set what there is to choose from; what was chosen before is kept, also where it is gone."""
        for name, offered in (
            ("placement", choices.placements), ("segment", choices.segments), ("audience", choices.audiences),
        ):  # fmt: skip
            chosen = self.texts[name]
            gone = [(chosen, missing(chosen))] if chosen and chosen not in dict(offered) else []
            self.fields[name].widget.choices = [("", EVERY[name]), *offered, *gone]

    def complain(self, error: ValidationError) -> None:
        """Put each complaint at its field; what stands at a row of a builder already is not said once more."""
        texts = {name: " ".join(words) for name, words in error.message_dict.items()}
        for builder, rows in self.builders.items():
            rows.check(texts.pop(builder, ""))
        for name, text in texts.items():
            self.add_error(name, text)

    @property
    def chosen_period(self) -> Period:
        """The choice that the fields of time are one of."""
        times = self.texts["starts_at"], self.texts["ends_at"]
        return next(each for each in self.periods if each.code == CUSTOM or (each.starts_at, each.ends_at) == times)

    def _take_period(self) -> None:
        """Write the chosen period into the fields of time where no script has done it."""
        chosen = next((each for each in self.periods if each.code == self.texts["period"]), None)
        if chosen and chosen.starts_at and chosen.ends_at and not (self.texts["starts_at"] or self.texts["ends_at"]):
            self.texts |= {"starts_at": chosen.starts_at, "ends_at": chosen.ends_at}

    def suggested_name(self) -> str:
        action, strength = self.texts["action"], self.texts["strength"]
        if action not in {RuleAction.PIN, RuleAction.BOOST, RuleAction.EXCLUDE, RuleAction.INCLUDE_ONLY}:
            return ""
        boosts = action == RuleAction.BOOST and _is_number(strength)
        facts = {"strength": int(float(strength)) if boosts else 0, "slot": self.texts["slot"], "segment": None}
        rule = {**facts, "action": action, "items": self.builders[Builder.ITEMS].conditions}
        return Names.of([rule]).effect(rule)[:LONGEST_NAME]


def _asked_rows(query: QueryDict, *, prefix: str = "") -> list[Row]:
    names = {name: name.removeprefix(prefix) for name in query if name.startswith(prefix)}
    return [
        {
            "attribute": attribute,
            "operator": next(iter(operators_of(attribute)), Operator.IS),
            "values": [value for value in query.getlist(name) if value],
        }
        for name, attribute in names.items()
        if kind_of(attribute) is not None
    ]


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False
