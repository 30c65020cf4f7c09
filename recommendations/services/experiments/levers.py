"""Levers: what an experiment takes hold of. Experiments that share one are for different people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import ExpressionWrapper, JSONField, OuterRef, Q, QuerySet
from django.db.models.functions import JSONArray, JSONObject

from recommendations.models import BlendWeights, Experiment, Placement, Rule, RuleBook, ShopPage
from recommendations.models.experiments import BUCKETS
from recommendations.terms import ExperimentKind, ExperimentStatus

HELD_IN = (ExperimentStatus.RUNNING, ExperimentStatus.PAUSED)
HOLDING = (*HELD_IN, ExperimentStatus.STARTING)
TESTABLE = ("blend", "n", "diversity", "repeat", "cool_down", "fatigue", "explores")
"""Fields of a placement that an arm may set."""


@dataclass(frozen=True, kw_only=True)
class LeverHolder:
    """An experiment that has hold of a lever, for a range of the traffic, at least until a day.

    There is none of a bandit, which has no end, nor of what has not begun.
    """

    experiment: Experiment
    levers: frozenset[str]
    until: date | None


def levers_of(changes: Mapping[str, Any]) -> frozenset[str]:
    """Levers of an arm's changes: ``weights:home``, ``rules``, ``placement:cart``, ``page:home``."""
    levers = {f"weights:{blend}" for blend in changes.get("weights", {})}
    levers |= {f"placement:{name}" for name in changes.get("placements", {})}
    levers |= {f"page:{name}" for name in changes.get("pages", {})}
    return frozenset(levers | ({"rules"} if changes.get("rules") is not None else set()))


def all_levers(arms: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Levers of all arms of an experiment together."""
    return frozenset().union(*map(levers_of, arms))


def touched_placements(levers: Iterable[str]) -> list[str]:
    """Names of the placements whose answers such levers change, as placements and blends stand now."""
    kinds = [lever.partition(":") for lever in levers]
    enabled = Placement.objects.filter(enabled=True)
    if any(kind == "rules" for kind, _sep, _name in kinds):
        return sorted(enabled.values_list("name", flat=True))
    blends = [name for kind, _sep, name in kinds if kind == "weights"]
    pages = [name for kind, _sep, name in kinds if kind == "page"]
    names = {name for kind, _sep, name in kinds if kind == "placement"}
    names |= set(enabled.filter(page_slots__page__name__in=pages).values_list("name", flat=True))
    return sorted(names | set(enabled.filter(blend__name__in=blends).values_list("name", flat=True)))


def holders(levers: Iterable[str], *, but: Experiment | None = None) -> list[LeverHolder]:
    """Experiments under way that have hold of one of these levers."""
    wanted, held = frozenset(levers), []
    under_way = Experiment.objects.filter(status__in=HOLDING, simulated=False).prefetch_related("arms")
    for experiment in under_way.exclude(pk=but.pk) if but else under_way:
        shared = all_levers(arm.changes for arm in experiment.arms.all()) & wanted
        if shared:
            begun = None if experiment.kind == ExperimentKind.BANDIT else experiment.started_at
            until = begun and begun.date() + timedelta(days=experiment.planned_days)
            held.append(LeverHolder(experiment=experiment, levers=shared, until=until))
    return held


def free_ranges(held: Sequence[LeverHolder]) -> list[range]:
    """Ranges of the traffic, of 10,000 parts, that none of the holders has; the first parts first."""
    free, start = [], 0
    for taken in sorted((holder.experiment.range_from, holder.experiment.range_to) for holder in held):
        if taken[0] > start:
            free.append(range(start, taken[0]))
        start = max(start, taken[1])
    return [*free, range(start, BUCKETS)] if start < BUCKETS else free


def served_changes(levers: Iterable[str], fields: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    """Changes that are none: for each lever what is served now, by frozen reference; what a control is made of.

    ``fields`` are those of each placement that arms set.
    """
    changes: dict[str, Any] = {}
    for kind, _sep, name in (lever.partition(":") for lever in sorted(levers)):
        match kind:
            case "weights":
                served = BlendWeights.objects.defaults().of_group(None).filter(blend__name=name).first()
                if served is not None:
                    changes.setdefault("weights", {})[name] = served.pk
            case "rules":
                served_first = RuleBook.objects.filter(Q(is_default=True) | Q(number=0)).order_by("-is_default")
                book = served_first.first() or empty_book()
                changes["rules"] = book.pk
            case "placement":
                row = Placement.objects.select_related("blend").get(name=name)
                changes.setdefault("placements", {})[name] = {
                    field: _value(row, field) for field in fields.get(name, ())
                }
            case "page":
                slots = ShopPage.objects.get(name=name).slots.order_by("position")
                changes.setdefault("pages", {})[name] = list(slots.values_list("placement__name", flat=True))
    return changes


def fields_of(changes: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    """Fields of each placement that any of these changes sets."""
    fields: dict[str, set[str]] = {}
    for each in changes:
        for name, values in each.get("placements", {}).items():
            fields.setdefault(name, set()).update(values)
    return fields


def live_changes(changes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What is served now of all that these changes have hold of; of a placement at least how much it shows.

    Raises ObjectDoesNotExist.
    """
    every = list(changes)
    return served_changes(all_levers(every), {name: own or {"n"} for name, own in fields_of(every).items()})


def replaced_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """What publishing these changes would replace: what is served now, and the archive of rules that come back.

    Raises ObjectDoesNotExist.
    """
    book = books_with_archived().get(pk=changes["rules"]) if changes.get("rules") is not None else None
    return live_changes([changes]) | archived_changes(book)


def books_with_archived() -> QuerySet[RuleBook]:
    """Books, each with the keys of the rules in it that somebody has archived: serving it brings them back."""
    archived = Rule.objects.filter(archived_at__isnull=False).order_by("pk")
    of_book = archived.alias(book=ExpressionWrapper(OuterRef("rules"), output_field=JSONField()))
    keys = of_book.filter(book__contains=JSONArray(JSONObject(id="pk"))).values("pk")
    return RuleBook.objects.annotate(archived=ArraySubquery(keys))


def archived_changes(book: RuleBook | None) -> dict[str, Any]:
    """What ``replaced_changes`` has of the archive; the book is one of ``books_with_archived``."""
    archived = list(getattr(book, "archived", ()))
    return {"archived": archived} if archived else {}


def empty_book() -> RuleBook:
    """The book without rules, which was there before the first."""
    return RuleBook.objects.get_or_create(number=0)[0]


def _value(placement: Placement, field: str) -> Any:
    if field == "blend":
        return placement.blend.name if placement.blend else None
    return getattr(placement, field)
