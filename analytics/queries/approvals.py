"""Drafts that wait for approval, what became of the last ones, and what waits for one draft."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse

from analytics.queries.weights.groups import place_of
from analytics.templatetags.rules import Names
from recommendations.models import ApprovalRequest, BlendWeights, Campaign
from recommendations.services.rules.attributes import frozen
from recommendations.terms import ApprovalState

MOST_DECIDED = 20
OPEN = (ApprovalState.WAITING, ApprovalState.RETURNED)


@dataclass(frozen=True, kw_only=True)
class RequestRow:
    """A request; ``edit`` leads to the draft, ``publish`` to the dialog that publishes it."""

    request: ApprovalRequest
    words: str  # what a rule does; empty for weights
    edit: str
    publish: str
    edited: bool  # since it was asked for


@dataclass(frozen=True, kw_only=True)
class ApprovalQueue:
    waiting: Sequence[RequestRow]  # the oldest first
    decided: Sequence[RequestRow]
    campaigns: Sequence[Campaign]  # in review, the oldest request first

    @property
    def is_empty(self) -> bool:
        return not self.waiting and not self.campaigns


def queue() -> ApprovalQueue:
    known = ApprovalRequest.objects.select_related(
        "rule__placement",
        "rule__segment",
        "weights__blend",
        "weights__segment",
        "weights__audience",
        "asked_by",
        "decided_by",
    )
    waiting = list(known.waiting().order_by("asked_at", "pk"))
    decided = list(known.exclude(state=ApprovalState.WAITING).order_by("-decided_at", "-pk")[:MOST_DECIDED])
    names = Names.of(frozen(one.rule) for one in [*waiting, *decided] if one.rule)
    return ApprovalQueue(
        waiting=[_row(one, names) for one in waiting], decided=[_row(one, names) for one in decided],
        campaigns=list(
            Campaign.objects.in_review().select_related("review_asked_by").order_by("review_asked_at", "pk")
        ),
    )  # fmt: skip


def of_rules(keys: Sequence[int]) -> Mapping[int, ApprovalRequest]:
    """The last request for each of these rules, by the rule's key, while it waits or after it was sent back."""
    asked = ApprovalRequest.objects.filter(rule__in=keys).select_related("asked_by", "decided_by")
    last = {one.rule_id: one for one in asked.order_by("asked_at", "pk") if one.rule_id}
    return {key: one for key, one in last.items() if one.state in OPEN}


def of_weights(draft: BlendWeights | None) -> ApprovalRequest | None:
    """The last request for a draft of weights; None without one."""
    asked = ApprovalRequest.objects.filter(weights=draft).select_related("asked_by", "decided_by")
    return asked.first() if draft else None


def _row(request: ApprovalRequest, names: Names) -> RequestRow:
    rule, weights = request.rule, request.weights
    if rule:
        return RequestRow(
            request=request, words=names.sentence(frozen(rule)), edit=reverse("rule", args=[rule.pk]),
            publish=reverse("rules", query={"open": "publish", "rule": rule.pk}),
            edited=rule.updated_at > request.asked_at,
        )  # fmt: skip
    place = place_of(weights) if weights else {}
    return RequestRow(
        request=request, words="", edit=reverse("weights", query=place),
        publish=reverse("weights", query=place | {"publish": 1}),
        edited=False,
    )  # fmt: skip
