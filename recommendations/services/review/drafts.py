"""Drafts of weights and rules, which are not served yet, as an answer can be reviewed with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

from recommendations.models import AudienceMember, BlendWeights, LiveProfile, Rule
from recommendations.services.rules.books import BookBasis, book_with
from recommendations.services.rules.editing import status_of
from recommendations.store.rules.conditions import FrozenRule, default_book, frozen
from recommendations.terms import BlendName, RuleStatus, WeightsStatus

WAITING = frozenset({RuleStatus.DRAFT, RuleStatus.CHANGED})


@dataclass(frozen=True, kw_only=True)
class DraftRules:
    """The served book as it would be with every waiting rule in it, and the rules that wait."""

    book: Sequence[FrozenRule]
    waiting: Sequence[Rule]


def draft_weights(*, blend: BlendName, customer: int) -> BlendWeights | None:
    """The draft that would act on a customer (by key): of their first audience, of their segment, or of everybody."""
    audiences = AudienceMember.objects.filter(customer=customer).values("audience")
    segments = LiveProfile.objects.filter(customer=customer).values("segment")
    drafts = BlendWeights.objects.filter(blend__name=blend, status=WeightsStatus.DRAFT)
    return (
        drafts.filter(Q(audience__in=audiences) | Q(segment__in=segments) | Q(segment=None, audience=None))
        .select_related("blend", "segment", "audience", "author")
        .order_by(F("audience__position").asc(nulls_last=True), "audience", F("segment").asc(nulls_last=True))
        .first()
    )


def draft_rules(*, now: datetime) -> DraftRules | None:
    """Rules that wait to be served; None where all are served as they were last written."""
    book = default_book()
    rows = list(Rule.objects.unarchived().select_related("placement", "segment", "customer").order_by("position", "pk"))
    waiting = [row for row in rows if status_of(row, book, now) in WAITING]
    if not waiting:
        return None
    basis = BookBasis(book.rules if book else [], [row.pk for row in rows])
    return DraftRules(book=book_with(map(frozen, waiting), basis=basis), waiting=waiting)
