"""Memberships of audiences. Whoever serves an audience has to hear that somebody left it."""

from collections import Counter
from datetime import datetime

from django.db import transaction
from django.db.models import F

from recommendations.models import Audience, AudienceMember
from recommendations.privacy_terms import HolderCode
from recommendations.store.holders.protocol import Erased, Subject
from recommendations.store.holders.tables import OwnRows, TableHolder

MEMBERS = OwnRows(
    model=AudienceMember, columns=("audience__name",),
)  # fmt: skip


class AudiencesHolder(TableHolder):
    """The audiences that somebody is in."""

    def __init__(self) -> None:
        super().__init__(HolderCode.AUDIENCES, MEMBERS)

    @transaction.atomic
    def erase(self, subject: Subject, *, now: datetime) -> Erased:
        """Erase them; the audiences are smaller, and of a later generation."""
        left = Counter(MEMBERS.of(subject).values_list("audience", flat=True))
        erased = super().erase(subject, now=now)
        for audience, number in sorted(left.items()):
            of_it = Audience.objects.filter(pk=audience)
            of_it.update(generation=F("generation") + 1)
            of_it.filter(size__gte=number).update(size=F("size") - number)
        return erased


AUDIENCES = AudiencesHolder()
