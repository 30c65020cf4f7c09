"""A new key of pseudonyms: all that is stored gets another layer, so that who knows the old keys can test no guess.

The shop's ids are not needed for it, and nobody becomes a stranger.
"""

from collections.abc import Sequence

import structlog
from django.db import connection, transaction

from recommendations.models import Experiment, PrivacyRequest
from recommendations.services.privacy.sealed import open_sealed, seal_subject
from recommendations.store.events.pseudonyms import keys_are_the_stored_ones, later_unit, layered
from recommendations.store.holders.protocol import Subject
from recommendations.store.holders.rotation import WritersGoOnError, lay_layer, next_key_is_there
from recommendations.terms import ExperimentStatus

__all__ = ["ExperimentsRunError", "ForeignKeysError", "NextKeyLackingError", "WritersGoOnError", "rotate_pseudonyms"]

log = structlog.get_logger(__name__)
UNDER_WAY = (ExperimentStatus.STARTING, ExperimentStatus.RUNNING, ExperimentStatus.PAUSED)


class NextKeyLackingError(Exception):
    """PSEUDONYM_KEYS has no key beyond those that pseudonyms were hashed under."""


class ForeignKeysError(Exception):
    """The keys are not those that this database was filled under."""


class ExperimentsRunError(Exception):
    """People of experiments are drawn by their pseudonyms: with others they would change their arms."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


@transaction.atomic
def rotate_pseudonyms() -> int:
    """Hash every stored pseudonym once more, under the next of PSEUDONYM_KEYS; the generation from now on.

    It is done as a whole or not at all. Raises NextKeyLackingError, ForeignKeysError, ExperimentsRunError,
    WritersGoOnError, and SealBrokenError or PrivacyKeysMissingError where a request waits that no key opens.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE recommendations_experiment IN SHARE ROW EXCLUSIVE MODE")  # none begins meanwhile
    if not keys_are_the_stored_ones():
        raise ForeignKeysError
    if not next_key_is_there():
        raise NextKeyLackingError
    running = Experiment.objects.filter(simulated=False, status__in=UNDER_WAY).order_by("pk")
    if names := list(running.values_list("name", flat=True)):
        raise ExperimentsRunError(names)
    layers = lay_layer()
    for request in PrivacyRequest.objects.filter(sealed__isnull=False).select_for_update():
        opened = open_sealed(request.sealed or b"")
        if isinstance(opened, Subject):
            request.sealed = seal_subject(_with_layer(opened, layers))
            request.save(update_fields=["sealed"])
    transaction.on_commit(lambda: log.info("pseudonyms have another layer", layers=layers))
    return layers


def _with_layer(subject: Subject, layers: int) -> Subject:
    """The person as the record names them from now on; also where it has no more of them than a number."""
    later = tuple(layered(value, after=layers - 1, until=layers) for value in subject.pseudonyms)
    units = frozenset(later_unit(unit, layers=layers) for unit in subject.units)
    return Subject(keys=subject.keys, pseudonyms=later, units_before=units)
