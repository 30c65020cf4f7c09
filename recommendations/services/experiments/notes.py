"""The log of an experiment, in codes that ``wording/experiments.py`` has words for."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from recommendations.experiment_terms import NoteCode
from recommendations.models import Experiment, ExperimentNote, Staff


def note(
    experiment: Experiment, code: str, *, by: Staff | None, at: datetime, facts: Mapping[str, Any] | None = None
) -> ExperimentNote:
    """Write a line of the log; ``by`` None: the experiment did it itself."""
    return ExperimentNote.objects.create(experiment=experiment, code=code, by=by, at=at, facts=dict(facts or {}))


def shipped_arm(experiment: Experiment) -> int | None:
    """Position of the arm that was published; None where none was."""
    facts = experiment.notes.filter(code=NoteCode.SHIPPED).values_list("facts", flat=True).first()
    return facts["arm"] if facts else None
