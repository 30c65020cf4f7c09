"""Levels of a few customers with the reason, from the record; ``engine/preprocess/levels.py`` learns those of all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    DateTimeField,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.functions import Coalesce, TruncDate
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.templatetags.display import number
from recommendations.engine.preprocess.levels import APART, DAYS, FEWEST
from recommendations.event_types import EventName
from recommendations.models import Customer, CustomerAlias, Event, RunStage
from recommendations.terms import Level, Stage, Trust
from recommendations.wording.level_labels import LEVELS

TAKING_BACK = [name for name in EventName if name.facts.takes_back == EventName.PURCHASE]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Level of a customer, and what it rests on; ``bought``: transactions by the word of the shop."""

    level: Level = Level.NEW
    bought: int = 0
    days: int = 0  # on which they came
    imported: bool = False  # a file of the shop names them
    returned: bool = False  # they came on enough days, far enough apart
    events: int = 0
    first_received: datetime | None = None
    shared: int = 0  # of the items that were asked for, those that they did something with

    @property
    def words(self) -> str:
        return str(LEVELS[self.level])

    @property
    def reason(self) -> str:
        """What the level rests on, in the reader's language."""
        if self.level is Level.NEW:
            return _("nothing is learned from them yet")
        if self.level is Level.CONFIRMED and self.bought:
            text = ngettext(
                "%(count)s purchase confirmed by the shop", "%(count)s purchases confirmed by the shop", self.bought
            )
            return text % {"count": number(self.bought)}
        if self.level is Level.CONFIRMED:
            return _("a rating confirmed by the shop")
        if self.returned:
            text = ngettext("came on %(days)s day", "came on %(days)s days", self.days)
            return text % {"days": number(self.days)}
        return _("named in a file of the shop") if self.imported else _("the shop knows hardly anybody yet")


def standings(customers: Sequence[int], *, items: Sequence[int] = ()) -> dict[int, Standing]:
    """Standing of each of these customers, with what their merged keys did; who did nothing is new."""
    rows = _events(customers).values("who", "new", "confirmed").annotate(**_facts(items)).order_by()
    stored = {row["who"]: _standing(row) for row in rows}
    return {customer: stored.get(customer, Standing()) for customer in customers}


def _events(customers: Sequence[int]) -> QuerySet[Any]:
    """Events of these customers that count, with whose each is, and how many were new or confirmed to the live run."""
    merged = CustomerAlias.objects.filter(undone_at=None)
    own = Customer.objects.filter(pk__in=customers).values("pk")
    keys = own.union(merged.filter(customer__in=customers).values("anonymous"), all=True)
    stages = RunStage.objects.filter(run__model_version__is_live=True, stage=Stage.PREPROCESS)
    believed = max(Trust.SERVER, settings.PURCHASES_FROM)
    return (
        Event.objects.filter(~Q(source="replay") | Q(name=EventName.PURCHASE), customer__in=keys)
        .exclude(name=EventName.PURCHASE, trust__lt=believed)
        .annotate(
            who=Coalesce(
                Subquery(merged.filter(anonymous=OuterRef("customer")).values("customer")[:1]), "customer",
                output_field=BigIntegerField(),
            ),
            new=Subquery(stages.values("counts__new")[:1]),
            confirmed=Subquery(stages.values("counts__confirmed")[:1]),
            day=TruncDate(
                Case(
                    When(trust__gte=Trust.SERVER, then=F("occurred_at")), default=F("received_at"),
                    output_field=DateTimeField(),
                )
            ),
        )
    )  # fmt: skip


def _facts(items: Sequence[int]) -> Mapping[str, Any]:
    own_word = Q(trust__gte=Trust.SERVER)
    purchase = own_word & Q(name=EventName.PURCHASE)
    return {
        "given": Count("name", filter=purchase | own_word & Q(name=EventName.RATE_ITEM)),
        "taken_back": Count("name", filter=own_word & Q(name__in=TAKING_BACK)),
        "bought": Count("transaction_id", distinct=True, filter=purchase),
        "files": Count("name", filter=Q(trust=Trust.IMPORT)),
        "days": Count("day", distinct=True),
        "first": Min("day"),
        "last": Max("day"),
        "events": Count("*"),
        "first_received": Min("received_at"),
        "shared": Count("item", distinct=True, filter=Q(item__in=items)),
    }


def _standing(row: Mapping[str, Any]) -> Standing:
    returned = row["days"] >= DAYS and row["last"] - row["first"] >= timedelta(days=APART)
    few = row["new"] == 0 and (row["confirmed"] or 0) < FEWEST  # so that the live run took nobody for new
    level = Level.SEEN if returned or row["files"] or few else Level.NEW
    return Standing(
        level=Level.CONFIRMED if row["given"] > row["taken_back"] else level,
        bought=row["bought"],
        days=row["days"],
        imported=row["files"] > 0,
        returned=returned,
        events=row["events"],
        first_received=row["first_received"],
        shared=row["shared"],
    )
