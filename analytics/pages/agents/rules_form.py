"""The form of what the agent may do: ticks, a share, and lists to strike out of, with a line for one more."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from analytics.queries.agents.rules import floor_words, rule_words
from analytics.queries.agents.words import AgentNames
from recommendations.engine.push.agent.choice import FLOOR
from recommendations.engine.push.agent.points import ANY, OptionRule
from recommendations.engine.push.agent.terms import Lever, Menu, Slot
from recommendations.push_terms import Channel
from recommendations.services.agents.contradictions import MOST_SUBJECTS
from recommendations.services.agents.supervision import (
    LEAST_FLOOR,
    LEAST_SHARE,
    MOST_FLOOR,
    MOST_SHARE,
    AgentForm,
    FloorRule,
)
from recommendations.wording import agent_terms, push_labels

ALL = "all"
NEW = ("", pgettext_lazy("rule of the agent", "none more"))
WAYS: list[tuple[str, Any]] = [
    *((f"{Lever.CHANNEL}:{channel}", dict(push_labels.CHANNELS)[channel]) for channel in Channel),
    *((f"{Lever.HOUR}:{slot}", dict(agent_terms.SLOTS)[slot.value]) for slot in Slot),
]
"""Values that may be forbidden or pinned, for all campaigns or one."""
NEW_RULES = {"forbids": "forbid_way", "pins": "pin_way", "floors": "floor_subject"}
"""Where a rule more is typed, beside those that stand."""


class AgentFields(forms.Form):
    """What the agent may do, as somebody ticks and types it."""

    levers = forms.MultipleChoiceField(
        label=_("May vary"), choices=agent_terms.LEVERS, widget=forms.CheckboxSelectMultiple, required=False
    )
    share = forms.FloatField(
        label=_("Acts on, % of the people who are not held out"),
        min_value=LEAST_SHARE * 100,
        max_value=MOST_SHARE * 100,
        widget=forms.NumberInput({"step": "1", "min": "5", "max": "80", "inputmode": "numeric"}),
        help_text=_("Until it is proven, 45; then 80. The rule keeps the others, to be compared with."),
    )
    floor = forms.FloatField(
        label=_("Chance of a trial, % over all that is allowed"),
        min_value=LEAST_FLOOR * 100,
        max_value=FLOOR * 100,
        widget=forms.NumberInput({"step": "0.25", "min": "0.25", "max": "2", "inputmode": "decimal"}),
        help_text=_("Usually 2. A guardrail halves it where trials cost more than 5% of what a week is worth."),
    )
    forbids = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple, label=_("Forbidden"))
    forbid_way = forms.ChoiceField(required=False, label=_("Forbid"), choices=[NEW, *WAYS])
    forbid_campaign = forms.ChoiceField(required=False, label=_("For campaign"))
    pins = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label=pgettext_lazy("agent", "Pinned")
    )
    pin_way = forms.ChoiceField(required=False, label=pgettext_lazy("agent", "Pin"))
    pin_campaign = forms.ChoiceField(required=False, label=_("For campaign"))
    floors = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple, label=_("Kept in play"))
    floor_subject = forms.ChoiceField(required=False, label=_("Keep in play"))
    floor_campaign = forms.ChoiceField(required=False, label=_("For campaign"))
    floor_percent = forms.FloatField(
        required=False,
        label=_("with at least, %"),
        min_value=1,
        max_value=MOST_FLOOR * 100,
        widget=forms.NumberInput({"step": "1", "min": "1", "max": "20", "inputmode": "numeric"}),
    )

    def __init__(self, data: QueryDict | None = None, *, live: AgentForm, menu: Menu | None, names: AgentNames) -> None:
        super().__init__(data, initial=None if data is not None else _initial(live))
        campaigns = [(str(key), names.campaign(key)) for key, _subjects in (menu.campaigns if menu else ())]
        subjects = [(str(n), names.value(Lever.SUBJECT, str(n))) for n in range(MOST_SUBJECTS)]
        every = [(ALL, names.campaign(ANY)), *campaigns]
        sent = data or QueryDict()
        for name, rules in (("forbids", live.forbids), ("pins", live.pins)):
            self._choose(name, [(_key(each), rule_words(each, names)) for each in _both(rules, sent.getlist(name))])
        self._choose(
            "floors",
            [(_floor_key(each), floor_words(each, names)) for each in _floors(live.floors, sent.getlist("floors"))],
        )
        self._choose("forbid_campaign", every)
        self._choose("pin_campaign", every)
        self._choose("pin_way", [NEW, *WAYS, *((f"{Lever.SUBJECT}:{n}", words) for n, words in subjects)])
        self._choose("floor_subject", [NEW, *subjects])
        self._choose("floor_campaign", campaigns)

    def _choose(self, name: str, choices: Iterable[tuple[str, Any]]) -> None:
        cast("forms.ChoiceField", self.fields[name]).choices = list(choices)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if str(values.get("pin_way", "")).startswith(Lever.SUBJECT) and values.get("pin_campaign") in {"", ALL}:
            self.add_error("pin_way", _("Choose the campaign whose subject it is."))
        if values.get("floor_subject") and not (values.get("floor_campaign") and values.get("floor_percent")):
            self.add_error("floor_subject", _("Say of which campaign, and how much it gets at least."))
        return values

    def rules(self) -> AgentForm:
        """The rules of a form that is whole."""
        values = self.cleaned_data
        floors = [_floor(each) for each in values["floors"]]
        if values["floor_subject"]:
            floors.append(
                FloorRule(
                    campaign=int(values["floor_campaign"]), variant=int(values["floor_subject"]),
                    chance=values["floor_percent"] / 100,
                )
            )  # fmt: skip
        return AgentForm(
            levers=frozenset(Lever(each) for each in values["levers"]), share=values["share"] / 100,
            floor=values["floor"] / 100,
            forbids=_rules(values, "forbids", "forbid"), pins=_rules(values, "pins", "pin"), floors=tuple(floors),
        )  # fmt: skip

    def complain(self, error: ValidationError) -> None:
        """Put what the rules refuse beside its field, which is that of the new rule where one was typed."""
        for name, texts in error.message_dict.items():
            new = NEW_RULES.get(name, "")
            self.add_error(new if new and (self.cleaned_data.get(new) or name not in self.data) else name, texts)


def _initial(live: AgentForm) -> dict[str, Any]:
    return {
        "levers": [lever.value for lever in live.levers], "share": f"{live.share * 100:.6g}",
        "floor": f"{live.floor * 100:.6g}",
        "forbids": [_key(each) for each in live.forbids], "pins": [_key(each) for each in live.pins],
        "floors": [_floor_key(each) for each in live.floors],
    }  # fmt: skip


def _rules(values: Mapping[str, Any], kept: str, new: str) -> tuple[OptionRule, ...]:
    """The rules that are kept, and the one that is new, once each."""
    rules = [_rule(each) for each in values[kept]]
    if values[f"{new}_way"]:
        lever, value = values[f"{new}_way"].split(":")
        campaign = values[f"{new}_campaign"] or ALL
        rules.append(OptionRule(ANY if campaign == ALL else int(campaign), Lever(lever), value))
    return tuple(dict.fromkeys(rules))


def _both(live: Iterable[OptionRule], sent: Iterable[str]) -> list[OptionRule]:
    """Rules that count, and those that a form brings back; what is no rule is left out, and refused as no choice."""
    typed = [rule for text in sent if (rule := _known_rule(text)) is not None]
    return list(dict.fromkeys([*live, *typed]))


def _known_rule(text: str) -> OptionRule | None:
    try:
        return _rule(text)
    except ValueError:
        return None


def _rule(text: str) -> OptionRule:
    campaign, lever, value = text.split("|")
    return OptionRule(ANY if campaign == ALL else int(campaign), Lever(lever), value)


def _key(rule: OptionRule) -> str:
    return f"{ALL if rule.campaign is ANY else rule.campaign}|{rule.lever}|{rule.value}"


def _floors(live: Iterable[FloorRule], sent: Iterable[str]) -> list[FloorRule]:
    typed = []
    for text in sent:
        try:
            typed.append(_floor(text))
        except ValueError:
            continue
    return list(dict.fromkeys([*live, *typed]))


def _floor(text: str) -> FloorRule:
    campaign, variant, chance = text.split("|")
    return FloorRule(campaign=int(campaign), variant=int(variant), chance=float(chance))


def _floor_key(floor: FloorRule) -> str:
    return f"{floor.campaign}|{floor.variant}|{floor.chance!r}"
