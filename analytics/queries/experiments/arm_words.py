"""What the arms of experiments change, in words: each lever, and what every arm serves of it."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from django.core.exceptions import ObjectDoesNotExist
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.templatetags.display import number, share
from analytics.templatetags.words import blend_label, label
from recommendations.models import Arm, BlendWeights, Experiment, RuleBook
from recommendations.services.experiments.levers import all_levers, books_with_archived, live_changes
from recommendations.terms import ExperimentKind
from recommendations.wording import labels
from recommendations.wording.experiment_labels import PLACEMENT_FIELDS

GONE = gettext_lazy("no longer there")


def stored_arms(keys: Iterable[int]) -> list[Arm]:
    """Arms by key, with their experiments; no query where there are none."""
    wanted = list(keys)
    return list(Arm.objects.filter(pk__in=wanted).select_related("experiment")) if wanted else []


@dataclass(frozen=True, kw_only=True)
class ArmValue:
    """What an arm serves of a lever; ``link`` leads to the version, empty where there is none."""

    words: str
    link: str = ""


@dataclass(frozen=True, kw_only=True)
class LeverRow:
    """A lever of an experiment with the value of every arm, that of the control first."""

    lever: str
    words: str
    values: Sequence[ArmValue]

    @property
    def sentence(self) -> str:
        """The lever with what is compared: "For you: v13 against v12"."""
        control, *others = (value.words for value in self.values)
        tested = dict.fromkeys(words for words in others if words != control) or {control: None}
        parts = {"lever": self.words, "tested": _(", ").join(tested), "control": control}
        return _("%(lever)s: %(tested)s against %(control)s") % parts


@dataclass(frozen=True, kw_only=True)
class ArmNames:
    """Versions that arms refer to, by key."""

    weights: Mapping[int, BlendWeights]
    books: Mapping[int, RuleBook]

    @classmethod
    def of(cls, changes: Iterable[Mapping[str, Any]], *, with_rules: bool = False) -> Self:
        """The versions that any of these changes name, in two queries at most; books without rules unless asked."""
        every = list(changes)
        weights = {key for each in every for key in each.get("weights", {}).values()}
        books = {each["rules"] for each in every if each.get("rules") is not None}
        rows = books_with_archived() if with_rules else RuleBook.objects.defer("rules")
        return cls(
            weights=BlendWeights.objects.select_related("blend").in_bulk(weights) if weights else {},
            books=rows.in_bulk(books) if books else {},
        )

    def rows(self, arms: Sequence[Arm]) -> list[LeverRow]:
        """The levers of an experiment, with the value of each arm; ``arms`` are in their order."""
        return self.compared([arm.changes for arm in arms])

    def compared(self, changes: Sequence[Mapping[str, Any]]) -> list[LeverRow]:
        """The levers of all these changes, with the value that each has of them."""
        return [self._row(lever, changes) for lever in sorted(all_levers(changes), key=_order)]

    def sentence(self, experiment: Experiment) -> str:
        """What an experiment compares, on one line; its arms have been fetched."""
        arms = sorted(experiment.arms.all(), key=lambda arm: arm.position)
        rows = self.rows(arms)
        if experiment.kind != ExperimentKind.AA:
            return _("; ").join(row.sentence for row in rows)
        begun = experiment.started_at is not None
        values = [row.values[-1].words if begun else _("what is live") for row in rows]
        text = _("%(lever)s: %(value)s in both groups")
        return _("; ").join(
            text % {"lever": row.words, "value": value} for row, value in zip(rows, values, strict=True)
        )

    def _row(self, lever: str, changes: Sequence[Mapping[str, Any]]) -> LeverRow:
        kind, _separator, name = lever.partition(":")
        values = [self._value(kind, name, each) for each in changes]
        return LeverRow(lever=lever, words=lever_words(kind, name), values=values)

    def _value(self, kind: str, name: str, changes: Mapping[str, Any]) -> ArmValue:
        match kind:
            case "weights" if name in changes.get("weights", {}):
                return self._version(changes["weights"][name])
            case "rules" if changes.get("rules") is not None:
                return self._book(changes["rules"])
            case "placement" if name in changes.get("placements", {}):
                words = placement_words(changes["placements"][name])
                return ArmValue(words=words, link=reverse("placement_settings", args=[name]))
            case "page" if name in changes.get("pages", {}):
                order = _(", ").join(map(labels.placement_label, changes["pages"][name]))
                return ArmValue(words=order, link=reverse("shop_page", args=[name]))
        return ArmValue(words=_("what is live"))

    def _version(self, key: int) -> ArmValue:
        row = self.weights.get(key)
        if row is None:
            return ArmValue(words=str(GONE))
        query = {"blend": row.blend.name, "load": row.number}
        return ArmValue(words=f"v{row.number}", link=reverse("weights", query=query))

    def _book(self, key: int) -> ArmValue:
        row = self.books.get(key)
        if row is None:
            return ArmValue(words=str(GONE))
        if not row.number:
            return ArmValue(words=_("no rules"))
        return ArmValue(words=f"r{row.number}", link=reverse("rule_books", fragment=f"r{row.number}"))


def arms_as_served(experiment: Experiment, arms: Sequence[Arm]) -> Sequence[Arm]:
    """The arms of an experiment; all of an A/A that has not begun have what is live now."""
    if experiment.kind == ExperimentKind.AA and experiment.started_at is None:
        with suppress(ObjectDoesNotExist):
            live = live_changes(arm.changes for arm in arms)
            return [Arm(position=arm.position, changes=live) for arm in arms]
    return arms


def lever_words(kind: str, name: str) -> str:
    """Name of a lever: the blend, the rules, a placement or a page."""
    match kind:
        case "weights":
            return blend_label(name)
        case "placement":
            return _("Placement “%(name)s”") % {"name": labels.placement_label(name)}
        case "page":
            return _("Page “%(name)s”") % {"name": labels.shop_page_label(name)}
    return _("Rules")


def placement_words(values: Mapping[str, Any]) -> str:
    """What is set of a placement: "10 items, diversity 0.3"."""
    return _(", ").join(_field_words(field, value) for field, value in values.items())


def _field_words(field: str, value: Any) -> str:
    match field:
        case "n":
            return ngettext("%(n)s item", "%(n)s items", int(value)) % {"n": number(value)}
        case "repeat":
            text = label(labels.REPEATS, value)
        case "blend":
            text = blend_label(value) if value else _("no blend")
        case "explores":
            text = _("yes") if value else _("no")
        case "cool_down":
            text = share(value)
        case _:
            text = _("as the weights have it") if value is None else number(value, 2)
    return _("%(field)s: %(value)s") % {"field": PLACEMENT_FIELDS[field], "value": text}


def _order(lever: str) -> tuple[int, str]:
    kinds = ("weights", "rules", "placement", "page")
    return kinds.index(lever.partition(":")[0]), lever
