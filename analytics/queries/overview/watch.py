"""What Overview watches beside the loop: keys in pages, events that wait for attribution, what looks invented.

Every visit of the page asks for it, so it is remembered for a quarter of a minute.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db.models import Count, F, Max, Min, Q
from django.db.models.functions import Coalesce

from analytics.queries.privacy.listing import PrivacyTrouble, trouble
from analytics.queries.sources import KeyDay, key_days
from analytics.queries.stability.alarms import AlarmLine, unseen_alarms
from recommendations.engine.experiments.decision import VerdictCode
from recommendations.event_types import EventName
from recommendations.experiment_terms import NoteCode
from recommendations.fields import ODD_AMOUNT, ODD_FACTOR
from recommendations.models import Aside, AttributedLine, DueLine, ExperimentNote, Quarantine
from recommendations.services.catalogue import feed_schedule
from recommendations.services.catalogue.feed_schedule import FeedState
from recommendations.services.privacy.retention import late_kinds
from recommendations.terms import ExperimentStatus, QuarantineState, SuspicionRule

REMEMBERED = 15  # seconds
KEY = "overview/watch"
ODD_WITHIN = timedelta(days=7)
LATELY = timedelta(days=7)
MOST_STOPPED = 5


class GuardedStop(NamedTuple):
    """What a guardrail stopped of late, an experiment or an arm of a bandit that goes on."""

    experiment: int
    name: str
    code: str
    facts: Mapping[str, Any]
    primary: str


class Watch(NamedTuple):
    keys: tuple[KeyDay, ...]  # that are valid, and what they sent in the last day
    oldest_due: datetime | None  # since when a line waits for attribution
    put_aside: int  # lines that could not be attributed
    odd_amount: Decimal | None  # the largest purchase that was counted lately, where it is fantastic
    suspicions: int  # what runs have set aside of late, and nobody has decided on
    alarms: tuple[AlarmLine, ...]  # that ring, with what may have caused them
    holding: tuple[tuple[int, str], ...]  # quarantines, with the name of their key, that hold what still comes
    stopped: tuple[GuardedStop, ...]  # by guardrails, in the last seven days, and nobody has published anything since
    feed: FeedState | None = None  # of items, that is set
    privacy: PrivacyTrouble | None = None
    kept_too_long: tuple[str, ...] = ()  # kinds (``RetentionKind``) of which the oldest row should long be gone


def watch(now: datetime) -> Watch:
    """Look now, or a quarter of a minute ago."""
    seen = cache.get(KEY)
    if not isinstance(seen, Watch):
        seen = _look(now)
        cache.set(KEY, seen, REMEMBERED)
    return seen


def _look(now: datetime) -> Watch:
    lines = DueLine.objects.aggregate(aside=Count("pk", filter=~Q(fault="")), oldest=Min("due_at", filter=Q(fault="")))
    usual = F("item__price") * Coalesce("quantity", Decimal(1)) * ODD_FACTOR
    sold = AttributedLine.objects.filter(name=EventName.PURCHASE, occurred_at__gte=now - ODD_WITHIN)
    largest = sold.filter(Q(amount__gt=ODD_AMOUNT) | Q(amount__gt=usual)).aggregate(Max("amount"))["amount__max"]
    aside = Quarantine.objects.filter(state=QuarantineState.ASIDE, created_at__gte=now - LATELY)
    suspicions = aside.exclude(rule=SuspicionRule.STAFF).count()
    held = Aside.objects.filter(quarantine__state=QuarantineState.ASIDE, key__isnull=False, until=None)
    holding = tuple(held.order_by("quarantine").values_list("quarantine", "key__name"))
    ringing = tuple(unseen_alarms())
    return Watch(
        tuple(key_days(now=now)), lines["oldest"], lines["aside"], largest, suspicions, ringing, holding,
        tuple(_stopped(now)), feed_schedule.state(), trouble(now=now), tuple(late_kinds(now=now)),
    )  # fmt: skip


def _stopped(now: datetime) -> list[GuardedStop]:
    whole = Q(code=VerdictCode.HARM, experiment__status=ExperimentStatus.STOPPED)
    arm = Q(code=NoteCode.ARM_HARMED, experiment__status__in=[ExperimentStatus.RUNNING, ExperimentStatus.PAUSED])
    notes = ExperimentNote.objects.filter(whole | arm, by=None, at__gte=now - LATELY, experiment__simulated=False)
    fields = ("experiment", "experiment__name", "code", "facts", "experiment__primary")
    return [GuardedStop(*row) for row in notes.order_by("-at").values_list(*fields)[:MOST_STOPPED]]
