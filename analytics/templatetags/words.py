"""Labels of metrics, counts and terms on the pages, in the reader's language."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django import template
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from analytics.templatetags.display import duration, number, share
from recommendations.models import RunStage
from recommendations.services.weights.what_if import Unmeasured
from recommendations.terms import Cut, RunStatus, Stage
from recommendations.wording import labels
from recommendations.wording.instance_labels import instance_label

register = template.Library()
register.filter("placement", labels.placement_label)
register.filter("shop_page", labels.shop_page_label)
register.filter("instance", instance_label)
register.filter("gate", labels.gate_text)

MAIN_METRIC, COVERAGE = "ndcg@10", "coverage@10"
WHY_UNMEASURED: Mapping[Unmeasured, Promise] = {
    Unmeasured.NO_MODEL: gettext_lazy("No run has finished yet, so there is nothing to weigh. Start one first."),
    Unmeasured.NO_TRUTH: gettext_lazy(
        "No purchase tells what would have been right next to an item in view, so there are no figures here: look at "
        "the lists."
    ),
    Unmeasured.NOBODY: gettext_lazy(
        "No customer with a history bought anything in the tuning window here, so there are no figures."
    ),
    Unmeasured.TOO_FEW: gettext_lazy(
        "Fewer than ten of these customers bought anything in the tuning window: too few to promise figures."
    ),
}
METRICS: Mapping[str, tuple[Promise, Promise]] = {
    "ndcg@10": (
        pgettext_lazy("metric", "NDCG@10"),
        gettext_lazy("How close to the top of the ten the items are that were bought afterwards; 1 is perfect."),
    ),
    "ndcg@20": (
        pgettext_lazy("metric", "NDCG@20"),
        gettext_lazy("Like NDCG@10, over the first twenty."),
    ),
    "recall@10": (
        pgettext_lazy("metric", "Recall@10"),
        gettext_lazy("Share of everything bought afterwards that is among the ten."),
    ),
    "recall@20": (
        pgettext_lazy("metric", "Recall@20"),
        gettext_lazy("Share of everything bought afterwards that is among the twenty."),
    ),
    "hit_rate@10": (
        pgettext_lazy("metric", "Hit rate@10"),
        gettext_lazy("Share of customers who bought at least one of the ten."),
    ),
    "map@10": (
        pgettext_lazy("metric", "MAP@10"),
        gettext_lazy("Mean precision at the positions of the items that were bought."),
    ),
    "mrr@10": (
        pgettext_lazy("metric", "MRR@10"),
        gettext_lazy("Mean of one divided by the position of the first item that was bought."),
    ),
    "revenue_ndcg@10": (
        pgettext_lazy("metric", "Revenue NDCG@10"),
        gettext_lazy("As accuracy, with each item counting as much as was spent on it."),
    ),
    "coverage@10": (
        pgettext_lazy("metric", "Coverage@10"),
        gettext_lazy("Share of the catalogue that appears in anyone's ten."),
    ),
    "novelty@10": (
        pgettext_lazy("metric", "Novelty@10"),
        gettext_lazy("How little known the ten items are, in bits; higher means newer."),
    ),
    "diversity@10": (
        pgettext_lazy("metric", "Diversity@10"),
        gettext_lazy("How different the ten items are from one another; 1 is all different."),
    ),
}
COUNTS: Mapping[str, Promise] = {
    "events": gettext_lazy("events"),
    "new": gettext_lazy("new events"),
    "customers": gettext_lazy("customers"),
    "kept": gettext_lazy("events kept"),
    "sessions": gettext_lazy("visits"),
    "burst_threshold": gettext_lazy("events a day that count as a burst"),
    "set_aside": gettext_lazy("events set aside"),
    "vectors": gettext_lazy("further vectors of items"),
    "removed_new": gettext_lazy("events of new customers left out"),
    "removed_duplicate": gettext_lazy("duplicates removed"),
    "removed_near_duplicate": gettext_lazy("near duplicates removed"),
    "removed_told_again": gettext_lazy("repeated purchases removed"),
    "removed_burst": gettext_lazy("events in bursts removed"),
    "removed_impossible_time": gettext_lazy("impossible times removed"),
    "removed_impossible_value": gettext_lazy("impossible quantities or prices removed"),
    "removed_orphan": gettext_lazy("events without item or customer removed"),
    "removed_unknown_customer": gettext_lazy(
        "follows of customers that nobody knows: send the same ids as in other events"
    ),
    "removed_unknown_brand": gettext_lazy(
        "follows of brands that no item has: send the brand as the catalogue writes it"
    ),
    "removed_unknown_category": gettext_lazy(
        "follows of categories that do not exist: send the whole path, Shoes > Running"
    ),
    "removed_unknown_creator": gettext_lazy(
        "follows of creators that no item has: send the name as the catalogue writes it"
    ),
    "removed_unknown_collection": gettext_lazy(
        "follows of collections that no item has: send the name as the catalogue writes it"
    ),
    "confirmed": gettext_lazy("confirmed customers"),
    "seen": gettext_lazy("customers who were seen"),
    "new_customers": gettext_lazy("new customers"),
    "users": gettext_lazy("customers"),
    "items": gettext_lazy("items"),
    "home_users": gettext_lazy("customers who bought afterwards"),
    "discover_users": gettext_lazy("customers who bought something for the first time"),
    "promotions": gettext_lazy("promoted weeks of items"),
    "profiles": gettext_lazy("interest profiles"),
    "segments": gettext_lazy("segments"),
    "agreement": gettext_lazy("agreement of segments with the last run"),
    "proposed_points": gettext_lazy("event weights proposed"),
    "rules": gettext_lazy("association rules"),
    "looks": gettext_lazy("looks without a click that halve the belief in an item"),
    "attention": gettext_lazy("exponent by which attention falls with the position"),
    "score_seconds": gettext_lazy("to score them"),
    "fit_seconds": gettext_lazy("to fit all recommenders"),
    "now": gettext_lazy("parts of the customers' lists made so far"),
    "parts": gettext_lazy("parts of the work"),
    "parts_again": gettext_lazy("parts begun more than once"),
    "part_cpu_seconds": gettext_lazy("of processor time for the parts"),
    "part_skew": gettext_lazy("the mean time, for the longest part"),
    "part_place": gettext_lazy("did the parts"),
    "part_hosts": gettext_lazy("had a share in them"),
    "bytes": gettext_lazy("stored"),
    "skipped": gettext_lazy("skipped"),
    "home_weights": gettext_lazy("new weights of For you"),
    "discover_weights": gettext_lazy("new weights of Discover"),
    "home_visit_share": gettext_lazy("share of a visit in For you"),
    "discover_visit_share": gettext_lazy("share of a visit in Discover"),
}
MEASURED: Mapping[str, Promise] = {
    "hybrid": gettext_lazy("Hybrid, as served"),
    "hybrid_proposed": gettext_lazy("Hybrid, proposed weights"),
    "recent": gettext_lazy("Recent best sellers"),
}
TERMS: Mapping[str, Promise] = {
    "rhythm": gettext_lazy("Rhythm with the item"),
    "category": gettext_lazy("Rhythm with its category"),
    "price": gettext_lazy("Price"),
    "promotion": gettext_lazy("Promotions, past and planned"),
    "popularity": gettext_lazy("Popularity"),
    "customer": gettext_lazy("The customer's overall buying"),
    "agreement": gettext_lazy("How far the recommenders agree"),
    "base": gettext_lazy("Base score of any candidate"),
}
"""Terms of the second stage's part of a score; the other terms are the recommenders, by their own names."""

HEADLINES: Mapping[Stage, tuple[str, ...]] = {
    Stage.COLLECT: ("new",),
    Stage.PREPROCESS: ("kept",),
    Stage.INTERESTS: ("segments",),
    Stage.TRAIN: ("customers",),
    Stage.EVALUATE: ("home_users",),
    Stage.ADJUST: ("home_weights",),
}

FORMS: Mapping[str, Callable[[Any], str]] = {
    "agreement": share,
    "bytes": lambda size: _("%(size)s MB") % {"size": number(size / 1e6)},
    "now": lambda lists: f"{number(lists['parts'])} / {number(lists['of'])}",
    "part_hosts": lambda hosts: ngettext("%(n)s machine", "%(n)s machines", hosts) % {"n": number(hosts)},
    "part_skew": lambda skew: _("%(times)s times") % {"times": number(skew, 1)},
}
"""How counts are written that are neither a number nor a span of time."""


def label(choices: labels.Choices, code: str) -> str:
    """What a code of ``terms.py`` is called; an unknown one is called by its code."""
    return next((str(words) for value, words in choices if value == code), code.replace("_", " "))


@register.filter("measured")
def measured_label(name: str) -> str:
    """Label of the hybrid, a recommender or a baseline."""
    return str(MEASURED[name]) if name in MEASURED else instance_label(name)


def term_label(name: str) -> str:
    return str(TERMS[name]) if name in TERMS else instance_label(name)


@register.filter("metric")
def metric_label(name: str) -> str:
    return str(METRICS[name][0]) if name in METRICS else name


blend_label = register.filter("blend", partial(label, labels.BLENDS))
judgement_label = register.filter("judgement", partial(label, labels.JUDGEMENTS))
source_label = register.filter("source", partial(label, labels.SOURCES))
fallback_label = register.filter("fallback", partial(label, labels.FALLBACKS))


@register.filter
def stage_seconds(row: RunStage) -> float | None:
    """Seconds that a stage took, or has taken so far; None before it begins and where it was broken off."""
    end = row.finished_at or (timezone.now() if row.status == RunStatus.RUNNING else None)
    return (end - row.started_at).total_seconds() if row.started_at and end else None


@register.filter
def not_reached(row: RunStage) -> bool:
    """Whether a stage still waits though its run has ended."""
    return row.status == RunStatus.QUEUED and not row.run.unfinished


@register.filter("stage")
def stage_label(row: RunStage) -> str:
    """A stage of a run with its cut, where it has one."""
    return f"{row.get_stage_display()} · {row.get_cut_display()}" if row.cut else row.get_stage_display()


@register.filter
def counts_in_words(counts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Counts of a stage, as (value, words): ``("1,469,307", "events")``.

    Nothing removed, or done again, is not worth a line. Metrics, which have an ``@``, are left out: they stand on
    *Quality*, and no two runs can be compared by them.
    """
    keys = [
        key
        for key, value in counts.items()
        if value is not None and (value or not key.startswith(("removed_", "parts_again"))) and "@" not in key
    ]
    return [(_count_value(key, counts[key]), _count_words(key)) for key in sorted(keys, key=_count_order)]


@register.filter
def stage_counts(row: RunStage) -> list[tuple[str, str]]:
    """Counts of a stage in words; what is new are events to the first stage, and customers to the one that cleans."""
    renamed = {"new": "new_customers"} if row.stage == Stage.PREPROCESS else {}
    return counts_in_words({renamed.get(key, key): value for key, value in row.counts.items()})


def _count_order(key: str) -> tuple[str, int, str]:
    """Sort key of a count: what concerns all cuts first, each part in the order of ``COUNTS``."""
    cut, _separator, rest = key.partition("_")
    named = rest if cut in set(Cut) else key
    place = list(COUNTS).index(named) if named in COUNTS else len(COUNTS)
    return (cut if cut in set(Cut) else "", place, key)


def headline(stage: Stage, counts: Mapping[str, Any]) -> tuple[str, str] | None:
    """The one count that says most about the stage."""
    chosen = {key: counts[key] for key in HEADLINES[stage] if counts.get(key) is not None}
    return next(iter(counts_in_words(chosen)), None)


def _count_words(key: str) -> str:
    if key in COUNTS:
        return str(COUNTS[key])
    cut, _separator, rest = key.partition("_")
    if cut in set(Cut) and rest in COUNTS:
        return _("%(what)s (%(cut)s)") % {"cut": label(labels.CUTS, cut), "what": COUNTS[rest]}
    return key.replace("_", " ")


def _count_value(key: str, value: Any) -> str:
    if key in FORMS:
        return FORMS[key](value)
    if isinstance(value, Mapping):
        return duration(sum(value.values()))
    if isinstance(value, (str, Sequence)):
        return str(value)
    if key.endswith("_seconds"):
        return duration(value)
    if key.endswith("_weights"):
        return f"v{value}"
    return number(value, 0 if float(value).is_integer() else 4)
