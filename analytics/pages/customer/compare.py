"""The live answer beside the one that drafts would give."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.pages.customer.cards import moved, places
from analytics.pages.customer.view import Compare, Lens
from analytics.queries.customer.profile import CustomerHead
from analytics.queries.weights.groups import place_of
from analytics.templatetags.weights import whom
from recommendations.models import BlendWeights
from recommendations.services.review.drafts import DraftRules, draft_rules, draft_weights
from recommendations.services.review.review import Draft, Review, compare
from recommendations.terms import BlendName


@dataclass(frozen=True, kw_only=True)
class Source:
    """A draft that the answer is compared with: its name, who wrote it, and where it is edited."""

    words: str
    by: str
    address: str


@dataclass(frozen=True, kw_only=True)
class Drafted:
    """Drafts that the answer is compared with; ``missing`` says which of them does not exist."""

    draft: Draft | None
    sources: list[Source]
    missing: list[str]


def drafted(lens: Lens, person: CustomerHead) -> Drafted:
    weights = rules = None
    blend = lens.place.blend
    missing = []
    if lens.compare in {Compare.WEIGHTS, Compare.BOTH}:
        weights = draft_weights(blend=BlendName(blend.name), customer=person.customer.pk) if blend else None
        if weights is None:
            missing.append(_("There are no draft weights for this placement."))
    if lens.compare in {Compare.RULES, Compare.BOTH}:
        rules = draft_rules(now=timezone.now())
        if rules is None:
            missing.append(_("No rule waits to be published."))
    sources = []
    if weights:
        sources.append(
            Source(
                words=_("Draft weights of %(blend)s for %(whom)s")
                % {"blend": weights.blend, "whom": whom(weights.group)},
                by=str(weights.author or ""),
                address=weights_address(weights),
            )
        )
    sources += _rule_sources(rules)
    draft = Draft(weights=weights, rules=rules.book if rules else None) if weights or rules else None
    return Drafted(draft=draft, sources=sources, missing=missing)


def _rule_sources(rules: DraftRules | None) -> list[Source]:
    waiting = rules.waiting if rules else []
    return [
        Source(words=_("Rule “%(rule)s”") % {"rule": rule}, by="", address=reverse("rule", args=[rule.pk]))
        for rule in waiting
    ]


def weights_address(draft: BlendWeights) -> str:
    """Address of the page on which the draft is edited."""
    return reverse("weights", query=place_of(draft))


def comparison(live: Review, draft: Review) -> dict[str, Any]:
    """Context of both lists with the movement of each item, and all of it in one sentence."""
    was, now = places(live), places(draft)
    return {
        "live_list": [(card, None if card.item.pk in now else moved(card.rank, None)) for card in live.cards],
        "draft_list": [(card, moved(was.get(card.item.pk), card.rank)) for card in draft.cards],
        "moves": movement_text(live, draft),
    }


def movement_text(before: Review, after: Review) -> str:
    """How many items are new, out, higher, lower, or where they were."""
    counts = Counter(moved(each.was, each.now).css for each in compare(before, after))
    return _sentence(counts, total=len(after.cards))


def _sentence(counts: Counter[str], *, total: int) -> str:
    phrases = {
        "is-new": ngettext("%(n)d is new", "%(n)d are new", counts["is-new"]),
        "is-out": ngettext("%(n)d is out", "%(n)d are out", counts["is-out"]),
        "is-up": ngettext("%(n)d moves up", "%(n)d move up", counts["is-up"]),
        "is-down": ngettext("%(n)d moves down", "%(n)d move down", counts["is-down"]),
    }
    parts = [words % {"n": counts[css]} for css, words in phrases.items() if counts[css]]
    if not parts:
        return _("Nothing moves for this customer.")
    same = ngettext("%(n)d of %(total)d stays", "%(n)d of %(total)d stay", counts["is-same"]) % {
        "n": counts["is-same"], "total": total,
    }  # fmt: skip
    return _(", ").join([*parts, same]) + _(".")
