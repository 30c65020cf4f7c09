"""One customer: who they are to the model, what they like, what they did, what they would be shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, JSONObject, NullIf, TruncWeek
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from analytics.charts.customer import InterestBar, WeekCount
from analytics.queries.customer.dislikes import DislikedCategory, disliked_categories, dislikes_of_customer
from analytics.queries.customer.filters import State, browsable, state_of
from analytics.queries.customer.stated_taste import SaidTaste, said_taste, said_taste_fields
from analytics.templatetags.words import label
from recommendations.event_types import EventName
from recommendations.models import (
    Aside,
    AttributedLine,
    Audience,
    Blend,
    BlendWeights,
    Category,
    Customer,
    CustomerAlias,
    Event,
    Item,
    Message,
    Placement,
    Quarantine,
    Rule,
    Segment,
)
from recommendations.push_terms import MessageState
from recommendations.services.campaigns.results import SHOWING
from recommendations.services.operations.interests import Likings, likings
from recommendations.services.review.acts import taking
from recommendations.terms import SuspicionRule, WeightsStatus
from recommendations.wording import labels

SHOWN_INTERESTS = 8
SHOWN_EVENTS = 30
CONTEXT_ITEMS = 3


SEGMENT_FIELDS = ("id", "number", "name", "automatic_name")


@dataclass(frozen=True, kw_only=True)
class CustomerAside:
    """The first quarantine in force that covers a customer; ``by``: who on the staff decided so, else empty."""

    quarantine: int
    since: datetime
    by: str


@dataclass(frozen=True, kw_only=True)
class CustomerHead:
    customer: Customer
    state: State
    segment: Segment | None
    audiences: Sequence[Audience]  # with key and name, in their order
    keys: Sequence[int]  # the customer's own, then those of merged anonymous keys
    placements: Sequence[Placement]
    drafted: frozenset[str]  # blends of which there are draft weights that would act on the customer
    has_rules: bool
    interests: Sequence[InterestBar]
    dislikes: Sequence[DislikedCategory]
    aside: CustomerAside | None
    said: SaidTaste


MESSAGES: Mapping[str, tuple[frozenset[MessageState], Promise]] = {
    "message_sent": (frozenset(SHOWING), pgettext_lazy("timeline", "Message sent")),
    "message_held": (frozenset({MessageState.HELD}), pgettext_lazy("timeline", "Message held out")),
    "message_withdrawn": (frozenset({MessageState.WITHDRAWN}), pgettext_lazy("timeline", "Message withdrawn")),
}
"""Kinds of messages on the timeline, with their states and what they are called there."""


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """What a customer did by week and kind, and what they were sent; ``events`` counts what they did alone."""

    weeks: Sequence[WeekCount]
    events: int
    replayed: int  # of the events
    first: datetime | None
    last: datetime | None


def person(pk: int, *, model: int | None) -> CustomerHead | None:
    """All that stands in the head of the page; None for an unknown customer."""
    liked = likings(pk, model=model)
    merged = CustomerAlias.objects.filter(customer=OuterRef("pk"), undone_at=None)
    customer = (
        browsable()
        .filter(pk=pk)
        .annotate(
            profile=F("live_profile"),
            merged_keys=ArraySubquery(merged.values("anonymous")),
            placements=ArraySubquery(
                Placement.objects.filter(enabled=True)
                .order_by("pk")
                .values(place=JSONObject(name="name", needs_context="needs_context", blend="blend__name"))
            ),
            drafts=ArraySubquery(
                BlendWeights.objects.filter(status=WeightsStatus.DRAFT)
                .order_by("pk")
                .values(draft=JSONObject(blend="blend__name", segment="segment__number", audience="audience"))
            ),
            in_audiences=ArraySubquery(
                Audience.objects.filter(members__customer=OuterRef("pk"), archived_at=None)
                .order_by("position", "pk")
                .values(audience=JSONObject(pk="pk", name="name"))
            ),
            has_rules=Exists(Rule.objects.unarchived()),
            aside=Subquery(_asides().filter(customer=OuterRef("pk"))[:1]),
            disliked=ArraySubquery(dislikes_of_customer()),
            category_names=ArraySubquery(
                Category.objects.filter(pk__in=liked.taste)
                .order_by()
                .values(category=JSONObject(key="pk", name="name"))
            ),
            **said_taste_fields(),
            **{f"segment_{name}": F(f"live_profile__segment__{name}") for name in SEGMENT_FIELDS},
        )
        .first()
    )
    if customer is None:
        return None
    row = vars(customer)
    segment = Segment(**{name: row[f"segment_{name}"] for name in SEGMENT_FIELDS}) if row["segment_now"] else None
    audiences = [Audience(**each) for each in row["in_audiences"]]
    groups = [(None, None), (segment.number if segment else None, None), *((None, each.pk) for each in audiences)]
    return CustomerHead(
        customer=customer,
        state=state_of(customer),
        segment=segment,
        audiences=audiences,
        keys=[pk, *row["merged_keys"]],
        placements=[_placement(**place) for place in row["placements"]],
        drafted=frozenset(draft["blend"] for draft in row["drafts"] if (draft["segment"], draft["audience"]) in groups),
        has_rules=row["has_rules"],
        interests=_interests(liked, row["category_names"] or ()) if row["profile"] else [],
        dislikes=disliked_categories(row["disliked"], now=timezone.now()),
        aside=row["aside"] and _aside(**row["aside"]),
        said=said_taste(row),
    )


def _asides() -> QuerySet[Aside, Any]:
    """What is set aside by name, as JSON, the oldest first; only what staff set aside has somebody who did."""
    author = "quarantine__set_aside_by"
    staff = Coalesce(NullIf(f"{author}__name", Value("")), f"{author}__email", output_field=CharField())
    by = Case(When(quarantine__rule=SuspicionRule.STAFF, then=staff))
    told = JSONObject(quarantine="quarantine", since="quarantine__created_at", by=by)
    return Aside.objects.filter(quarantine__in=Quarantine.objects.in_force()).order_by("pk").values(told=told)


def _aside(*, quarantine: int, since: str, by: str | None) -> CustomerAside:
    return CustomerAside(quarantine=quarantine, since=datetime.fromisoformat(since), by=by or "")


def merged_into(pk: int) -> int | None:
    """Key of the customer that an anonymous key was merged into."""
    alias = CustomerAlias.objects.filter(anonymous=pk, undone_at=None).values_list("customer", flat=True)
    return alias.first()


def merged_keys(pk: int) -> list[int]:
    """Anonymous keys that were merged into a customer."""
    merged = CustomerAlias.objects.filter(customer=pk, undone_at=None).order_by("pk")
    return list(merged.values_list("anonymous", flat=True))


def _placement(*, name: str, needs_context: bool, blend: str | None) -> Placement:
    return Placement(name=name, needs_context=needs_context, blend=Blend(name=blend) if blend else None)


def _interests(liked: Likings, categories: Sequence[Mapping[str, Any]]) -> list[InterestBar]:
    """The largest long-term interests, with their share of late."""
    names = {category["key"]: category["name"] for category in categories}
    return [
        InterestBar(category=names[key], long_term=share, lately=liked.lately.get(key, 0.0))
        for key, share in liked.taste.items()
        if share > 0 and key in names
    ][:SHOWN_INTERESTS]


def timeline(keys: Sequence[int]) -> Timeline:
    counted = (
        _events(keys)
        .annotate(week=TruncWeek("occurred_at"))
        .values("week", "name")
        .annotate(
            count=Count("*"),
            replayed=Count("name", filter=Q(source="replay")),
            first=Min("occurred_at"),
            last=Max("occurred_at"),
        )
    )
    rows = list(counted.union(_messages(keys), all=True).order_by("week", "name"))
    acts = [row for row in rows if row["name"] not in MESSAGES]
    return Timeline(
        weeks=[
            WeekCount(
                week=row["week"].date(),
                name=row["name"],
                words=_words_of(row["name"]),
                count=row["count"],
            )
            for row in rows
        ],
        events=sum(row["count"] for row in acts),
        replayed=sum(row["replayed"] for row in acts),
        first=min((row["first"] for row in acts), default=None),
        last=max((row["last"] for row in acts), default=None),
    )


def _messages(keys: Sequence[int]) -> QuerySet[Message, Any]:
    """Messages by week and kind, in the columns of events."""
    at = Coalesce("handed_at", "due_at")
    kinds = [When(state__in=sorted(states), then=Value(name)) for name, (states, _words) in MESSAGES.items()]
    states = [state for each, _words in MESSAGES.values() for state in each]
    return (
        Message.objects.filter(customer__in=keys, state__in=states)
        .order_by()
        .annotate(week=TruncWeek(at), name=Case(*kinds, output_field=CharField()))
        .values("week", "name")
        .annotate(count=Count("*"), replayed=Value(0), first=Min(at), last=Max(at))
    )


def _words_of(name: str) -> str:
    return str(MESSAGES[name][1]) if name in MESSAGES else label(labels.EVENT_NAMES, name)


def last_events(keys: Sequence[int]) -> list[tuple[Event, AttributedLine | None]]:
    """The newest events, each with what says of its line which slate it counts for.

    A list that was shown is one event, by its first item and ``beside``, how many more it held: a page of lists must
    not hide what the customer did.
    """
    lines = Event.objects.filter(
        occurred_at=OuterRef("occurred_at"), event_id=OuterRef("event_id"), name=EventName.VIEW_ITEM_LIST
    )
    further = lines.filter(line__gt=OuterRef("line")).order_by().values("event_id").annotate(lines=Count("*"))
    own = {name: OuterRef(name) for name in ("occurred_at", "event_id", "line")}
    tied = AttributedLine.objects.filter(**own).values(
        tie=JSONObject(**{name: name for name in ("recommendation_id", "placement", "position", "kept")})
    )
    events = (
        Event.objects.with_confirmation()
        .filter(~Q(name=EventName.VIEW_ITEM_LIST) | ~Exists(lines.filter(line__lt=OuterRef("line"))), customer__in=keys)
        .select_related("item")
        .annotate(tied=Subquery(tied[:1]), beside=Coalesce(Subquery(further.values("lines")), 0))
    )
    ordered = events.order_by("-occurred_at", "event_id", "line")[:SHOWN_EVENTS]
    return [(event, AttributedLine(**tie) if (tie := vars(event)["tied"]) else None) for event in ordered]


def items_by_key(keys: Sequence[int]) -> dict[int, Item]:
    return Item.objects.in_bulk(list(keys)) if keys else {}


def rule_names(keys: Iterable[int]) -> dict[int, str]:
    wanted = set(keys)
    return dict(Rule.objects.filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}


def last_bought(keys: Sequence[int], *, until: datetime | None) -> list[Item]:
    """The items of the last few lines bought before a moment, or at all, each once."""
    bought = taking(Event.objects.filter(customer__in=keys, item__isnull=False))
    if until:
        bought = bought.filter(occurred_at__lt=until)
    lines = bought.select_related("item").order_by("-occurred_at", "event_id", "line")[:CONTEXT_ITEMS]
    return list(dict.fromkeys(line.item for line in lines if line.item))


def _events(keys: Sequence[int]) -> QuerySet[Event]:
    return Event.objects.filter(customer__in=keys)
