"""THE LOOP: collect → preprocess → interests → train → evaluate → adjust → collect.

A run is a function of the data, the moment and the seed. Each stage leaves its result in the store, so a run that
was interrupted goes on after its last finished stage.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from recommendations.engine.evaluation.leaks import LeakError
from recommendations.loop import adjust, collect, evaluate, interests, preprocess, train
from recommendations.loop.context import NotEnoughDataError, RunContext
from recommendations.models import Run
from recommendations.store import jobs
from recommendations.store.memory import give_back
from recommendations.store.models import runs
from recommendations.terms import Cut, RunStatus, Stage

type Step = Callable[[RunContext], Mapping[str, object]]

STAGES: tuple[tuple[Stage, tuple[Cut | None, ...], Step], ...] = (
    (Stage.COLLECT, (None,), collect.close_window),
    (Stage.PREPROCESS, (None,), preprocess.make_snapshots),
    (Stage.INTERESTS, (None,), interests.learn_interests),
    (Stage.TRAIN, (Cut.TUNING, Cut.TEST, Cut.LIVE), train.fit_recommenders),
    (Stage.EVALUATE, (None,), evaluate.measure),
    (Stage.ADJUST, (None,), adjust.adjust_weights_and_go_live),
)


def plan() -> list[tuple[Stage, Cut | None]]:
    """Every stage with its cuts, in order: the rows of a run."""
    return [(stage, cut) for stage, cuts, _ in STAGES for cut in cuts]


def run_loop(run_id: UUID, *, clock: Callable[[], datetime]) -> RunStatus | None:
    """Run or resume a run; None where another process is at it, or the run is over."""
    run = Run.objects.filter(pk=run_id).first()
    return jobs.run_job(run, _go_round, clock=clock, refusals=(NotEnoughDataError, LeakError))


def _go_round(run: Run) -> None:
    """Go through the stages that have not finished."""
    steps = {stage: step for stage, _, step in STAGES}
    runs.interrupt_stages(run)
    for row in run.stages.exclude(status=RunStatus.SUCCEEDED):
        with runs.stage(run, row) as report:
            cut = Cut(row.cut) if row.cut else None
            row.counts = dict(steps[Stage(row.stage)](RunContext.of(run, cut=cut, report=report)))
        give_back()
