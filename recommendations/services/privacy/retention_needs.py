"""What needs events and lists of some age, for who wants to keep them for a shorter time."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Exists, OuterRef
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recommendations.models import Customer, Event, Experiment
from recommendations.privacy_terms import RetentionKind
from recommendations.store.retention_rules import all_days, archived_files, days_for, newest_event
from recommendations.store.snapshots.archived import customers_in
from recommendations.terms import ExperimentStatus

NEEDS: Mapping[RetentionKind, Sequence[tuple[int, Promise]]] = {
    RetentionKind.EVENTS: [
        (730, _("Messages to those who stayed away look back two years.")),
        (365, _("Messages about carts look for the last purchase of a year.")),
        (182, _("What an item usually earns is taken from half a year.")),
        (118, _("What a push agent brings is counted over 90 days and the four weeks before.")),
        (112, _("How often somebody buys something again is counted over 112 days.")),
    ],
    RetentionKind.SLATES: [
        (400, _("What messages brought is told for as long as the lists in them are kept.")),
        (112, _("Bandits look back 112 days.")),
    ],
}
"""What needs a kind, and of how many days; what needs the fewest that may be set (84) always has them."""

BEFORE = timedelta(days=28)
"""What people did so long before an experiment is compared, too."""


def needed_for(kind: RetentionKind, days: int) -> list[Promise]:
    """What needs more days of a kind than these."""
    return [words for needed, words in NEEDS.get(kind, ()) if needed > days]


def experiments_before(kind: RetentionKind, days: int, *, now: datetime) -> list[Experiment]:
    """Experiments that are under way and began before what would be kept, less the four weeks before them."""
    if kind not in {RetentionKind.EVENTS, RetentionKind.SLATES}:
        return []
    under_way = Experiment.objects.filter(
        status__in=[ExperimentStatus.RUNNING, ExperimentStatus.PAUSED], simulated=False
    )
    return list(under_way.filter(started_at__lt=now - timedelta(days=days) + BEFORE).order_by("started_at"))


def count_unknown(kind: RetentionKind, days: int, *, now: datetime) -> int:
    """How many customers nothing would be known of any more, if a kind were kept for so many days: none of their events
    is left then, in the database or in files.
    """
    own, theirs = all_days(), Event.objects.filter(customer=OuterRef("pk"))
    since = (newest_event(now=now) or now) - timedelta(days=days_for(RetentionKind.EVENT_FILES, own | {kind: days}))
    if kind is RetentionKind.EVENTS:
        lately, before = Exists(theirs.filter(occurred_at__gte=since)), Exists(theirs.filter(occurred_at__lt=since))
        return Customer.objects.filter(~lately, before, erased_at=None).count()
    if kind is not RetentionKind.EVENT_FILES:
        return 0
    stay = [file for file in archived_files() if file.end > since]
    go = customers_in([file for file in archived_files() if file.end <= since])
    keys = np.setdiff1d(go, customers_in(stay)).tolist()
    return Customer.objects.filter(~Exists(theirs), pk__in=keys, erased_at=None).count()
