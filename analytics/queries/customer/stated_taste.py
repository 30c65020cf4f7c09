"""What a customer says they like: what they stated, what they follow, and how far their list leans on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, OuterRef, Q, Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from analytics.templatetags.display import number, share
from recommendations.engine.ranking.confidence import FEW
from recommendations.event_types import EventName
from recommendations.models import Category, CustomerAlias, Event, Item
from recommendations.services.review.review import Confidence
from recommendations.terms import Trust

MOST_NAMED = 12


class IsOneOf(Func):
    """Whether a value is in an array."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


@dataclass(frozen=True, kw_only=True)
class SaidTaste:
    """What a customer says they like, by names; of the people whom they follow only how many there are."""

    categories: Sequence[tuple[str, str]]  # path, name
    items: Sequence[tuple[int, str]]  # key, title
    tags: Sequence[str]
    stated_at: datetime | None
    followed: Sequence[str]  # brands and categories, the first ones
    more_followed: int
    people: int

    @property
    def is_empty(self) -> bool:
        return self.stated_at is None and not (self.followed or self.people)


def said_taste_fields() -> dict[str, Any]:
    """Annotations of a query for customers, of which ``said_taste`` is made."""
    merged = CustomerAlias.objects.filter(customer=OuterRef(OuterRef("pk")), undone_at=None).values("anonymous")
    own = Q(customer=OuterRef("pk")) | Q(customer__in=merged)
    words = Event.objects.filter(own, name__in=(EventName.FOLLOW, EventName.UNFOLLOW), trust__gte=Trust.PROVEN)
    last = words.order_by("target_type", "target_id", "-occurred_at").distinct("target_type", "target_id")
    called = Subquery(Category.objects.filter(path=OuterRef("target_id")).values("name")[:1])
    categories = Category.objects.filter(IsOneOf(F("path"), OuterRef("stated_taste__categories")))
    items = Item.objects.filter(IsOneOf(F("shop_id"), OuterRef("stated_taste__item_ids")))
    return {
        "stated_categories": ArraySubquery(
            categories.order_by("path").values(category=JSONObject(path="path", name="name"))
        ),
        "stated_tags": F("stated_taste__tags"),
        "stated_at": F("stated_taste__stated_at"),
        "stated_items": ArraySubquery(items.order_by("shop_id").values(item=JSONObject(pk="pk", title="title"))),
        "follows": ArraySubquery(
            last.values(word=JSONObject(name="name", kind="target_type", target="target_id", called=called))
        ),
    }


def said_taste(row: Mapping[str, Any]) -> SaidTaste:
    follows = [word for word in row["follows"] if word["name"] == EventName.FOLLOW]
    named = [word["called"] or word["target"] for word in follows if word["kind"] != "customer"]
    return SaidTaste(
        categories=[(each["path"], each["name"]) for each in row["stated_categories"]],
        items=[(item["pk"], item["title"]) for item in row["stated_items"]],
        tags=row["stated_tags"] or (),
        stated_at=row["stated_at"],
        followed=named[:MOST_NAMED],
        more_followed=max(0, len(named) - MOST_NAMED),
        people=len(follows) - len(named),
    )


def confidence_words(confidence: Confidence | None) -> str:
    """How far a list is the customer's own, in a sentence; "" where it is all theirs."""
    if confidence is None or confidence.sure == 1:
        return ""
    others = (1 - confidence.sure) * (1 - confidence.stated)
    words = {
        "n": number(confidence.acts), "few": number(FEW), "share": share(others),
        "stated": share(1 - confidence.sure - others),
        "others": _("what people they follow take") if confidence.follows else _("what everybody buys"),
    }  # fmt: skip
    if confidence.stated:
        text = _(
            "%(n)s of %(few)s acts known: of the personal weight %(stated)s goes to what they say they like and "
            "%(share)s to %(others)s."
        )
    elif confidence.acts:
        text = _("%(n)s of %(few)s acts known: %(share)s of the personal weight goes to %(others)s.")
    else:
        text = _("None of %(few)s acts known: what would be personal is %(others)s.")
    return text % words
