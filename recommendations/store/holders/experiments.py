"""A person as a unit of experiments.

Readings that were taken are sums over many people, and stay. What is read from now on counts all people but them:
nobody is erased for the arm that they were in, so a comparison stays fair, of a person less.
"""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recommendations.models import Experiment, Unit
from recommendations.privacy_terms import HolderCode
from recommendations.store.holders.protocol import Subject
from recommendations.store.holders.tables import OwnRows, TableHolder, of_customer, of_units


def _of_units(subject: Subject) -> Q:
    """Units by key, and by number, for which there is an index within an experiment."""
    by_number = of_units(subject, moment="first_at")
    return of_customer(subject) | by_number & Q(experiment__in=list(Experiment.objects.values_list("pk", flat=True)))


EXPERIMENTS = TableHolder(
    HolderCode.EXPERIMENTS,
    OwnRows(
        model=Unit, whose=_of_units, columns=("experiment__name", "arm__position", "first_at", "mixed"),
        told={"arm__position": lambda position: chr(ord("A") + position)},
        words={"arm__position": _("arm")},
    ),
)  # fmt: skip
