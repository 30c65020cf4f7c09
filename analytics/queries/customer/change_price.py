"""The price of a suggested change: what it would do to everybody else, before it is made a draft."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from analytics.queries.weights.effect import effect_of
from analytics.templatetags.display import number, of, share
from analytics.templatetags.weights import relative
from analytics.templatetags.words import WHY_UNMEASURED
from recommendations.engine.evaluation.panel_measures import ACCURACY, REVENUE
from recommendations.models import BlendWeights
from recommendations.services.review.suggestions import Suggestion
from recommendations.services.rules.price_tags import NoModelError, price_tag
from recommendations.serving.serve import UnknownPlacementError
from recommendations.simulation.counterfactuals import CounterfactualKind

TOLD = (REVENUE, ACCURACY)


def price_of(change: Suggestion, *, placement: str, now: datetime) -> dict[str, Any]:
    """Context ``whom``: whose lists change; ``figures``: metrics with the difference to what is served, or why there
    are none: ``unmeasured``."""
    if change.draft.weights is not None:
        return _of_weights(change.draft.weights)
    return _of_rules(change, placement=placement, now=now)


def _of_weights(weights: BlendWeights) -> dict[str, Any]:
    result = effect_of(weights)
    if result.unmeasured:
        return {"whom": _whom(weights), "unmeasured": WHY_UNMEASURED[result.unmeasured]}
    reach = _(
        "%(changed)s of %(users)s customers of the tuning panel (%(share)s) would get a different list (first "
        "%(length)s items)."
    ) % {
        "changed": number(result.changed),
        "length": number(result.length),
        "users": number(result.users),
        "share": share(result.changed / result.users, 1),
    }
    figures = [(name, relative(result.figures[name])) for name in TOLD if name in result.figures]
    return {"whom": f"{_whom(weights)} {reach}", "figures": figures}


def _whom(weights: BlendWeights) -> str:
    if weights.group is None:
        return _("This affects everyone, not only this customer.")
    if weights.audience:
        return _("This affects everyone in audience “%(audience)s”.") % {"audience": weights.audience}
    return _("This affects everyone in segment “%(segment)s”.") % {"segment": weights.segment}


def _of_rules(change: Suggestion, *, placement: str, now: datetime) -> dict[str, Any]:
    if change.kind is CounterfactualKind.OWN_PIN:
        return {"whom": _("This affects only this customer: no other list changes.")}
    everyone = _("This affects everyone, not only this customer.")
    try:
        tag = price_tag(rules=change.draft.rules or (), placement=placement, now=now)
    except (NoModelError, UnknownPlacementError):
        return {"whom": everyone, "unmeasured": _("There is nothing to measure it on yet.")}
    reach = _(
        "%(touched)s of %(customers)s customers (%(share)s) would see another list: %(slots)s of the first %(length)s "
        "slots would show another item."
    ) % {
        "slots": share(of(tag.slots_touched, tag.slots), 1),
        "length": number(tag.length),
        "touched": number(tag.customers_touched),
        "customers": number(tag.customers),
        "share": share(of(tag.customers_touched, tag.customers), 1),
    }
    return {
        "whom": f"{everyone} {reach}",
        "figures": [(name, effect.relative) for name, effect in tag.effects.items()],
        "unmeasured": "" if tag.effects else _("No purchases tell what would have been right here."),
    }
