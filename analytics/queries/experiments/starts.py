"""The start of an experiment as its page shows it: what a worker is at, and why the last one came to nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from recommendations.experiment_terms import NoteCode
from recommendations.models import Experiment, ExperimentNote
from recommendations.terms import ExperimentStatus
from recommendations.wording.experiment_starts import refusal_of_start, step_text

LATE = timedelta(minutes=2)
"""After which a worker was to be at it: what beat sends every minute begins whatever waits."""


@dataclass(frozen=True, kw_only=True)
class StartView:
    """What is being done, the share of it that is done where that is known, and why the last start failed."""

    sentence: str = ""
    share: float | None = None
    problem: str = ""


def start_view(experiment: Experiment, *, now: datetime) -> StartView | None:
    """The start that is under way, or that failed and left this very draft; else None."""
    if experiment.simulated:
        return None
    match experiment.status:
        case ExperimentStatus.STARTING:
            return _under_way(experiment, now=now)
        case ExperimentStatus.DRAFT:
            problem = failed_starts([experiment]).get(experiment.pk)
            return StartView(problem=problem) if problem else None
    return None


def failed_starts(drafts: Sequence[Experiment]) -> dict[int, str]:
    """Why the last start of each draft failed, by the draft's key, where it has not been changed since."""
    failed = ExperimentNote.objects.filter(experiment__in=drafts, code=NoteCode.START_FAILED)
    newest = {note.experiment_id: note.facts for note in reversed(failed)}
    return {
        draft.pk: refusal_of_start(newest[draft.pk])
        for draft in drafts
        if draft.pk in newest and newest[draft.pk].get("revision") == draft.revision
    }


def _under_way(experiment: Experiment, *, now: datetime) -> StartView:
    beginning, sentence = experiment.beginning, step_text(experiment.beginning)
    asked = experiment.notes.filter(code=NoteCode.STARTING).values_list("at", flat=True).first()
    if not beginning and asked is not None and now - asked > LATE:
        minutes = int((now - asked) / timedelta(minutes=1))
        sentence = _("No worker has begun for %(minutes)s minutes: do they run?") % {"minutes": minutes}
    share = beginning["done"] / beginning["of"] if beginning.get("of") else None
    return StartView(sentence=sentence, share=share)
