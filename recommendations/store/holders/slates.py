"""Answers that a person was served, and what came of each.

Days of placements are sums over many lists, and stay; they are not made again from fewer events.
"""

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce
from django.db.models.lookups import In

from recommendations.models import CustomerAlias, Event, Item, Slate, SlateOutcome
from recommendations.privacy_terms import HolderCode
from recommendations.store.events.partitions import run_in_half_gone
from recommendations.store.holders.protocol import Erased, Subject
from recommendations.store.holders.tables import OwnRows, TableHolder, of_customer, of_units
from recommendations.store.serving.slates import write_slates

TABLE = Slate._meta.db_table
# In a month that is half gone.
_THEIRS = """
(slate.customer_id = ANY(%(keys)s) OR slate.unit = ANY(%(units)s) AND slate.served_at < %(until)s AND NOT EXISTS (
  SELECT FROM unnest(%(erased)s::bigint[], %(since)s::timestamptz[]) AS gone(unit, at)
  WHERE gone.unit = slate.unit AND slate.served_at < gone.at))
"""
_FIND_HALF_GONE = f"SELECT 1 FROM {{month}} slate WHERE {_THEIRS}"  # noqa: S608 - a condition of our own
_DELETE_HALF_GONE = (
    f"""
DELETE FROM recommendations_slateoutcome outcome USING {{month}} slate
WHERE outcome.recommendation_id = slate.recommendation_id AND {_THEIRS}
""",  # noqa: S608
    f"DELETE FROM {{month}} slate WHERE {_THEIRS}",  # noqa: S608
)


def _served(subject: Subject) -> Q:
    """Slates by the key that the person had, or by the number of who they were before any event of theirs.

    A slate of a visitor who was somebody else's once is found by the key of that somebody.
    """
    own = subject.key_list
    joined = CustomerAlias.objects.filter(Q(anonymous__in=own) | Q(customer__in=own))
    keys = {key for pair in joined.values_list("anonymous", "customer") for key in pair} | subject.keys
    in_index = Q(In(Coalesce("customer", "unit"), sorted(keys | subject.units)))
    return in_index & (Q(customer__in=own) | of_units(subject, moment="served_at"))


def _outcomes(subject: Subject) -> Q:
    """Outcomes of their lists, and of lists that were lost, which their events name."""
    own = Slate.objects.filter(_served(subject)).values("recommendation_id")
    stored = Slate.objects.filter(recommendation_id=OuterRef("recommendation_id"))
    named = Event.objects.filter(of_customer(subject), ~Exists(stored), recommendation_id__isnull=False)
    return Q(recommendation_id__in=own.union(named.values("recommendation_id"), all=True))


class SlatesHolder(TableHolder):
    """Lists that were served, those that still wait to be written among them."""

    def __init__(self) -> None:
        super().__init__(
            HolderCode.SLATES,
            OwnRows(
                model=SlateOutcome, whose=_outcomes,
                columns=(
                    "recommendation_id", "placement", "at", "seen", "clicked", "carted", "bought", "revenues",
                    "purchases",
                ),
            ),
            OwnRows(
                model=Slate, whose=_served,
                columns=(
                    "served_at", "recommendation_id", "placement", "source", "personalised", "fallback_reason",
                    "items", "scores", "propensities", "model_version", "weights_version", "rules_version", "way",
                    "latency_us",
                ),
                keys={"items": Item},
            ),
        )  # fmt: skip

    def find(self, subject: Subject) -> int:
        return super().find(subject) + run_in_half_gone(TABLE, _FIND_HALF_GONE, **_values(subject))

    def erase(self, subject: Subject, *, now: datetime) -> Erased:
        """Erase them, after what waits was written; what comes later of people who are gone is not written."""
        write_slates()
        values = _values(subject)
        half_gone = sum(run_in_half_gone(TABLE, each, **values) for each in _DELETE_HALF_GONE)
        return super().erase(subject, now=now) + Erased(deleted=half_gone)


def _values(subject: Subject) -> dict[str, Any]:
    return {
        "keys": subject.key_list, "units": sorted(subject.units), "until": subject.before,
        "erased": list(subject.since), "since": list(subject.since.values()),
    }  # fmt: skip


SLATES = SlatesHolder()
