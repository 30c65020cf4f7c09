"""A person as what a quarantine covers."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from recommendations.models import Aside, Quarantine
from recommendations.privacy_terms import HolderCode
from recommendations.store.holders.protocol import Erased, Subject
from recommendations.store.holders.tables import OwnRows, TableHolder, of_customer
from recommendations.terms import SuspicionRule

ASIDES = OwnRows(
    model=Aside,
    columns=("quarantine__rule", "quarantine__reason", "quarantine__created_at", "quarantine__state", "since", "until"),
)  # fmt: skip


class SourcesHolder(TableHolder):
    """What is set aside of a person."""

    def __init__(self) -> None:
        super().__init__(HolderCode.SOURCES, ASIDES, also=[Quarantine])

    def find(self, subject: Subject) -> int:
        return super().find(subject) + len(_alone(subject))

    @transaction.atomic
    def erase(self, subject: Subject, *, now: datetime) -> Erased:
        """Erase it. What staff wrote of one whom they set aside alone goes with it."""
        changed = Quarantine.objects.filter(pk__in=_alone(subject)).update(reason="", note="")
        return super().erase(subject, now=now) + Erased(changed=changed)


SOURCES = SourcesHolder()


def _alone(subject: Subject) -> list[int]:
    """Keys of quarantines in which staff set the person aside and nobody else, and said why."""
    others = Aside.objects.filter(quarantine=OuterRef("pk")).exclude(of_customer(subject))
    by_staff = Quarantine.objects.filter(rule=SuspicionRule.STAFF, asides__in=ASIDES.of(subject)).exclude(reason="")
    return list(by_staff.exclude(Exists(others)).distinct().order_by().values_list("pk", flat=True))
