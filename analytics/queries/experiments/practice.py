"""A practice as its page shows it: how far its run is, and what is true of the versions beside what they seem."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.templatetags.display import number
from recommendations.models import Arm, Experiment, PracticeRun
from recommendations.services.experiments.practice import last_run
from recommendations.terms import ExperimentKind, RunStatus
from recommendations.wording import experiment_labels
from recommendations.wording.linter import listed

MOST_SEED = 9_999


@dataclass(frozen=True, kw_only=True)
class TrueLift:
    """What an arm changes in truth, as a share of the control's; None where it was not worked out."""

    words: str
    lifts: Sequence[float | None]
    decides: bool


@dataclass(frozen=True, kw_only=True)
class PracticeLine:
    """A practice in the list: what was chosen to be true, when it was, and its visitors, those of a day of a bandit."""

    effect: str
    at: datetime
    visitors: int


@dataclass(frozen=True, kw_only=True)
class PracticeView:
    """The newest run; ``problem`` says why it came to nothing, ``same`` which arms are as A is; else empty."""

    run: PracticeRun
    effect: str
    state: str
    problem: str
    next_seed: int
    letters: Sequence[str]
    truth: Sequence[TrueLift]
    same: str

    @property
    def unfinished(self) -> bool:
        return self.run.unfinished and not self.is_stopping

    @property
    def is_stopping(self) -> bool:
        return self.run.cancel_requested_at is not None

    @property
    def succeeded(self) -> bool:
        return self.run.status == RunStatus.SUCCEEDED


def practice_view(experiment: Experiment, arms: Sequence[Arm]) -> PracticeView | None:
    """The practice of a simulated experiment; None for every other."""
    run = last_run(experiment) if experiment.simulated else None
    if run is None:
        return None
    return PracticeView(
        run=run,
        effect=_effect(run, experiment),
        state=run.get_status_display(),
        problem=_problem(run),
        next_seed=run.seed % MOST_SEED + 1,
        letters=[arm.letter for arm in arms[1:]],
        truth=_truth(run, experiment) if run.status == RunStatus.SUCCEEDED else [],
        same=_same(run, arms) if experiment.kind != ExperimentKind.AA else "",
    )


def practice_lines(experiments: Sequence[Experiment]) -> dict[int, PracticeLine]:
    """What was practised of each experiment, by its key; of several runs it is the newest."""
    runs = PracticeRun.objects.filter(experiment__in=experiments).select_related("experiment").order_by("created_at")
    return {
        run.experiment_id: PracticeLine(
            effect=_effect(run, run.experiment), at=run.created_at, visitors=run.truth.get("people", 0)
        )
        for run in runs
    }


def _effect(run: PracticeRun, experiment: Experiment) -> str:
    """What is true: what was chosen to be, or that nothing differs where the lists of A and B are the same."""
    if experiment.kind == ExperimentKind.AA or 1 in run.truth.get("same", ()):
        return _("A and B get the same")
    return run.get_effect_display()


def _same(run: PracticeRun, arms: Sequence[Arm]) -> str:
    """The arms that gave everybody the lists of A in words: nothing can differ, whatever was chosen."""
    letters = [arm.letter for arm in arms if arm.position in run.truth.get("same", ())]
    if not letters:
        return ""
    text = ngettext(
        "%(letters)s gives all of %(asked)s customers the same lists as A: whatever was chosen to be true, nothing "
        "differs, and what is found is chance. A practice explores nothing.",
        "%(letters)s give all of %(asked)s customers the same lists as A: whatever was chosen to be true, nothing "
        "differs, and what is found is chance. A practice explores nothing.",
        len(letters),
    )
    return text % {"letters": listed(letters), "asked": number(run.truth["customers"])}


def _truth(run: PracticeRun, experiment: Experiment) -> list[TrueLift]:
    lifts = run.truth.get("lifts", {})
    rows = [
        TrueLift(words=str(words), lifts=lifts[name], decides=name == experiment.primary)
        for name, words in experiment_labels.METRICS
        if name in lifts
    ]
    return sorted(rows, key=lambda row: not row.decides)


def _problem(run: PracticeRun) -> str:
    if run.status == RunStatus.CANCELLED or (run.unfinished and run.cancel_requested_at):
        return _("Cancelled: what was counted until then says nothing. Practise again, or delete it.")
    if run.status != RunStatus.FAILED:
        return ""
    if run.message:
        return _("It could not be done (%(why)s). Practise again, or delete it.") % {"why": run.message}
    return _("There are no lists to try: let the shop learn once (under Runs), then practise again.")
