"""States of experiments: each step is taken from those that it needs, under a lock, and leaves its traces."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from recommendations.models import Arm, Experiment, Staff
from recommendations.services.access import audit
from recommendations.services.experiments.drafts import described
from recommendations.services.experiments.notes import note
from recommendations.statement_terms import StatementCause
from recommendations.store.live import fetch
from recommendations.store.statements.ledger import note_statement


class NotInStateError(Exception):
    """The experiment is not in the state that the step needs: ``current`` says in which, since when and by whom."""

    def __init__(self, current: Experiment) -> None:
        super().__init__(f"{current} is {current.status}")
        self.current = current


class ArmIsOutError(Exception):
    """The arm was taken out, or did harm, meanwhile: ``arm``."""

    def __init__(self, arm: Arm) -> None:
        super().__init__(f"arm {arm.letter} of {arm.experiment} is out")
        self.arm = arm


def locked(experiment: Experiment, states: Sequence[str], *, seen: str | None = None) -> Experiment:
    """The stored experiment under a lock. Raises NotInStateError where it is in none of these states.

    ``seen`` is the state that the person saw, who is told of any other; None for a command.
    """
    stored = Experiment.objects.select_for_update().get(pk=experiment.pk)
    if stored.status not in states or seen not in {None, stored.status}:
        raise NotInStateError(stored)
    return stored


def changed(
    stored: Experiment, verb: str, code: str, *, by: Staff | None, now: datetime, reason: str = "",
    facts: dict[str, Any] | None = None,
) -> Experiment:  # fmt: skip
    """The experiment after a step, which the trail, its log and the statement to customers have; processes are told."""
    audit.record(by=by, verb=verb, subject=stored, after=described(stored), note=reason.strip())
    note(stored, code, by=by, at=now, facts=facts)
    note_statement(StatementCause.EXPERIMENT, stored.pk)
    transaction.on_commit(lambda: fetch.announce(fetch.Changed.EXPERIMENTS))
    return stored
