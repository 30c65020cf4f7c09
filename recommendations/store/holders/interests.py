"""What runs found that a person likes: of the live version in a table, of every version that is kept in its files.

What is in the files goes with all else that models learned (``learned.py``); it is told here.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from recommendations.engine.interests.profile import HALF_LIVES
from recommendations.models import Category, LiveProfile
from recommendations.privacy_terms import HolderCode
from recommendations.store.holders.learned import finished_versions
from recommendations.store.holders.protocol import Erased, Sheet, Subject
from recommendations.store.holders.tables import OwnRows, TableHolder
from recommendations.store.models.main_interests import load_main_interests

PROFILES = OwnRows(
    model=LiveProfile,
    columns=("segment__number", "segment__name", "segment__automatic_name", "weight", "shift", "leads"),
    keys={"leads": Category},
)


class InterestsHolder(TableHolder):
    """Interests and segments of somebody."""

    def __init__(self) -> None:
        super().__init__(HolderCode.INTERESTS, PROFILES)

    def erase(self, subject: Subject, *, now: datetime) -> Erased:
        """Erase them, also of a version that went live while they were buried: the transaction that does is waited for,
        as it has the row of its version.
        """
        finished_versions()
        return super().erase(subject, now=now)

    def export(self, subject: Subject) -> Iterator[Sheet]:
        yield from super().export(subject)
        columns = (_("version"), _("half-life, days"), _("categories"), _("shares"), _("weight of all activity"))
        yield Sheet(name=pgettext("model", "interest profiles"), columns=columns, rows=_lines(subject))


INTERESTS = InterestsHolder()


def _lines(subject: Subject) -> Iterator[Sequence[Any]]:
    """A line for each key, version and half-life."""
    for version in finished_versions():
        for key in subject.key_list:
            known = load_main_interests(version.pk, customer=key)
            if known is None:
                continue
            for half_life in HALF_LIVES:
                shares = known.shares(0, half_life=half_life)
                paths = dict(Category.objects.filter(pk__in=shares).values_list("pk", "path"))
                weight = float(known.by_half_life[half_life].weight[0])
                called = [paths.get(category, str(category)) for category in shares]
                yield str(version), half_life, called, list(shares.values()), weight
