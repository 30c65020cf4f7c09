"""A person as what a quarantine covers."""

from datetime import datetime

from django.db import transaction
from django.db.models import Count

from recommendations.models import Aside, Quarantine
from recommendations.privacy_terms import HolderCode
from recommendations.store.holders.protocol import Erased, Subject
from recommendations.store.holders.tables import OwnRows, TableHolder
from recommendations.terms import SuspicionRule

ASIDES = OwnRows(
    model=Aside, columns=("quarantine__rule", "quarantine__created_at", "quarantine__state", "since", "until"),
)  # fmt: skip


class SourcesHolder(TableHolder):
    """What is set aside of a person."""

    def __init__(self) -> None:
        super().__init__(HolderCode.SOURCES, ASIDES, also=[Quarantine])

    @transaction.atomic
    def erase(self, subject: Subject, *, now: datetime) -> Erased:
        """Erase it. What staff wrote of one whom they set aside alone goes with it."""
        by_staff = Quarantine.objects.filter(rule=SuspicionRule.STAFF, asides__in=ASIDES.of(subject))
        alone = by_staff.alias(covers=Count("asides__pk")).filter(covers=1).values_list("pk", flat=True)
        changed = Quarantine.objects.filter(pk__in=list(alone)).update(reason="", note="")
        return super().erase(subject, now=now) + Erased(changed=changed)


SOURCES = SourcesHolder()
