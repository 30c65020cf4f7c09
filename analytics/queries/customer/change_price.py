"""The price of a suggested change: what it would do to everybody else, before it is made a draft."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from analytics.queries.rules.effect import priced
from analytics.templatetags.display import Direction, direction, number, share
from analytics.templatetags.words import WHY_UNMEASURED, metric_label
from recommendations.models import BlendWeights
from recommendations.services.review.why_not import Suggestion, UnknownPlacementError
from recommendations.services.rules.price_tags import NoModelError
from recommendations.services.weights.what_if import what_if
from recommendations.terms import BlendName

TOLD = ("ndcg@10", "revenue_ndcg@10")


@dataclass(frozen=True, kw_only=True)
class MetricChange:
    """A metric's difference to what is served, with its 95 % interval."""

    words: str
    difference: Mapping[str, float]

    @property
    def direction(self) -> Direction:
        return direction(self.difference)


@dataclass(frozen=True, kw_only=True)
class Price:
    """Price of a change; ``whom``: whose lists change, ``unmeasured``: why there are no figures, if there are none."""

    whom: str
    figures: Sequence[MetricChange] = ()
    unmeasured: str = ""


def price_of(change: Suggestion, *, placement: str, now: datetime) -> Price:
    if change.draft.weights is not None:
        return _of_weights(change.draft.weights)
    return _of_rules(change, placement=placement, now=now)


def _of_weights(weights: BlendWeights) -> Price:
    result = what_if(
        blend=BlendName(weights.blend.name),
        weights=weights.weights,
        diversity=weights.diversity,
        promotion=weights.promotion,
        segment=weights.segment,
    )
    if result.unmeasured:
        return Price(whom=_whom(weights), unmeasured=str(WHY_UNMEASURED[result.unmeasured]))
    reach = _("%(changed)s of %(users)s customers of the tuning panel (%(share)s) would see another first ten.") % {
        "changed": number(result.changed),
        "users": number(result.users),
        "share": share(result.changed / result.users, 1),
    }
    return Price(
        whom=f"{_whom(weights)} {reach}",
        figures=[
            MetricChange(words=metric_label(name), difference=result.figures[name].against._asdict())
            for name in TOLD
            if name in result.figures
        ],
    )


def _whom(weights: BlendWeights) -> str:
    if weights.segment is None:
        return _("This changes everyone, not this customer alone.")
    return _("This changes everyone in segment “%(segment)s”.") % {"segment": weights.segment}


def _of_rules(change: Suggestion, *, placement: str, now: datetime) -> Price:
    everyone = _("This changes everyone, not this customer alone.")
    try:
        price = priced(change.draft.rules or (), placement=placement, now=now)
    except (NoModelError, UnknownPlacementError):
        return Price(whom=everyone, unmeasured=_("There is nothing to measure it on yet."))
    reach = _("%(touched)s of %(customers)s customers (%(share)s) would see another list.") % {
        "touched": number(price.tag.customers_touched),
        "customers": number(price.tag.customers),
        "share": share(price.customers, 1),
    }
    return Price(
        whom=f"{everyone} {reach}",
        figures=[MetricChange(words=each.words, difference=each.effect.difference._asdict()) for each in price.figures],
        unmeasured="" if price.figures else _("No purchase tells what would have been right here."),
    )
